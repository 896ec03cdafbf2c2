import NormaTensor

// Activations as layers. Formulas and gradients are those of the functions on `Tensor`.

/// A layer without parameters: a function of each element or axis.
public class Activation: Module, PlacedLayer {
  private let options: String
  private let function: (Tensor) -> Tensor

  /// - Parameter options: The options of `function`, for the layer's description.
  init(_ options: String = "", _ function: @escaping (Tensor) -> Tensor) {
    (self.options, self.function) = (options, function)
  }

  public override var optionsDescription: String { options }

  /// The function of `x`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { function(x).observed(by: self, of: x, file, line) }
}

/// `Tensor.relu()`. PyTorch: `nn.ReLU`.
public final class ReLU: Activation {
  /// max(x, 0).
  public init() { super.init { $0.relu() } }
}

/// `Tensor.relu6()`. PyTorch: `nn.ReLU6`.
public final class ReLU6: Activation {
  /// Clamps x to 0 ... 6.
  public init() { super.init { $0.relu6() } }
}

/// `Tensor.leakyRelu(slope:)`. PyTorch: `nn.LeakyReLU`.
public final class LeakyReLU: Activation {
  /// Multiplies values below zero by `slope`.
  public init(slope: Double = 0.01) { super.init("slope: \(slope)") { $0.leakyRelu(slope: slope) } }
}

/// `Tensor.prelu(_:)` with a trainable weight. PyTorch: `nn.PReLU`.
public final class PReLU: Module, PlacedLayer {
  /// One number, or one for each channel.
  public let weight: Parameter

  /// Weights with the initial value `initial`.
  public init(
    _ count: Int = 1, initial: Double = 0.25, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let count = LayerOptions(layer: PReLU.self, file: file, line: line).size(count, "count")
    weight = Parameter(.full([count], initial, dtype: dtype))
  }

  public override var optionsDescription: String { "\(weight.shape[0])" }

  /// The function of `x`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    x.prelu(weight.value, file: file, line: line).observed(by: self, of: x, file, line)
  }
}

/// `Tensor.elu(alpha:)`. PyTorch: `nn.ELU`.
public final class ELU: Activation {
  /// alpha (eˣ - 1) below zero.
  public init(alpha: Double = 1) { super.init("alpha: \(alpha)") { $0.elu(alpha: alpha) } }
}

/// `Tensor.selu()`. PyTorch: `nn.SELU`.
public final class SELU: Activation {
  /// The self-normalizing form.
  public init() { super.init { $0.selu() } }
}

/// `Tensor.celu(alpha:)`. PyTorch: `nn.CELU`.
public final class CELU: Activation {
  /// Smooth at zero for every alpha.
  public init(alpha: Double = 1) { super.init("alpha: \(alpha)") { $0.celu(alpha: alpha) } }
}

/// `Tensor.gelu(approximatingByTanh:)`. PyTorch: `nn.GELU`.
public final class GELU: Activation {
  /// x Φ(x).
  public init(approximatingByTanh: Bool = false) {
    super.init(approximatingByTanh ? "approximatingByTanh: true" : "") {
      $0.gelu(approximatingByTanh: approximatingByTanh)
    }
  }
}

/// `Tensor.silu()`. PyTorch: `nn.SiLU`.
public final class SiLU: Activation {
  /// x sigmoid(x).
  public init() { super.init { $0.silu() } }
}

/// `Tensor.mish()`. PyTorch: `nn.Mish`.
public final class Mish: Activation {
  /// x tanh(softplus(x)).
  public init() { super.init { $0.mish() } }
}

/// `Tensor.sigmoid()`. PyTorch: `nn.Sigmoid`.
public final class Sigmoid: Activation {
  /// 1 / (1 + e⁻ˣ).
  public init() { super.init { $0.sigmoid() } }
}

/// `Tensor.tanh()`. PyTorch: `nn.Tanh`.
public final class Tanh: Activation {
  /// The hyperbolic tangent.
  public init() { super.init { $0.tanh() } }
}

