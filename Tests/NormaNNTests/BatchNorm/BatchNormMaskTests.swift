import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Padded sequences give the same results as their values without padding.
@Suite(.seeded) struct BatchNormMaskTests {
  /// Sequences `[4, 3, 6]` of lengths 6, 2, 5, 1; the padding holds NaN.
  static func padded(
    _ random: inout TestRandom, mean: Double
  ) -> (x: Tensor, mask: Tensor, columns: Tensor) {
    let lengths = [6, 2, 5, 1]
    let values = random.doubles(72, mean: mean, std: 1)
    var (padded, columns): ([Double], [[Double]]) = (values, [])
    for n in 0..<4 {
      for l in 0..<6 {
        if l < lengths[n] { columns.append((0..<3).map { values[(n * 3 + $0) * 6 + l] }) }
        for c in 0..<3 where l >= lengths[n] { padded[(n * 3 + c) * 6 + l] = .nan }
      }
    }
    let mask = lengths.flatMap { length in (0..<6).map { $0 < length } }
    return (
      Tensor(padded, shape: [4, 3, 6], dtype: .float32), Tensor(mask, shape: [4, 1, 6]),
      Tensor(columns.flatMap { $0 }, shape: [14, 3], dtype: .float32)
    )
  }

  /// The selected values, as rows.
  static func kept(_ y: Tensor, _ mask: Tensor) -> [Double] {
    let holds = mask.array(of: Double.self)
    let values = y.permuted(0, 2, 1).array(of: Double.self)
    return holds.indices.flatMap { holds[$0] == 0 ? [] : Array(values[($0 * 3)..<($0 * 3 + 3)]) }
  }

  @Test(arguments: [0.5, 1e7])
  func paddingHasNoInfluence(mean: Double) {
    var random = TestRandom(for: "\(#function) \(mean)")
    let (x, mask, columns) = Self.padded(&random, mean: mean)
    let (bn, twin) = (BatchNorm1d(3), BatchNorm1d(3))
    for layer in [bn, twin] {
      layer.weight?.value = Tensor([1.5, -0.5, 2] as [Float])
      layer.bias?.value = Tensor([0.1, 0.2, -3] as [Float])
    }
    for mode in ["training", "training again", "evaluation"] {
      if mode == "evaluation" {
        bn.eval()
        twin.eval()
      }
      let leaves = [x.requiringGradient(), columns.requiringGradient()]
      let (y, expected) = (bn(leaves[0], mask: mask), twin(leaves[1]))
      let scale = expected.abs().max().item()
      for (a, b) in zip(Self.kept(y, mask), expected.array(of: Double.self)) {
        #expect(abs(a - b) <= 4 * 0x1p-23 * scale, "\(mode)")
      }
      #expect(y.array(of: Float.self).filter { $0 == 0 }.count == 72 - 42)
      let upstream = Tensor(random.doubles(72), shape: [4, 3, 6], dtype: .float32)
      y.backward(upstream: upstream)
      expected.backward(
        upstream: Tensor(Self.kept(upstream, mask), shape: [14, 3], dtype: .float32))
      let (gradient, truth) = (leaves[0].grad ?? x, leaves[1].grad ?? x)
      let gradientScale = max(truth.abs().max().item(), 1)
      for (a, b) in zip(Self.kept(gradient, mask), truth.array(of: Double.self)) {
        #expect(abs(a - b) <= 1e-6 * gradientScale, "\(mode)")
      }
      #expect(gradient.array(of: Float.self).filter { $0 == 0 }.count >= 72 - 42)
      for (a, b) in [(bn.runningMean, twin.runningMean), (bn.runningVar, twin.runningVar)] {
        let (found, truth) = (a?.value ?? x, b?.value ?? columns)
        #expect(found.allClose(to: truth, rtol: 2e-7, atol: 1e-7))
      }
    }
    let (found, truth) = (bn.weight?.grad ?? x, twin.weight?.grad ?? columns)
    #expect(found.allClose(to: truth, rtol: 1e-5, atol: 1e-5))
  }

  @Test func mistakesAndExtremes() {
    let bn = BatchNorm1d(2)
    let x = Tensor.randn(3, 2, 4)
    #expect(
      BatchNormSettingsTests.message { bn(x, mask: .ones(5)) }
        == "BatchNorm1d(_:): the mask has shape [5], which does not stretch to [3, 2, 4]")
    let single = Tensor([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]] as [[Float]]).unsqueezed(1)
    #expect(BatchNormSettingsTests.message { bn(x, mask: single) }.contains("leaves one value"))
    bn.singleValuePolicy = .zero
    #expect(bn(x, mask: single).abs().max().item() == 0)
    #expect(bn.numBatchesTracked?.value.item() == 0)
    // Nothing is selected, so the batch counts as empty.
    #expect(bn(x, mask: .zeros(4)).abs().max().item() == 0)
    #expect(bn.numBatchesTracked?.value.item() == 1)
    #expect(BatchNormSettingsTests.numbers(bn.runningVar) == [1, 1])
  }
}
