import NormaTensor

/// Splits a layer's weight into a direction and a length: w = g v / ‖v‖.
///
/// The Euclidean norm is taken over all axes but `axis`, by default over the inputs of each output;
/// with nil over all axes. Initially w is the layer's weight. Gradients flow to g and v, which are
/// `parametrizations.weight.original0` and `original1` in state dictionaries.
///
///     let layer = weightNorm(Linear(20, 40))
///
/// - Accuracy: computed in `float64` and rounded once.
/// - Cost: two reads and one write of the weight for each call of the layer.
/// - PyTorch: `torch.nn.utils.parametrizations.weight_norm(module, name, dim)`.
/// - Source: Salimans and Kingma, "Weight Normalization" (2016).
@discardableResult
public func weightNorm<M: Module>(
  _ module: M, name: String = "weight", axis: Int? = 0, file: StaticString = #fileID,
  line: UInt = #line
) -> M {
  do throws(TensorError) {
    let call = "weightNorm(_:name:axis:)"
    let parameter = try module.parameter(named: name, call: call)
    let front = try axis.map { (axis) throws(TensorError) in
      try Shape.axis(axis, of: parameter.shape, call: call)
    }
    parameter.parametrize(by: WeightNorm(parameter.value, axis: front))
  } catch {
    report(error, file: file, line: line)
  }
  return module
}

/// The parametrization that `weightNorm(_:name:axis:)` sets.
public final class WeightNorm: Module, Parametrization {
  /// g, the length: the weight's shape with all axes but one reduced to 1.
  public let original0: Parameter
  /// v, the direction, whose own length does not matter.
  public let original1: Parameter
  /// The axis with a separate length for each index; nil for a single length.
  public let axis: Int?

  init(_ weight: Tensor, axis: Int?) {
    self.axis = axis
    let weight = weight.detached()
    original0 = Parameter(WeightNorm.length(of: weight, axis).cast(to: weight.dtype).evaluated())
    original1 = Parameter(weight)
  }

  /// The norm in `float64` over all axes but one.
  private static func length(of v: Tensor, _ axis: Int?) -> Tensor {
    checked(file: #fileID, line: #line) { () throws(TensorError) in
      let norm = try v.wideNorm(
        2, over: v.shape.indices.filter { $0 != axis }, call: "weightNorm(_:name:axis:)")
      return axis == nil ? norm.reshaped([]) : norm
    }
  }

  /// g v / ‖v‖; 0 if v is 0 and has no direction.
  public func value() -> Tensor {
    let v = original1.value.cast(to: .float64)
    let length = WeightNorm.length(of: v, axis)
    let scale = original0.value.cast(to: .float64) / Tensor.where(length .== 0, 1, length)
    return (v * scale).cast(to: original1.dtype)
  }

  /// Sets direction and length to those of a weight.
  public func assign(_ value: Tensor) {
    let value = value.detached()
    original0.value = WeightNorm.length(of: value, axis).cast(to: original0.dtype)
    original1.value = value
  }
}