/// `Tensor.hardtanh(min:max:)`. PyTorch: `nn.Hardtanh`.
public final class Hardtanh: Activation {
  /// Clamps x to `min ... max`.
  public init(min: Double = -1, max: Double = 1) {
    super.init("min: \(min), max: \(max)") { $0.hardtanh(min: min, max: max) }
  }
}

/// `Tensor.hardsigmoid()`. PyTorch: `nn.Hardsigmoid`.
public final class Hardsigmoid: Activation {
  /// (x + 3) / 6, clamped to 0 ... 1.
  public init() { super.init { $0.hardsigmoid() } }
}

/// `Tensor.hardswish()`. PyTorch: `nn.Hardswish`.
public final class Hardswish: Activation {
  /// x hardsigmoid(x).
  public init() { super.init { $0.hardswish() } }
}

/// `Tensor.softplus(beta:threshold:)`. PyTorch: `nn.Softplus`.
public final class Softplus: Activation {
  /// log(1 + e^(beta x)) / beta.
  public init(beta: Double = 1, threshold: Double = 20) {
    super.init("beta: \(beta), threshold: \(threshold)") {
      $0.softplus(beta: beta, threshold: threshold)
    }
  }
}

/// `Tensor.softsign()`. PyTorch: `nn.Softsign`.
public final class Softsign: Activation {
  /// x / (1 + |x|).
  public init() { super.init { $0.softsign() } }
}

/// `Tensor.softshrink(lambda:)`. PyTorch: `nn.Softshrink`.
public final class Softshrink: Activation {
  /// Shrinks values towards zero by `lambda`.
  public init(lambda: Double = 0.5) {
    super.init("lambda: \(lambda)") { $0.softshrink(lambda: lambda) }
  }
}

/// `Tensor.hardshrink(lambda:)`. PyTorch: `nn.Hardshrink`.
public final class Hardshrink: Activation {
  /// 0 within ±`lambda`.
  public init(lambda: Double = 0.5) {
    super.init("lambda: \(lambda)") { $0.hardshrink(lambda: lambda) }
  }
}

/// `Tensor.tanhshrink()`. PyTorch: `nn.Tanhshrink`.
public final class Tanhshrink: Activation {
  /// x - tanh x.
  public init() { super.init { $0.tanhshrink() } }
}

/// `Tensor.logSigmoid()`. PyTorch: `nn.LogSigmoid`.
public final class LogSigmoid: Activation {
  /// log sigmoid(x).
  public init() { super.init { $0.logSigmoid() } }
}

/// `Tensor.thresholded(at:value:)`. PyTorch: `nn.Threshold`.
public final class Threshold: Activation {
  /// `value` if x is not above the threshold.
  public init(_ threshold: Double, value: Double) {
    super.init("\(threshold), value: \(value)") {
      $0.thresholded(at: threshold, value: value)
    }
  }
}

/// `Tensor.glu(over:)`. PyTorch: `nn.GLU`.
public final class GLU: Activation {
  /// Gates one half of an axis with the other.
  public init(over axis: Int = -1) { super.init("over: \(axis)") { $0.glu(over: axis) } }
}

/// `Tensor.softmax(over:)`. PyTorch: `nn.Softmax`.
public final class Softmax: Activation {
  /// Along an axis.
  public init(over axis: Int) { super.init("over: \(axis)") { $0.softmax(over: axis) } }
}

/// The softmax of -x. PyTorch: `nn.Softmin`.
public final class Softmin: Activation {
  /// Along an axis.
  public init(over axis: Int) { super.init("over: \(axis)") { (-$0).softmax(over: axis) } }
}

/// `Tensor.logSoftmax(over:)`. PyTorch: `nn.LogSoftmax`.
public final class LogSoftmax: Activation {
  /// Along an axis.
  public init(over axis: Int) { super.init("over: \(axis)") { $0.logSoftmax(over: axis) } }
}
