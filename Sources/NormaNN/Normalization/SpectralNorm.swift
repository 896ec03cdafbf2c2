import NormaTensor

/// Divides a layer's weight by its largest singular value: W / σ, so that the layer stretches no
/// vector.
///
/// σ = uᵀ W v, where the weight is a matrix with one row for each index along `axis`. In training,
/// every use of the weight first improves u and v by `powerIterations` steps of the power method,
/// u = W v / ‖W v‖ and v = Wᵀ u / ‖Wᵀ u‖; the first use takes 15 more. Gradients treat u and v as
/// constants. `axis` is 0, the outputs, or 1 for transposed convolutions. Weights with one axis are
/// divided by their length.
///
///     let layer = spectralNorm(Conv2d(3, 64, kernelSize: 3))
///
/// In state dictionaries: `parametrizations.weight.original` and `parametrizations.weight.0._u`,
/// `_v`.
///
/// - Cost: two matrix-vector products for each step, one for σ, and a read and a write of the
///   weight.
/// - PyTorch: `torch.nn.utils.parametrizations.spectral_norm(module, name, n_power_iterations, eps,
///   dim)`; u and v start with the same random numbers.
/// - Source: Miyato, Kataoka, Koyama and Yoshida, "Spectral Normalization for Generative
///   Adversarial Networks" (2018).
@discardableResult
public func spectralNorm<M: Module>(
  _ module: M, name: String = "weight", powerIterations: Int = 1, eps: Double = 1e-12,
  axis: Int? = nil, file: StaticString = #fileID, line: UInt = #line
) -> M {
  do throws(TensorError) {
    let call = "spectralNorm(_:name:axis:)"
    let parameter = try module.parameter(named: name, call: call)
    let usual = module is TransposedConvolution ? 1 : 0
    let front = try Shape.axis(axis ?? usual, of: parameter.shape, call: call)
    guard powerIterations > 0, parameter.shape.count > 0 else {
      throw TensorError(
        call,
        "\(powerIterations) steps for a parameter of shape \(parameter.shape); at least one step "
          + "and one axis are needed")
    }
    parameter.parametrize(
      by: SpectralNorm(
        parameter.value, axis: front, powerIterations: powerIterations, eps: eps))
  } catch {
    report(error, file: file, line: line)
  }
  return module
}

/// The parametrization that `spectralNorm(_:name:powerIterations:eps:axis:)` sets.
public final class SpectralNorm: Module, Parametrization {
  /// W.
  public let original: Parameter
  /// The axis whose indices are the rows of the matrix.
  public let axis: Int
  /// The number of power method steps for each use in training.
  public let powerIterations: Int
  /// The smallest length that a vector is divided by.
  public let eps: Double
  /// Nil for a weight with one axis.
  private let vectors: SingularVectors?

  /// u and v, with PyTorch's names.
  final class SingularVectors: Module {
    let _u: Buffer
    let _v: Buffer

    init(_ u: Tensor, _ v: Tensor) { (_u, _v) = (Buffer(u), Buffer(v)) }
  }

  public override var children: [(name: String, module: Module)] {
    vectors.map { [("0", $0)] } ?? []
  }

  init(_ weight: Tensor, axis: Int, powerIterations: Int, eps: Double) {
    (self.axis, self.powerIterations, self.eps) = (axis, powerIterations, eps)
    original = Parameter(weight.detached())
    let rows = weight.shape[axis]
    func start(_ count: Int) -> Tensor {
      Tensor.normalize(.randn([count], dtype: weight.dtype), axis: 0, eps: eps)
    }
    vectors =
      weight.rank > 1 ? SingularVectors(start(rows), start(weight.count / max(rows, 1))) : nil
    super.init()
    // PyTorch takes 15 steps, and reads the value once.
    improve(15 + powerIterations)
  }

  /// The weight with the rows along `axis`.
  private func matrix(_ weight: Tensor) -> Tensor {
    let order = [axis] + weight.shape.indices.filter { $0 != axis }
    return weight.permuted(order).flattened(from: 1)
  }

  /// Steps of the power method.
  private func improve(_ steps: Int) {
    guard let vectors else { return }
    withoutGradients {
      let w = matrix(original.value.detached())
      var (u, v) = (vectors._u.value, vectors._v.value)
      // A zero weight has no direction; the vectors are kept for later weights.
      func step(_ new: Tensor, _ old: Tensor) -> Tensor {
        .where((new .!= 0).any(), Tensor.normalize(new, axis: 0, eps: eps), old)
      }
      for _ in 0..<steps {
        u = step(w.matmul(v), u)
        v = step(w.transposed().matmul(u), v)
      }
      (vectors._u.value, vectors._v.value) = (u.evaluated(), v.evaluated())
    }
  }

  /// W / σ; W if σ is 0.
  public func value() -> Tensor {
    let weight = original.value
    guard let vectors else { return Tensor.normalize(weight, axis: 0, eps: eps) }
    // A statistic of the weight, which mixed precision keeps in its own type.
    let sigma = autocast(nil) {
      if isTraining && !GradientMode.isRecomputing { improve(powerIterations) }
      return vectors._u.value.matmul(matrix(weight).matmul(vectors._v.value))
    }
    return weight / Tensor.where(sigma .== 0, 1, sigma)
  }

  /// Sets the original weight to this one; the division by σ stays.
  public func assign(_ value: Tensor) { original.value = value.detached() }
}
