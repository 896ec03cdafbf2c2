import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// A batch of six images with five channels whose means and deviations all differ.
func batch(scale: Double = 1, seed: Int = 1) -> Tensor {
  var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
  let values = (0..<6 * 5 * 8 * 7).map { (index: Int) -> Float in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let channel = Double(index / 56 % 5)
    let noise = Double(state >> 11) / 9_007_199_254_740_992 - 0.5
    return Float(scale * (noise * (1 + channel * 0.7) + channel - 1.5))
  }
  return Tensor(values, shape: [6, 5, 8, 7])
}

/// A layer whose weights and running statistics are not the initial ones.
func layer(isTraining: Bool = true, eps: Double = 1e-5) -> BatchNorm2d {
  let bn = BatchNorm2d(5, eps: eps)
  bn.weight?.value = Tensor([0.7, 1.3, 0.9, 1.6, 1.1] as [Float])
  bn.bias?.value = Tensor([0.2, -0.4, 0.1, 0.5, -0.3] as [Float])
  bn.runningMean?.value = Tensor([-1, -0.3, 0.8, 1.2, 2] as [Float])
  bn.runningVar?.value = Tensor([0.2, 0.4, 0.9, 0.5, 1.4] as [Float])
  bn.numBatchesTracked?.value = Tensor(57)
  if !isTraining { bn.eval() }
  return bn
}

private func channels(_ tensor: Tensor?) -> Tensor {
  (tensor ?? Tensor([Float](repeating: 0, count: 5))).reshaped(1, 5, 1, 1)
}

/// What a user computes: the layer's formula with some parts exchanged.
func handMade(
  _ x: Tensor, _ bn: BatchNorm2d, over axes: [Int] = [0, 2, 3], correction: Double = 0,
  eps: Double = 1e-5, isOutside: Bool = false, affine: Bool = true, subtracts: Bool = true
) -> Tensor {
  let mean = x.mean(over: axes, keepDims: true).evaluated()
  let variance = x.variance(over: axes, correction: correction, keepDims: true).evaluated()
  let divisor = isOutside ? variance.sqrt() + eps : (variance + eps).sqrt()
  let y = (subtracts ? x - mean : x) / divisor.evaluated()
  return affine
    ? (y * channels(bn.weight?.value) + channels(bn.bias?.value)).evaluated() : y.evaluated()
}

@Suite struct MistakeTests {
  /// The names, and that the shares and the rest add up to 1.
  private func names(_ explanation: Explanation) -> [CauseName] {
    let sum = explanation.causes.reduce(explanation.unexplained) { $0 + $1.share }
    #expect(explanation.gap?.maximum == 0 || abs(sum - 1) < 1e-12, "shares add up to \(sum)")
    return explanation.causes.map(\.name)
  }

