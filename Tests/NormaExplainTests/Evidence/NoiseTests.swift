import NormaReference
import NormaTensor
import Testing

@testable import NormaExplain

/// Noise beside the layer's own result is rounding only where the type's rounding can be as large.
///
/// The bound: root mean square 4 + √n roundings (2⁻²⁴ of `float32`) of the sizes in the formula,
/// |w / d| (|x| + |m|) + |y|, for statistics of n values; 2 roundings of half types. A single value may be
/// off by four times as much.
@Suite struct NoiseTests {
  enum Kind: CaseIterable, Sendable {
    case batch, layer, rms, group

    var shape: [Int] {
      switch self {
      case .batch: [8, 4, 6]
      case .layer: [6, 24]
      case .rms: [8, 32]
      case .group: [4, 8, 6]
      }
    }
    /// How many values a statistic has.
    var count: Int { self == .batch ? 48 : self == .layer || self == .group ? 24 : 32 }
    var layer: LayerNumbers {
      switch self {
      case .batch: LayerNumbers(name: "BatchNorm1d(4)", features: 4)
      case .layer: LayerNumbers(name: "LayerNorm(24)", reach: .axes(nil, sizes: [24]), features: 24)
      case .rms:
        LayerNumbers(
          name: "RMSNorm(32)", reach: .axes(nil, sizes: [32]), subtractsMean: false, features: 32)
      case .group: LayerNumbers(name: "GroupNorm(2, 8)", reach: .groups(2), features: 8)
      }
    }

    /// The layer's result in `float64`, and the sizes that are rounded on the way to it.
    func exact(_ x: Tensor) -> (result: Tensor, sizes: Tensor) {
      var wide = x.cast(to: .float64)
      var axes = [1]
      if self == .batch { axes = [0, 2] }
      if self == .group { (wide, axes) = (wide.reshaped(4, 2, 24), [2]) }
      let mean = self == .rms ? wide * 0 : wide.mean(over: axes, keepDims: true)
      let variance = (wide - mean).squared().mean(over: axes, keepDims: true)
      let divisor = (variance + 1e-5).sqrt()
      let result = (wide - mean) / divisor
      let sizes = (wide.abs() + mean.abs()) / divisor + result.abs()
      return (result.reshaped(shape).evaluated(), sizes.reshaped(shape).evaluated())
    }
  }

  /// The distance to the next number of a type, at each value.
  private func steps(_ values: [Double], _ type: DType) -> [Double] {
    values.map { value in
      var power = 1.0
      let size = max(abs(value), 1e-3)
      while power > size { power /= 2 }
      while power * 2 <= size { power *= 2 }
      return 2 * unitRoundoff(type) * power
    }
  }

