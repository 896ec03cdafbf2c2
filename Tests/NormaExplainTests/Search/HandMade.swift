import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// A normalization as a user writes it in float32, with every part open to mistakes.
struct HandMade {
  var axes: [Int]
  /// The shape in which `axes` are counted; nil for the input's.
  var shape: [Int]?
  var correction = 0.0
  var eps = 1e-5
  var isOutside = false
  var subtracts = true
  var aboutZero = false
  var weight: Tensor?
  var bias: Tensor?

  func callAsFunction(_ input: Tensor) -> Tensor {
    let x = shape.map { input.reshaped($0) } ?? input
    let mean = x.mean(over: axes, keepDims: true).evaluated()
    let variance =
      aboutZero
      ? x.squared().mean(over: axes, keepDims: true)
      : x.variance(over: axes, correction: correction, keepDims: true)
    let divisor = isOutside ? variance.sqrt() + eps : (variance + eps).sqrt()
    var y = ((subtracts ? x - mean : x) / divisor.evaluated()).reshaped(input.shape)
    if let weight { y = y * weight }
    if let bias { y = y + bias }
    return y.evaluated()
  }
}

/// The layers that normalize without running statistics, each with an input, its own formula by
/// hand and a way to ask for an explanation.
enum Subject: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case layer, image, rms, group, instance

  var testDescription: String { rawValue }

  /// Values whose means and deviations differ along every axis; `seed` is 7 in every test.
  func input(scale: Double = 1) -> Tensor {
    var state: UInt64 = 7 &* 0x9E37_79B9_7F4A_7C15
    let shape = shape
    let values = (0..<shape.reduce(1, *)).map { (index: Int) -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let noise = Double(state >> 11) / 9_007_199_254_740_992 - 0.5
      var (rest, place) = (index, 0.0)
      for (axis, size) in shape.enumerated().reversed() {
        place += Double((rest % size * 7 + axis * 3) % 5) * (axis == 1 ? 0.5 : 0.2)
        rest /= size
      }
      return Float(scale * (noise * (0.5 + place) + place - 1.2))
    }
    return Tensor(values, shape: shape)
  }

  var shape: [Int] {
    switch self {
    case .layer, .rms: [6, 5, 24]
    case .image: [4, 6, 5, 5]
    case .group: [3, 12, 5, 4]
    case .instance: [4, 6, 7, 6]
    }
  }

  /// The shape of weight and bias as they broadcast to the input.
  private var parameterShape: [Int] {
    switch self {
    case .layer, .rms: [24]
    case .image: [6, 5, 5]
    case .group: [1, 12, 1, 1]
    case .instance: [1, 6, 1, 1]
    }
  }

  private func parameter(_ start: Double, _ step: Double) -> Tensor {
    let values = (0..<parameterShape.reduce(1, *)).map { Float(start + step * Double($0 * 5 % 7)) }
    return Tensor(values, shape: parameterShape)
  }

  /// The layer's formula by hand.
  var right: HandMade {
    let weight = parameter(0.6, 0.15)
    let bias = parameter(-0.5, 0.17)
    switch self {
    case .layer: return HandMade(axes: [2], weight: weight, bias: bias)
    case .image: return HandMade(axes: [1, 2, 3], weight: weight, bias: bias)
    case .rms: return HandMade(axes: [2], subtracts: false, aboutZero: true, weight: weight)
    case .group:
      return HandMade(axes: [2, 3, 4], shape: [3, 3, 4, 5, 4], weight: weight, bias: bias)
    case .instance: return HandMade(axes: [2, 3], weight: weight, bias: bias)
    }
  }

  /// What the layer says to a result; `affine: false` is a layer without parameters.
  func explain(
    _ x: Tensor, expecting y: Tensor? = nil, from origin: Tensor? = nil, affine: Bool = true
  ) -> Explanation {
    let weight = affine ? right.weight : nil
    let bias = affine ? right.bias : nil
    switch self {
    case .layer, .image:
      let shape = self == .layer ? [24] : [6, 5, 5]
      let norm = LayerNorm(shape, elementwiseAffine: affine)
      if let weight { norm.weight?.value = weight }
      if let bias { norm.bias?.value = bias }
      return norm.explain(x, expecting: y, from: origin)
    case .rms:
      let norm = RMSNorm(24, eps: 1e-5, elementwiseAffine: affine)
      if let weight { norm.weight?.value = weight }
      return norm.explain(x, expecting: y, from: origin)
    case .group:
      let norm = GroupNorm(3, 12, affine: affine)
      if let weight { norm.weight?.value = weight.reshaped(12) }
      if let bias { norm.bias?.value = bias.reshaped(12) }
      return norm.explain(x, expecting: y, from: origin)
    case .instance:
      let norm = InstanceNorm2d(6, affine: affine)
      if let weight { norm.weight?.value = weight.reshaped(6) }
      if let bias { norm.bias?.value = bias.reshaped(6) }
      return norm.explain(x, expecting: y, from: origin)
    }
  }
}
