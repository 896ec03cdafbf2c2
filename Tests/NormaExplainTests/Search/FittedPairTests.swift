import NormaTensor
import Testing

@testable import NormaExplain

/// Steps in a half type that overflow, and mistakes combined with fitted numbers.
@Suite struct FittedPairTests {
  /// Layer norm whose squared distances, and their mean, are rounded to `float16`: infinite above
  /// 65,504, which makes the row 0.
  private func overflowing(_ x: Tensor) -> Tensor {
    func half(_ tensor: Tensor) -> Tensor { tensor.cast(to: .float16).cast(to: .float64) }
    let wide = x.cast(to: .float64)
    let centred = wide - wide.mean(over: 1, keepDims: true)
    let variance = half(half(centred.squared()).mean(over: 1, keepDims: true)).evaluated()
    return (centred / (variance + 1e-5).sqrt()).cast(to: x.dtype).evaluated()
  }

  @Test(arguments: [DType.float32, .float16])
  func squaresThatOverflow(type: DType) {
    // Rows of a deviation of 3, and every third one of 300.
    let size = Tensor((0..<9).map { Float($0 % 3 == 0 ? 300 : 3) }, shape: [9, 1])
    let x = withSeed(3) { Tensor.randn(9, 32) * size }.cast(to: type).evaluated()
    let layer = LayerNumbers(name: "LayerNorm(32)", reach: .axes(nil, sizes: [32]), features: 32)
    let found = explain(layer, x, overflowing(x))
    #expect(names(found) == [.rounding], "\(found)")
    #expect(found.causes.first?.yours.contains("float16") == true, "\(found)")
  }

  /// A layer in evaluation, and what it gives with other buffers and another divisor.
  private func evaluated(
    _ x: Tensor, _ mean: [Double], _ variance: [Double], divisor: (Tensor) -> Tensor
  ) -> Tensor {
    let wide = x.cast(to: .float64)
    let divisor = divisor(Tensor(variance, shape: [1, 4, 1]))
    return ((wide - Tensor(mean, shape: [1, 4, 1])) / divisor).cast(to: x.dtype).evaluated()
  }

  private func batch(_ seed: UInt64, scale: Double = 1) -> Tensor {
    withSeed(seed) {
      let channels = Tensor([Float(0.5), 1, 2, 3], shape: [1, 4, 1])
      return ((Tensor.randn(8, 4, 6) * channels + channels * 0.3) * scale).cast(to: .float64)
        .evaluated()
    }
  }

  /// Running statistics as a rule makes them of a history.
  private func buffers(
    _ history: [Tensor], _ momentum: (Int) -> Double
  ) -> (mean: [Double], variance: [Double]) {
    var (mean, variance) = ([Double](repeating: 0, count: 4), [Double](repeating: 1, count: 4))
    for (step, batch) in history.enumerated() {
      let m = momentum(step)
      let means = batch.mean(over: 0, 2).array(of: Double.self)
      let variances = batch.variance(over: 0, 2).array(of: Double.self)
      for c in mean.indices {
        mean[c] = (1 - m) * mean[c] + m * means[c]
        variance[c] = (1 - m) * variance[c] + m * variances[c]
      }
    }
    return (mean, variance)
  }

  @Test func aMomentumBesideARareMistake() {
    let history = (0..<4).map { batch(UInt64($0 + 20)) }
    let (own, other) = (buffers(history) { _ in 0.1 }, buffers(history) { _ in 0.03 })
    let layer = LayerNumbers(
      name: "BatchNorm1d(4)", features: 4, runningMean: own.mean, runningVariance: own.variance,
      batchesTracked: 4, isTraining: false)
    let x = batch(1)
    let y = evaluated(x, other.mean, other.variance) { $0 + 1e-5 }
    #expect(Set(names(explain(layer, x, y, history: history))) == [.momentumConvention, .other])
  }

  @Test func smallVariancesKeepTheirDigitsInTheReplay() {
    let history = (0..<4).map { batch(UInt64($0 + 30), scale: 1e-3) }
    let (own, mean) = (buffers(history) { _ in 0.1 }, buffers(history) { 1 / Double($0 + 1) })
    let layer = LayerNumbers(
      name: "BatchNorm1d(4)", features: 4, runningMean: own.mean, runningVariance: own.variance,
      batchesTracked: 4, isTraining: false)
    let x = batch(2, scale: 1e-3)
    let y = evaluated(x, mean.mean, mean.variance) { $0.sqrt() + 1e-5 }
    let found = explain(layer, x, y, history: history)
    #expect(Set(names(found)) == [.momentumConvention, .epsilonPlacement], "\(found)")
  }

  @Test func anEpsilonThatNoListHoldsBesideOneThatIsNear() {
    // sqrt((sum + 1) / n) adds 1 / 224 to the mean square: near 0.005, and not it.
    let x = withSeed(4) { Tensor.randn(2, 224) * 9 }.evaluated()
    let layer = LayerNumbers(
      name: "RMSNorm(224)", reach: .axes(nil, sizes: [224]), subtractsMean: false, features: 224)
    let wide = x.cast(to: .float64)
    let y = wide / (wide.squared().mean(over: 1, keepDims: true) + 0.005).sqrt()
    let found = explain(layer, x, y.cast(to: .float32).evaluated())
    #expect(names(found) == [.epsilonValue], "\(found)")
  }

  @Test func weightsBeforeANormOfSmallVariance() {
    // A factor cancels in the result, except for epsilon.
    let weight = [0.5, 2, 1.5, 0.8]
    let bias = [0.1, -0.3, 0.2, 0.4]
    let layer = LayerNumbers(name: "BatchNorm1d(4)", features: 4, weight: weight, bias: bias)
    let x = batch(5, scale: 3e-3).cast(to: .float32).evaluated()
    let scaled = x.cast(to: .float64) * Tensor(weight, shape: [1, 4, 1])
    let centred = scaled - scaled.mean(over: 0, 2, keepDims: true)
    let variance = centred.squared().mean(over: 0, 2, keepDims: true)
    let y = (centred / (variance + 1e-5).sqrt()).cast(to: .float32).evaluated()
    #expect(names(explain(layer, x, y)) == [.orderOfOperations])
  }
}
