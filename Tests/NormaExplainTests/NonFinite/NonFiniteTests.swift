import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// NaN and infinity are located before anything else is said.
@Suite struct NonFiniteTests {
  private func withValue(_ value: Float, at offset: Int) -> Tensor {
    var values = batch().array(of: Float.self)
    values[offset] = value
    return Tensor(values, shape: [6, 5, 8, 7])
  }

  @Test func aValueOfTheInput() throws {
    // Offset 56 * 7 + 9 is sample 1, channel 2, row 1, column 2.
    let (x, bn) = (withValue(.nan, at: 56 * 7 + 9), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn, correction: 1))
    let first = try #require(explanation.nonFinite.first)
    #expect(first.tensor == "input" && first.index == [1, 2, 1, 2] && first.channel == 2)
    #expect(first.nanCount == 1 && first.infiniteCount == 0 && first.channels == [2])
    // The other channels are explained as usual.
    #expect(explanation.causes.map(\.name) == [.correction])
    #expect(explanation.gap?.maximum.isFinite == true && !explanation.agrees)
    let text = explanation.description.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.contains("The input has 1 NaN value, at [1, 2, 1, 2], channel 2"))
    #expect(!text.contains("now nan") && text.contains("4 of 5"), "\(text)")
  }

  @Test func whatFollowsFromTheInputIsNoNews() {
    let (x, bn) = (withValue(.infinity, at: 0), layer())
    // Another layer makes the expected result: a call takes the infinity into the running
    // statistics.
    let explanation = bn.explain(x, expecting: layer()(x).evaluated())
    #expect(explanation.nonFinite.map(\.tensor) == ["input", "expected"])
    #expect(explanation.nonFinite.last?.reason?.contains("follows") == true)
    #expect(!explanation.nonFinite.contains { $0.tensor == "output" })
    #expect(explanation.causes.isEmpty && explanation.unexplainedIsRounding)
  }

  /// A result beyond 65,504 is infinite in float16, and finite in the layer's own type.
  @Test func halfTypesOverflow() throws {
    let (x, bn) = (batch(), BatchNorm2d(5))
    bn.weight?.value = Tensor([1, 1, 1, 60000, 1] as [Float])
    let explanation = bn.explain(x, expecting: bn(x).cast(to: .float16).evaluated())
    let found = try #require(explanation.nonFinite.first)
    #expect(found.tensor == "expected" && found.channels == [3] && found.infiniteCount > 0)
    #expect(found.overflow == "float16")
    let value = try #require(found.valueBefore)
    #expect(abs(value) > 65504 && abs(value) < 60000 * 6)
    #expect(found.description.contains("65,504"))
  }

  @Test func theLayersOwnResultOverflows() throws {
    let (x, bn) = (batch().cast(to: .float16).evaluated(), BatchNorm2d(5))
    bn.weight?.value = Tensor([1, 60000, 1, 1, 1] as [Float])
    let expected = bn(x.cast(to: .float32)).evaluated()
    let found = try #require(bn.explain(x, expecting: expected).nonFinite.first)
    #expect(found.tensor == "output" && found.channels == [1] && found.overflow == "float16")
  }

  @Test func squaresBeyondFloat16() throws {
    let x = (batch() * 200).evaluated()
    var values = BatchNorm2d(5)(x).array(of: Float.self)
    for i in values.indices where i / 56 % 5 == 4 { values[i] = .nan }
    let explanation = BatchNorm2d(5).explain(x, expecting: Tensor(values, shape: x.shape))
    let found = try #require(explanation.nonFinite.first)
    #expect(found.channels == [4] && found.nanCount == 336 && found.overflow == "float16")
    #expect(found.reason?.contains("square") == true)
  }

  @Test func constantsWithoutEpsilon() throws {
    var values = batch().array(of: Float.self)
    for i in values.indices where i / 56 % 5 == 2 { values[i] = 3 }
    let x = Tensor(values, shape: [6, 5, 8, 7])
    let mean = x.mean(over: 0, 2, 3, keepDims: true)
    let std = x.std(over: 0, 2, 3, correction: 0, keepDims: true)
    let explanation = BatchNorm2d(5).explain(x, expecting: ((x - mean) / std).evaluated())
    let found = try #require(explanation.nonFinite.first)
    #expect(found.reason?.contains("constant") == true && found.channels == [2])
  }

  @Test func buffers() throws {
    let (x, bn) = ((batch() * 400).evaluated(), BatchNorm2d(5))
    bn.eval()
    bn.runningVar?.value = Tensor([1, 1, .infinity, 1, 1] as [Float])
    let expected = handMade(x, BatchNorm2d(5))
    let found = try #require(bn.explain(x, expecting: expected).nonFinite.first)
    #expect(found.tensor == "running_var" && found.index == [2] && found.overflow == "float16")
    bn.runningVar?.value = Tensor([1, 1, -1, 1, 1] as [Float])
    let negative = try #require(bn.explain(x, expecting: expected).nonFinite.first)
    #expect(negative.tensor == "output" && negative.reason?.contains("no square root") == true)
  }

  @Test func withoutAnExpectedResult() {
    let explanation = layer().explain(withValue(.nan, at: 3))
    #expect(explanation.gap == nil && explanation.nonFinite.count == 1)
    #expect(explanation.description.contains("1 NaN value, at [0, 0, 0, 3]"))
  }

  @Test func samplesOfLayersThatTakeThemAlone() throws {
    let x = withValue(.nan, at: 280 * 2)
    let norm = GroupNorm(5, 5)
    let clean = GroupNorm(5, 5, eps: 1e-3)(batch()).evaluated()
    let explanation = norm.explain(x, expecting: clean)
    #expect(explanation.nonFinite.first?.index == [2, 0, 0, 0])
    #expect(explanation.causes.map(\.name) == [.epsilonValue], "\(explanation)")
  }

  @Test func runningStatistics() throws {
    let bn = BatchNorm2d(5)
    let expected = Tensor([0, .nan, 0, 0, 0] as [Float])
    let found = bn.explain(batch(), expectingRunningMean: expected)
    #expect(found.nonFinite.map(\.tensor) == ["expected"] && found.nonFinite.first?.channel == 1)
    #expect(found.gap?.maximum.isFinite == true && !found.agrees)
  }

  @Test func comparedLayers() throws {
    let (a, b) = (BatchNorm2d(5), BatchNorm2d(5))
    b.eval()
    b.runningVar?.value = Tensor([1, .infinity, 1, 1, 1] as [Float])
    let found = compareLayers(a, b, on: batch())
    #expect(found.nonFinite.map(\.tensor) == ["second layer's running_var"])
    #expect(
      found.description.contains("The second layer's running_var has 1 infinite value, at [1]"))
    let input = compareLayers(a, BatchNorm2d(5), on: withValue(.nan, at: 5))
    #expect(
      input.nonFinite.map(\.tensor) == ["input"] && input.nonFinite.first?.index == [0, 0, 0, 5])
    #expect(compareLayers(a, BatchNorm2d(5), on: batch()).nonFinite.isEmpty)
  }

  @Test func cleanDataHaveNone() {
    let (x, bn) = (batch(), layer())
    #expect(bn.explain(x, expecting: handMade(x, bn)).nonFinite.isEmpty)
    #expect(NonFiniteScan(Tensor([] as [Float]), named: "input", channelAxis: nil) == nil)
  }
}