  @Test(arguments: Kind.allCases, [DType.float32, .float64, .float16, .bfloat16])
  func noiseIsNoRoundingBeyondTheTypes(kind: Kind, type: DType) {
    var random = TestRandom(seed: 11)
    let total = kind.shape.reduce(1, *)
    let bound = unitRoundoff(type) > 0x1p-20 ? 2 : 4 + Double(kind.count).squareRoot()
    for mean in [0.4, 5.0] {
      let x = Tensor(random.doubles(total, mean: mean, std: 2), shape: kind.shape).cast(to: type)
        .evaluated()
      let (result, sizes) = kind.exact(x)
      let values = result.array(of: Double.self)
      for steps in [0.0, 2, 10, 100] {
        let unit = self.steps(values, type)
        let noise = random.doubles(total).map { $0 / 1.75 }
        let made = values.indices.map { values[$0] + steps * unit[$0] * noise[$0] }
        let y = Tensor(made, shape: kind.shape).cast(to: type).evaluated()
        let off = zip(y.array(of: Double.self), zip(values, sizes.array(of: Double.self)))
          .map { ($0 - $1.0) / (unitRoundoff(type) * $1.1) }
        let size = (off.reduce(0) { $0 + $1 * $1 } / Double(total)).squareRoot()
        let found = explain(kind.layer, x, y)
        let isRounding = found.unexplainedIsRounding && names(found).allSatisfy { $0 == .rounding }
        let what = "\(steps) steps, \(size) roundings of \(bound): \(found)"
        if size > 1.1 * bound {
          #expect(!found.unexplainedIsRounding && names(found).isEmpty, "\(what)")
        }
        if size < 0.5 * bound { #expect(isRounding, "\(what)") }
        if steps == 0 { #expect(found.agrees, "\(what)") }
        if steps == 100 { #expect(size > 1.1 * bound, "\(what)") }
      }
    }
  }

  /// What is wrong in one value is seen, and where it is, whether a sample holds it or not.
  @Test(arguments: [[24, 24], [400, 24]], [5.0, 1e-3])
  func oneValueThatIsOff(shape: [Int], by distance: Double) {
    let x = withSeed(5) { Tensor.randn(shape) * 2 + 0.4 }.evaluated()
    let layer = Kind.layer.layer
    for divisor in [24, 23.0] {
      let wide = x.cast(to: .float64)
      let centred = wide - wide.mean(over: 1, keepDims: true)
      let variance = centred.squared().sum(over: 1, keepDims: true) / divisor
      var values = (centred / (variance + 1e-5).sqrt()).array(of: Double.self)
      values[17 * 24 + 5] += distance
      let found = explain(layer, x, Tensor(values, shape: shape).cast(to: .float32).evaluated())
      #expect(!found.agrees && !found.unexplainedIsRounding, "\(found)")
      let isSampled = shape[0] * 24 <= 4096
      if divisor == 24 || !isSampled {
        #expect(found.notes.contains { $0.contains("All but 1 of") || $0.contains("all but 1 of") })
        #expect(found.notes.contains { $0.contains("[17, 5]") }, "\(found)")
      }
      #expect(found.gap.map { $0.maximum >= 0.99 * distance } == true)
    }
  }

  @Test func singlePrecisionInDoubles() {
    let x = withSeed(6) { Tensor.randn(6, 24) * 2 + 0.4 }.cast(to: .float64).evaluated()
    let y = HandMade(axes: [1])(x.cast(to: .float32)).cast(to: .float64).evaluated()
    let found = explain(Kind.layer.layer, x, y)
    #expect(names(found) == [.rounding] && found.unexplainedIsRounding, "\(found)")
    #expect(found.causes.first?.yours.contains("float32") == true, "\(found)")
  }

  /// Steps in a half type that no list has: shown by normalized values that are numbers of that
  /// type, or not claimed.
  @Test func halfTypesOnTheWayAreShownOrNotClaimed() {
    let x = withSeed(7) { Tensor.randn(16, 24) * 2 + 0.4 }.evaluated()
    var layer = Kind.layer.layer
    layer.weight = (0..<24).map { 0.5 + Double($0 * 7 % 11) / 10 }
    let weight = Tensor((layer.weight ?? []).map { Float($0) }, shape: [24])
    func half(_ tensor: Tensor) -> Tensor {
      tensor.cast(to: .float16).cast(to: .float32).evaluated()
    }
    let centred = half(x - x.mean(over: 1, keepDims: true))
    let variance = centred.squared().mean(over: 1, keepDims: true)
    let normalized = centred * (1 / (variance + 1e-5).sqrt()).evaluated()
    #expect(names(explain(layer, x, (half(normalized) * weight).evaluated())) == [.rounding])
    let hidden = explain(layer, x, (normalized * weight).evaluated())
    #expect(names(hidden).isEmpty && !hidden.unexplainedIsRounding, "\(hidden)")
    #expect(hidden.notes.contains { $0.contains("as large as rounding to float16") }, "\(hidden)")
  }

  @Test func runningStatistics() {
    var random = TestRandom(seed: 3)
    let x = Tensor(random.floats(192, mean: 0.4, std: 2), shape: Kind.batch.shape)
    var layer = Kind.batch.layer
    (layer.runningMean, layer.runningVariance) = ([0.1, 0.2, 0.3, 0.4], [0.5, 1, 1.5, 2])
    let right = RunningAccount(
      layer: layer, input: x, statistic: .variance, target: [], rounding: 0x1p-24)
    let values = right.value(right.right)
    for (steps, isRounding) in [(0.0, true), (1, true), (300, false)] {
      let signs = [1.0, -1, 1, -1]
      let target = zip(values, signs).map { $0 * (1 + $1 * steps * 0x1p-23) }
      let found = Explainer(layer: layer, input: x, output: x)
        .explanation(of: .variance, expecting: target)
      #expect(found.unexplainedIsRounding == isRounding && names(found).isEmpty, "\(found)")
    }
  }

  /// What comes near to 0 by a difference is rounded as its parts are.
  @Test func sumsNearZero() {
    // Channels whose values cancel, one of them next to 0 itself.
    var random = TestRandom(seed: 8)
    var half = random.doubles(96, std: 2)
    half[0] = 1e-12
    let x = Tensor(half + half.map { -$0 }, shape: Kind.batch.shape).cast(to: .float32).evaluated()
    var layer = Kind.batch.layer
    // A mean that is off by half a rounding of the values' size, as sums in another order are.
    let y = (Kind.batch.exact(x).result + 0x1p-25).cast(to: .float32).evaluated()
    #expect(explain(layer, x, y).agrees)
    (layer.runningMean, layer.runningVariance) = ([1, -1, 2, 3], [1, 1, 1, 1])
    layer.momentum = 0.03
    let means = (x + 1).cast(to: .float64).mean(over: 0, 2).array(of: Double.self)
    // The first channel's parts cancel to their own rounding.
    layer.runningMean?[0] = -means[0] / 99
    let target = zip(layer.runningMean ?? [], means).map { 0.99 * $0 + 0.01 * $1 + 0x1p-24 }
    let found = Explainer(layer: layer, input: (x + 1).evaluated(), output: x)
      .explanation(of: .mean, expecting: target)
    #expect(names(found) == [.momentumConvention], "\(found)")
  }
}
