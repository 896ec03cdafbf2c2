import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Rare mistakes: numbers that are in no list, wrong counts, intermediate half types.
@Suite struct RareMistakeTests {
  private let channels = 4

  /// A batch of `[8, 4, 6]` whose channels differ.
  private func batch(_ seed: UInt64) -> Tensor {
    withSeed(seed) {
      let scale = Tensor([Float(0.5), 1, 2, 3], shape: [1, 4, 1])
      return (Tensor.randn(8, 4, 6) * scale + scale * 0.3).evaluated()
    }
  }

  /// A trained layer in evaluation with buffers that the history made.
  private func trained(
    _ history: [Tensor], momentum: Double = 0.1
  ) -> (layer: LayerNumbers, mean: [Double], variance: [Double]) {
    var mean = [Double](repeating: 0, count: channels)
    var variance = [Double](repeating: 1, count: channels)
    for batch in history {
      let wide = batch.cast(to: .float64)
      let m = wide.mean(over: 0, 2).array(of: Double.self)
      let v = wide.variance(over: 0, 2).array(of: Double.self)
      for c in mean.indices {
        mean[c] += momentum * (m[c] - mean[c])
        variance[c] += momentum * (v[c] - variance[c])
      }
    }
    let layer = LayerNumbers(
      name: "BatchNorm1d(4)", features: channels, weight: [1.2, 0.7, 1.5, 0.9],
      bias: [0.1, -0.4, 0.3, 0.2], runningMean: mean, runningVariance: variance,
      batchesTracked: history.count, isTraining: false)
    return (layer, mean, variance)
  }

  /// The layer's formula in evaluation with other buffers.
  private func evaluated(
    _ layer: LayerNumbers, _ x: Tensor, _ mean: [Double], _ variance: [Double]
  ) -> Tensor {
    var other = layer
    other.runningMean = mean
    other.runningVariance = variance
    return other.output(for: x)
  }

  @Test(arguments: [0.9, 0.99, 0.37, 0.01, 0.003])
  func anyMomentumIsFoundFromTheHistory(momentum: Double) {
    let history = (0..<5).map { batch(UInt64($0 + 10)) }
    let (layer, _, _) = trained(history)
    let (_, mean, variance) = trained(history, momentum: momentum)
    let x = batch(1)
    let found = explain(layer, x, evaluated(layer, x, mean, variance), history: history)
    #expect(names(found) == [.momentumConvention], "\(found)")
    if momentum != 0.9 {
      #expect(found.causes[0].yours.contains("weighs \(text(momentum))"), "\(found)")
    }
  }

  @Test(arguments: [0.99, 0.037])
  func aMomentumIsFoundBesideADivisorThatFewWrite(momentum: Double) {
    let history = (0..<5).map { batch(UInt64($0 + 10)) }
    let layer = trained(history).layer
    let (_, mean, variance) = trained(history, momentum: momentum)
    let x = batch(1)
    // Divided by the variance, and not by its root.
    func channel(_ values: [Double]) -> Tensor { Tensor(values, shape: [1, 4, 1]) }
    let centred = x.cast(to: .float64) - channel(mean)
    let y =
      centred / (channel(variance) + layer.epsilon) * channel(layer.weight ?? [])
      + channel(layer.bias ?? [])
    let found = explain(layer, x, y.cast(to: .float32), history: history)
    #expect(Set(names(found)) == [.momentumConvention, .other], "\(found)")
  }

  /// Running statistics after an update with a batch whose statistics were those of every sample.
  @Test func anUpdateOverOtherAxes() {
    let x = batch(2)
    var layer = trained([batch(3)]).layer
    layer.isTraining = true
    layer.usesBatch = true
    let wide = x.cast(to: .float64)
    let own = wide.variance(over: 2, correction: 0).mean(over: 0).array(of: Double.self)
    let means = wide.mean(over: 0, 2).array(of: Double.self)
    let (old, kept) = (layer.runningMean ?? [], layer.runningVariance ?? [])
    var evaluation = layer
    evaluation.isTraining = false
    evaluation.usesBatch = false
    let y = evaluated(
      evaluation, x, zip(old, means).map { 0.9 * $0 + 0.1 * $1 },
      zip(kept, own).map { 0.9 * $0 + 0.1 * $1 * 48 / 47 })
    #expect(Set(names(explain(layer, x, y))) == [.runningVersusBatch, .axes])
  }

