import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Norms with additional steps are explained by the norm that they are based on, and by these
/// steps.
@Suite struct NormKindTests {
  private let x = withSeed(7) {
    Tensor.randn(8, 4, 5, 5) * Tensor([0.5, 1, 2, 3] as [Float]).reshaped(4, 1, 1)
      + Tensor.randn(8, 4, 1, 1)
  }.evaluated()

  private func names(_ explanation: Explanation) -> [CauseName] {
    #expect(abs(explanation.unexplained) < 0.01, "\(explanation)")
    return explanation.causes.map(\.name)
  }

  private func plain(_ x: Tensor, over axes: [Int], correction: Double = 0) -> Tensor {
    let mean = x.mean(over: axes, keepDims: true)
    let variance = x.variance(over: axes, correction: correction, keepDims: true)
    return ((x - mean) / (variance + 1e-5).sqrt()).evaluated()
  }

  /// The same by parts of the batch.
  private func byParts(_ x: Tensor, of sizes: [Int], correction: Double = 0) -> Tensor {
    var (parts, start) = ([Tensor](), 0)
    for size in sizes {
      parts.append(plain(x[start..<start + size], over: [0, 2, 3], correction: correction))
      start += size
    }
    return .concatenated(parts).evaluated()
  }

  @Test func ghost() {
    for (size, parts) in [(4, [4, 4]), (3, [3, 3, 2])] {
      let layer = GhostBatchNorm(4, partSize: size)
      let before = layer.stateDict().mapValues { $0.array(of: Double.self) }
      let right = layer.explain(x, expecting: byParts(x, of: parts))
      #expect(
        right.agrees
          && right.notes.contains {
            $0.contains("parts of \(size)") || $0.contains("part of \(size)")
          })
      #expect(names(layer.explain(x, expecting: plain(x, over: [0, 2, 3]))) == [.axes])
      #expect(
        names(layer.explain(x, expecting: byParts(x, of: parts, correction: 1))) == [.correction])
      #expect(layer.stateDict().allSatisfy { before[$0] == $1.array(of: Double.self) })
      layer.eval()
      #expect(layer.explain(x, expecting: layer(x)).agrees)
    }
  }

  @Test func split() {
    let layer = SplitBatchNorm2d(4)
    layer.auxBn[0].weight?.value = Tensor([2, 3, 4, 5] as [Float])
    let weight = Tensor.concatenated([
      Tensor.ones(4, 4, 1, 1),
      Tensor([2, 3, 4, 5] as [Float]).reshaped(1, 4, 1, 1).broadcast(to: [4, 4, 1, 1]),
    ])
    #expect(layer.explain(x, expecting: (byParts(x, of: [4, 4]) * weight).evaluated()).agrees)
    #expect(names(layer.explain(x, expecting: byParts(x, of: [4, 4]))) == [.affine])
  }

  @Test func renormalization() {
    let layer = BatchRenorm(4)
    layer.runningMean?.value = Tensor([0.2, -0.1, 0.3, 0] as [Float])
    layer.runningVar?.value = Tensor([0.5, 1.5, 6, 8] as [Float])
    layer.weight?.value = Tensor([1.5, 0.5, 2, 1] as [Float])
    layer.bias?.value = Tensor([0.3, 0, -1, 1] as [Float])
    let y = withoutUpdates { layer(x) }
    let right = layer.explain(x, expecting: y)
    #expect(right.agrees && right.notes.contains { $0.hasPrefix("Renormalization") }, "\(right)")
    let batch = BatchNorm2d(4)
    batch.weight?.value = layer.weight?.value ?? x
    batch.bias?.value = layer.bias?.value ?? x
    let found = layer.explain(x, expecting: batch(x).evaluated())
    #expect(names(found) == [.affine] && found.causes[0].yours.contains("without r and d"))
    #expect(layer.numBatchesTracked?.value.item() == 0)
  }

  @Test func conditions() {
    let conditional = withSeed(3) { ConditionalBatchNorm2d(4, classes: 3) }
    conditional.embed.weight.value = withSeed(4) { .randn(3, 8) }
    let classes = Tensor([0, 2, 1, 1, 0, 2, 2, 0] as [Int64])
    let y = withoutUpdates { conditional(x, classes) }
    let right = conditional.explain(x, classes, expecting: y)
    #expect(right.agrees && right.notes.contains { $0.contains("of the classes") }, "\(right)")
    let unbiased = (y / plain(x, over: [0, 2, 3])).evaluated()
    #expect(unbiased.count == x.count)
    #expect(
      names(conditional.explain(x, classes, expecting: plain(x, over: [0, 2, 3]))) == [.affine])
    let adaptive = withSeed(5) { AdaptiveLayerNorm(5, conditions: 6) }
    let condition = withSeed(6) { Tensor.randn(8, 6) }
    let z = withoutUpdates { adaptive(x, condition) }
    #expect(adaptive.explain(x, condition, expecting: z).agrees)
    #expect(names(adaptive.explain(x, condition, expecting: plain(x, over: [3]))) == [.affine])
    let style = withSeed(8) { Tensor.randn(8, 4, 6, 3) * 2 + 1 }
    let styled = adaptiveInstanceNorm(x, style: style).evaluated()
    #expect(explainAdaptiveInstanceNorm(x, style: style, expecting: styled).agrees)
    let missing = explainAdaptiveInstanceNorm(x, style: style, expecting: plain(x, over: [2, 3]))
    #expect(names(missing) == [.affine])
    #expect(missing.causes[0].layers.contains("deviation and mean of the style"))
  }

  @Test func othersOfTheFamily() {
    let norm = BatchNorm2d(4)
    norm.runningMean?.value = Tensor([0.2, -0.1, 0.3, 0] as [Float])
    norm.runningVar?.value = Tensor([0.5, 1.5, 6, 8] as [Float])
    let frozen = FrozenBatchNorm2d(norm)
    #expect(frozen.explain(x, expecting: frozen(x)).agrees)
    #expect(
      names(frozen.explain(x, expecting: plain(x, over: [0, 2, 3]))) == [.runningVersusBatch])
    let layer = LayerNorm2d(4, eps: 1e-5)
    let found = layer.explain(x, expecting: plain(x, over: [1], correction: 1))
    #expect(names(found) == [.correction] && found.layer == "LayerNorm2d(4)")
    #expect(names(layer.explain(x, expecting: plain(x, over: [2, 3]))) == [.axes])
    let rms = RMSNorm2d(4, eps: 1e-5)
    #expect(rms.explain(x, expecting: rms(x)).agrees)
    #expect(names(rms.explain(x, expecting: plain(x, over: [1]))) == [.meanNotSubtracted])
  }

  /// A running variance over n, as Keras has it, is right where the layer says so.
  @Test func runningVarianceOverN() {
    let keras = BatchNorm2d(4, convention: .keras)
    let biased = x.variance(over: [0, 2, 3], correction: 0) * 0.01 + 0.99
    let unbiased = x.variance(over: [0, 2, 3], correction: 1) * 0.01 + 0.99
    #expect(keras.explain(x, expectingRunningVariance: biased).agrees)
    let found = keras.explain(x, expectingRunningVariance: unbiased)
    #expect(names(found) == [.runningVarianceCorrection])
    #expect(found.causes[0].layers == "variance over n")
    let batches = (0..<6).map { seed in withSeed(UInt64(seed)) { Tensor.randn(4, 4, 2, 2) } }
    for batch in batches { _ = keras(batch) }
    keras.eval()
    #expect(keras.explain(x, expecting: keras(x), history: batches).agrees)
    let pytorch = BatchNorm2d(4, eps: 1e-3, momentum: 0.01)
    for batch in batches { _ = pytorch(batch) }
    pytorch.eval()
    #expect(
      names(keras.explain(x, expecting: pytorch(x), history: batches))
        == [.runningVarianceCorrection])
  }

  /// Parts of a batch that a user names, of unequal sizes.
  @Test func partsThatAreKnown() {
    let layer = LayerNumbers(name: "BatchNorm2d(4)", features: 4)
    func explained(_ y: Tensor) -> Explanation {
      Explainer(
        layer: layer, input: x, output: layer.output(for: x), expected: y, blocks: [5, 1, 2]
      ).explanation()
    }
    #expect(explained(plain(x, over: [0, 2, 3])).agrees)
    #expect(names(explained(byParts(x, of: [5, 1, 2]))) == [.axes])
    let parts = [x[0..<5], x[5..<6], x[6..<8]]
    let variance = parts.map { $0.variance(over: 0, 2, 3, correction: 0, keepDims: true) }
      .reduce(Tensor.zeros([])) { $0 + $1 / 3 }
    let y = (x - x.mean(over: 0, 2, 3, keepDims: true)) / (variance + 1e-5).sqrt()
    #expect(names(explained(y.evaluated())) == [.perAxisComposition])
  }
}
