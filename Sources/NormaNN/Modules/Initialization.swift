import NormaTensor

// PyTorch's initial values, bit for bit with the same seed. All draw from the default generator, in
// `float32` unless another type is given.

/// The effect of an activation on the spread of its input, for Kaiming initialization.
public enum Nonlinearity: Sendable, Hashable {
  /// No activation, a convolution or a sigmoid: gain 1.
  case linear
  /// 5/3.
  case tanh
  /// √2.
  case relu
  /// √(2 / (1 + slope²)).
  case leakyRelu(slope: Double)
  /// 3/4.
  case selu

  /// The factor for the spread of initial weights. PyTorch: `nn.init.calculate_gain`.
  public var gain: Double {
    switch self {
    case .linear: 1
    case .tanh: 5.0 / 3
    case .relu: 2.0.squareRoot()
    case .leakyRelu(let slope): (2 / (1 + slope * slope)).squareRoot()
    case .selu: 0.75
    }
  }
}

/// The direction in which a layer keeps the variance.
public enum FanMode: Sendable, Hashable {
  /// The forward pass: counts the inputs of each output.
  case fanIn
  /// The backward pass: counts the outputs of each input.
  case fanOut
}

/// The number of inputs per output, and of outputs per input, for a weight `[outputs, inputs,
/// kernel...]`.
func fans(_ shape: [Int]) -> (fanIn: Double, fanOut: Double) {
  let area = shape.dropFirst(2).reduce(1.0) { $0 * Double($1) }
  return (
    (shape.count > 1 ? Double(shape[1]) : 1) * area, (shape.first.map(Double.init) ?? 1) * area
  )
}

/// The product of sizes, capped at the largest integer.
func product(_ sizes: [Int]) -> Int {
  sizes.reduce(1) { product, size in
    let (next, isTooLarge) = product.multipliedReportingOverflow(by: size)
    return isTooLarge ? Int.max : next
  }
}

extension Tensor {
  /// Uniform within ±√6 gain / √(fan-in + fan-out), which keeps the spread in both directions.
  /// PyTorch: `nn.init.xavier_uniform_`.
  public static func xavierUniform(
    _ shape: [Int], gain: Double = 1, dtype: DType = .float32
  ) -> Tensor {
    if shape.contains(0) { return .zeros(shape, dtype: dtype) }
    let (fanIn, fanOut) = fans(shape)
    let bound = 3.0.squareRoot() * (gain * (2 / (fanIn + fanOut)).squareRoot())
    return .uniform(shape, low: -bound, high: bound, dtype: dtype)
  }

  /// Normal with std gain √(2 / (fan-in + fan-out)). PyTorch: `nn.init.xavier_normal_`.
  public static func xavierNormal(
    _ shape: [Int], gain: Double = 1, dtype: DType = .float32
  ) -> Tensor {
    if shape.contains(0) { return .zeros(shape, dtype: dtype) }
    let (fanIn, fanOut) = fans(shape)
    let std = gain * (2 / (fanIn + fanOut)).squareRoot()
    return .normal(shape, mean: 0, std: std, dtype: dtype)
  }

  /// Uniform within ±√3 gain / √fan, which keeps the spread in one direction. PyTorch:
  /// `nn.init.kaiming_uniform_`, whose default is `leaky_relu` with slope 0.
  public static func kaimingUniform(
    _ shape: [Int], mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .relu,
    dtype: DType = .float32
  ) -> Tensor {
    if shape.contains(0) { return .zeros(shape, dtype: dtype) }
    let fan = mode == .fanIn ? fans(shape).fanIn : fans(shape).fanOut
    let bound = 3.0.squareRoot() * (nonlinearity.gain / fan.squareRoot())
    return .uniform(shape, low: -bound, high: bound, dtype: dtype)
  }

  /// Normal with std gain / √fan. PyTorch: `nn.init.kaiming_normal_`.
  public static func kaimingNormal(
    _ shape: [Int], mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .relu,
    dtype: DType = .float32
  ) -> Tensor {
    if shape.contains(0) { return .zeros(shape, dtype: dtype) }
    let fan = mode == .fanIn ? fans(shape).fanIn : fans(shape).fanOut
    let std = nonlinearity.gain / fan.squareRoot()
    return .normal(shape, mean: 0, std: std, dtype: dtype)
  }
}

/// PyTorch's initial weight and bias of linear layers and convolutions.
///
/// Both bounds are 1 / √fan-in, but differ in their last bits, as PyTorch computes them.
func affineParameters(
  _ shape: [Int], outputs: Int, hasBias: Bool, dtype: DType
) -> (weight: Parameter, bias: Parameter?) {
  let weight = Tensor.kaimingUniform(
    shape, nonlinearity: .leakyRelu(slope: 5.0.squareRoot()), dtype: dtype)
  guard hasBias else { return (Parameter(weight), nil) }
  let fanIn = fans(shape).fanIn
  let bound = fanIn > 0 ? 1 / fanIn.squareRoot() : 0
  let bias = Tensor.uniform([outputs], low: -bound, high: bound, dtype: dtype)
  return (Parameter(weight), Parameter(bias))
}

/// The options of a layer that is being created, for error messages that name the layer.
struct LayerOptions {
  let layer: Any.Type
  let file: StaticString
  let line: UInt

  /// A size; reports a size below `least`.
  func size(_ value: Int, _ name: String, atLeast least: Int = 0) -> Int {
    if value < least { refuse("\(name) must be at least \(least), got \(value)") }
    return max(value, least)
  }

  /// The term that is added to a variance; reports a negative one, or NaN.
  func eps(_ value: Double) -> Double {
    if let problem = negativeOption(("eps", value)) { refuse(problem) }
    return value
  }

  func refuse(_ reason: String) {
    report(TensorError("\(layer)(_:)", reason), file: file, line: line)
  }
}