  @Test(arguments: [0.99, 0.01, 0.4])
  func anyMomentumIsFoundFromOneUpdate(momentum: Double) {
    let x = batch(2)
    var layer = trained([batch(3)]).layer
    layer.isTraining = true
    layer.usesBatch = true
    let own = x.cast(to: .float64).mean(over: 0, 2).array(of: Double.self)
    let old = layer.runningMean ?? []
    let target = zip(old, own).map { $0 + momentum * ($1 - $0) }
    let found = Explainer(layer: layer, input: x, output: x)
      .explanation(of: .mean, expecting: target)
    #expect(names(found) == [.momentumConvention], "\(found)")
  }

  @Test func aFactorOfTheBuffersIsFound() {
    let (layer, mean, variance) = trained([batch(4), batch(5)])
    let x = batch(6)
    let scaled = evaluated(layer, x, mean.map { $0 * 999.98 }, variance.map { $0 * 999.98 })
    #expect(names(explain(layer, x, scaled)) == [.other])
    let initial = evaluated(
      layer, x, [Double](repeating: 0, count: 4), [Double](repeating: 1, count: 4))
    #expect(names(explain(layer, x, initial)) == [.runningVersusBatch])
    let squared = evaluated(layer, x, mean, variance.map { $0 * $0 })
    #expect(names(explain(layer, x, squared)) == [.other])
  }

  /// Layer norm by hand over the last axis of `[7, 24]`, in `float64`.
  private func norm(
    _ x: Tensor, count: Double = 24, gain: Double = 1,
    _ reciprocal: (Tensor) -> Tensor = { $0 }
  ) -> Tensor {
    let wide = x.cast(to: .float64)
    let centred = wide - wide.mean(over: 1, keepDims: true)
    let variance = centred.squared().sum(over: 1, keepDims: true) / count
    return (centred * reciprocal(1 / (variance + 1e-5).sqrt()) * gain).cast(to: x.dtype).evaluated()
  }

  private var rows: (layer: LayerNumbers, input: Tensor) {
    let layer = LayerNumbers(
      name: "LayerNorm(24)", reach: .axes(nil, sizes: [24]), features: 24)
    return (layer, withSeed(7) { Tensor.randn(7, 24) * 2 + 0.5 }.evaluated())
  }

  @Test func theSumOverAnotherCount() {
    let (layer, x) = rows
    #expect(names(explain(layer, x, norm(x, count: 7))) == [.correction])
  }

  @Test func aFactorOfTheRootOfTheCount() {
    let (layer, x) = rows
    for gain in [24.0, 24.0.squareRoot(), 1 / 24.0.squareRoot()] {
      #expect(names(explain(layer, x, norm(x, gain: gain))) == [.other])
    }
  }

  @Test(arguments: [DType.float16, .bfloat16])
  func aReciprocalRootInAHalfType(type: DType) {
    let (layer, x) = rows
    let y = norm(x) { $0.cast(to: type).cast(to: .float64) }
    let found = explain(layer, x, y)
    #expect(names(found) == [.rounding], "\(found)")
    #expect(found.causes.first?.yours.contains("the reciprocal root") == true, "\(found)")
  }

  @Test func weightsWithoutTheirOne() {
    var (layer, x) = rows
    let weight = (0..<24).map { 0.5 + Double($0 * 7 % 11) / 10 }
    layer.weight = weight
    let factors = Tensor(weight.map { Float($0 - 1) }, shape: [24])
    #expect(names(explain(layer, x, norm(x) * factors)) == [.affine])
  }

  @Test func statisticsOfTheFirstHalfOfTheBatch() {
    let x = batch(8)
    let layer = LayerNumbers(name: "BatchNorm1d(4)", features: 4)
    let wide = x.cast(to: .float64)
    let half = sliced(wide, axis: 0, 0..<4)
    let mean = half.mean(over: 0, 2, keepDims: true).evaluated()
    let variance = half.variance(over: 0, 2, correction: 0, keepDims: true).evaluated()
    let y = ((wide - mean) / (variance + 1e-5).sqrt()).cast(to: .float32).evaluated()
    #expect(names(explain(layer, x, y)) == [.axes])
  }

  @Test func theMeanAdded() {
    let (layer, mean, variance) = trained([batch(9), batch(10)])
    let x = batch(11)
    let y = evaluated(layer, x, mean.map { -$0 }, variance)
    #expect(names(explain(layer, x, y)) == [.meanNotSubtracted])
  }
}