  @Test func aCorrectFormulaHasNoCause() {
    let (x, bn) = (batch(), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn))
    #expect(names(explanation).isEmpty)
    #expect(explanation.agrees)
    #expect(explanation.gap?.maximum ?? 1 < 1e-5)
  }

  @Test func theLayersOwnResultHasNoGap() {
    let (x, bn) = (batch(), layer())
    let mean = bn.runningMean?.value.array(of: Float.self)
    let result = batchNorm(
      x, weight: bn.weight?.value, bias: bn.bias?.value, training: true, eps: bn.eps)
    let explanation = bn.explain(x, expecting: result)
    #expect(explanation.gap?.maximum == 0)
    #expect(explanation.unexplained == 0)
    #expect(bn.runningMean?.value.array(of: Float.self) == mean, "explaining changes the layer")
  }

  @Test func correction() {
    let (x, bn) = (batch(), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn, correction: 1))
    #expect(names(explanation) == [.correction])
    #expect(abs(explanation.causes[0].share - 1) < 1e-3)
    #expect(explanation.causes[0].gapWhenFixed < 1e-12)
  }

  @Test(arguments: [0, 2e-5, 1e-3, 1e-12, 3.3e-4])
  func epsilonValue(eps: Double) {
    // Small values, so that epsilon matters.
    let (x, bn) = (batch(scale: 0.02), layer())
    #expect(names(bn.explain(x, expecting: handMade(x, bn, eps: eps))) == [.epsilonValue])
  }

  @Test func epsilonOutside() {
    let (x, bn) = (batch(), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn, isOutside: true))
    #expect(names(explanation) == [.epsilonPlacement])
  }

  @Test(arguments: [[0], [2, 3], [1, 2, 3], [0, 1, 2, 3], [1], [0, 2]])
  func axes(axes: [Int]) {
    let (x, bn) = (batch(), layer())
    #expect(names(bn.explain(x, expecting: handMade(x, bn, over: axes))) == [.axes])
  }

  @Test func severalMistakesAtOnce() {
    let (x, bn) = (batch(scale: 0.05), layer())
    let user = handMade(x, bn, correction: 1, isOutside: true, affine: false)
    let found = names(bn.explain(x, expecting: user))
    #expect(Set(found) == [.affine, .correction, .epsilonPlacement])
    #expect(found.first == .affine)
  }

  @Test func meanNotSubtracted() {
    let (x, bn) = (batch(), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn, subtracts: false))
    #expect(names(explanation) == [.meanNotSubtracted])
  }

  @Test func meanOfDeviations() {
    let (x, bn) = (batch(), layer())
    let mean = x.mean(over: 0, 2, 3, keepDims: true).evaluated()
    let std = x.std(over: 2, 3, correction: 0, keepDims: true).mean(over: 0, keepDims: true)
    let y = (x - mean) / (std.squared() + 1e-5).sqrt().evaluated()
    let user = y * channels(bn.weight?.value) + channels(bn.bias?.value)
    #expect(names(bn.explain(x, expecting: user.evaluated())) == [.perAxisComposition])
  }

  @Test func statisticsOfTheWrongKind() {
    let x = batch()
    let running = batchNorm(
      x, runningMean: layer().runningMean?.value, runningVar: layer().runningVar?.value,
      weight: layer().weight?.value, bias: layer().bias?.value)
    let training = layer().explain(x, expecting: running)
    #expect(names(training) == [.runningVersusBatch])
    let evaluation = layer(isTraining: false).explain(x, expecting: handMade(x, layer()))
    #expect(names(evaluation) == [.runningVersusBatch])
  }

  @Test func aBiasBehindTheLayer() {
    let (x, bn) = (batch(), layer(isTraining: false))
    let shift = channels(Tensor([0.5, -1, 0.3, 2, -0.2] as [Float]))
    let before = (x - shift).evaluated()
    let user =
      batchNorm(
        before, runningMean: bn.runningMean?.value, runningVar: bn.runningVar?.value,
        weight: bn.weight?.value, bias: bn.bias?.value) + shift
    let known = bn.explain(x, expecting: user.evaluated(), from: before)
    #expect(names(known) == [.orderOfOperations])
    // From the layer alone it is some constant per channel, whose cause nothing shows.
    let unknown = bn.explain(x, expecting: user.evaluated())
    #expect(names(unknown) == [.other])
    #expect(unknown.causes.first?.alternatives.contains(.orderOfOperations) == true)
    #expect(!unknown.notes.isEmpty)
  }

  @Test func noiseIsNotExplained() {
    let (x, bn) = (batch(), layer())
    let explanation = bn.explain(x, expecting: batch(seed: 2))
    #expect(names(explanation).isEmpty)
    #expect(explanation.unexplained == 1)
    #expect(!explanation.agrees)
  }

  @Test func runningStatistics() {
    let (x, bn) = (batch(), layer())
    let mean = x.mean(over: 0, 2, 3)
    let old = bn.runningMean?.value ?? mean
    let right = (old * 0.9 + mean * 0.1).evaluated()
    let swapped = (old * 0.1 + mean * 0.9).evaluated()
    #expect(names(bn.explain(x, expectingRunningMean: swapped)) == [.momentumConvention])
    #expect(names(bn.explain(x, expectingRunningMean: right)).isEmpty)
    let variance = x.variance(over: 0, 2, 3, correction: 0)
    let biased = ((bn.runningVar?.value ?? variance) * 0.9 + variance * 0.1).evaluated()
    #expect(
      names(bn.explain(x, expectingRunningVariance: biased)) == [.runningVarianceCorrection])
  }
}
