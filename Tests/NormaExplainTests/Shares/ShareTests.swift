import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

@testable import NormaExplain

/// Shares of causes: what a repair leaves counts, and not how far it goes.
@Suite struct ShareTests {
  /// The shares of causes whose effects add up: `left[S]` is what those outside of S make.
  private func shares(ofAdded effects: [[Double]]) -> [Double] {
    let left = (0..<(1 << effects.count)).map { set in
      let open = effects.indices.filter { set & (1 << $0) == 0 }.map { effects[$0] }
      return (effects.first ?? []).indices.reduce(0.0) { most, i in
        max(most, abs(open.reduce(0) { $0 + $1[i] }))
      }
    }
    return GapShares(left: left, gap: left[0], rest: 0).shares
  }

  @Test func aRepairThatOvershootsIsWorthWhatItLeaves() {
    // The first repair leaves 1.533 of 1.551, behind the goal; the second 0.33.
    let split = GapShares(left: [1.551, 1.533, 0.33, 0], gap: 1.551, rest: 0)
    #expect(abs(split.shares[0] - 0.1122) < 1e-3 && abs(split.shares[1] - 0.8878) < 1e-3)
    #expect(split.unexplained == 0)
  }

  @Test func causesThatCancelShareTheGap() {
    for size in [1.95, 65.87, 1e6] {
      let shares = shares(ofAdded: [[size, 0.3], [1 - size, 0.1]])
      #expect(shares.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(shares)")
    }
  }

  @Test func addedEffectsOfTwoLieBetweenZeroAndOne() {
    var random = TestRandom()
    for _ in 0..<200 {
      let scale = Double(random.doubles(1)[0]) * 100
      let effects = [random.doubles(9), random.doubles(9).map { $0 * scale }]
      let shares = shares(ofAdded: effects)
      #expect(shares.allSatisfy { $0 >= -1e-12 && $0 <= 1 + 1e-12 }, "\(shares)")
      #expect(abs(shares[0] + shares[1] - 1) < 1e-12)
    }
  }

  @Test func aRepairThatLeavesMoreThanTheGapMayBeNegative() {
    let split = GapShares(left: [1, 0.2, 1.5, 0], gap: 1, rest: 0)
    #expect(abs(split.shares[0] - 1.15) < 1e-12 && abs(split.shares[1] + 0.15) < 1e-12)
  }

  @Test func whatIsUnexplainedIsMeasuredApart() {
    let split = GapShares(left: [2, 0.5, 1.5, 0], gap: 2.1, rest: 0.5)
    #expect(abs(split.unexplained - 0.2) < 1e-12)
    #expect(abs(split.shares.reduce(split.unexplained, +) - 1) < 1e-12)
    // Causes that make nothing, or a thousand times the gap, explain nothing.
    for (left, rest) in [([0.0, 0], 1.0), ([1000.0, 0], 1000.0)] {
      let split = GapShares(left: left, gap: 1, rest: rest)
      #expect(split.unexplained > 0.99 && split.shares.allSatisfy { $0 < 0.01 })
    }
    #expect(GapShares(left: [0], gap: 0, rest: 0).unexplained == 0)
    #expect(GapShares(left: [0], gap: 1, rest: 1).unexplained == 1)
    let broken = GapShares(left: [1, .nan, .infinity, 0], gap: 1, rest: 0)
    #expect(broken.shares == [0.5, 0.5])
  }

  /// A weight that is forgotten and an epsilon that shrinks what it would have stretched: the
  /// projection on the gap gave one far more than all and the other the opposite.
  @Test func oppositeMistakesOfALayer() {
    let subject = Subject.layer
    let x = subject.input(scale: 0.1)
    let layer = LayerNumbers(
      name: "layer", reach: .axes(nil, sizes: [24]), subtractsMean: true, features: 24,
      weight: [Double](repeating: 0.75, count: 24), bias: nil)
    let right = HandMade(axes: [2], weight: Tensor([Float](repeating: 0.75, count: 24)))
    var mine = right
    mine.weight = nil
    mine.eps = 0.0625
    let found = Explainer(
      layer: layer, input: x, output: layer.output(for: x), expected: mine(x)
    ).explanation()
    #expect(Set(found.causes.map(\.name)) == [.affine, .epsilonValue], "\(found)")
    #expect(found.causes.allSatisfy { $0.share > -0.01 && $0.share < 1.01 }, "\(found)")
    let sum = found.causes.reduce(found.unexplained) { $0 + $1.share }
    #expect(abs(sum - 1) < 1e-12)
  }

  @Test func runningVariance() {
    // Half the step with the wrong weight, and a divisor that goes the other way.
    let x = Subject.image.input()
    let layer = LayerNumbers(
      name: "layer", reach: .batch, subtractsMean: true, features: 6, momentum: 0.3,
      runningMean: [Double](repeating: 0, count: 6),
      runningVariance: [0.5, 0.7, 0.9, 1.1, 1.3, 1.5])
    let account = RunningAccount(
      layer: layer, input: x, statistic: .variance, target: [], rounding: 0x1p-24)
    var recipe = account.right
    recipe.weight = .exchanged
    recipe.correction = .none
    let found = Explainer(layer: layer, input: x, output: x)
      .explanation(of: .variance, expecting: account.value(recipe))
    #expect(found.causes.map(\.name) == [.momentumConvention, .runningVarianceCorrection])
    for cause in found.causes where cause.share < -1e-6 || cause.share > 1 + 1e-6 {
      #expect(found.causes.contains { $0.gapWhenFixed > found.gap?.maximum ?? 0 })
    }
    #expect(abs(found.causes.reduce(found.unexplained) { $0 + $1.share } - 1) < 1e-12)
  }

  /// An epsilon that differs by less than can be seen is no cause beside a real one.
  @Test func whatCannotBeSeenIsNoCause() {
    let evidence = GapShares(left: [1, 1e-7, 1 - 1e-8, 0], gap: 1, rest: 0)
    #expect(evidence.isIdle(1, bound: 2e-7) && !evidence.isIdle(0, bound: 2e-7))
    #expect(!evidence.isIdle(1, bound: 0.5e-7))
  }

  /// A factor of 3.3 that an epsilon makes, and a weight that takes it back: Shapley values of many
  /// hundred percent, which are right and tell a reader nothing.
  @Test func causesThatHideEachOtherStandWithWhatTheyMakeAlone() {
    let x = withSeed(9) { Tensor.randn(6, 24) * 1e-3 }.evaluated()
    let (first, second) = (LayerNorm(24), LayerNorm(24, eps: 1e-12))
    second.weight?.value = Tensor.full([24], 0.3)
    let found = compareLayers(first, second, on: x)
    let result = found.quantities[0]
    #expect(result.causes.contains { $0.share < -1 } && result.causes.contains { $0.share > 2 })
    let text = found.text(style: TextStyle())
    #expect(text.contains("hide parts of each other") && text.contains("all together"), "\(text)")
    let page = found.report().html
    #expect(page.contains("hide parts of each other") && page.contains("eps alone"), "\(page)")
    for share in result.causes.map({ ShareWords.percentage($0.share) }) {
      #expect(!text.contains(share) && !page.contains(share), "\(share)")
    }
    #expect(result.isRounding && abs(result.unexplained) < 1e-6)
  }

  @Test func theSameInDetailsOfAnExplanation() throws {
    let x = withSeed(9) { Tensor.randn(8, 24) * 1e-3 }.evaluated()
    let weight = [Double](repeating: 0.3, count: 24)
    let layer = LayerNumbers(
      name: "LayerNorm(24)", reach: .axes(nil, sizes: [24]), features: 24, weight: weight)
    let wide = x.cast(to: .float64)
    let centred = wide - wide.mean(over: 1, keepDims: true)
    let y = centred / centred.squared().mean(over: 1, keepDims: true).sqrt() * 0.09
    let found = explain(layer, x, y.cast(to: .float32).evaluated())
    #expect(Set(names(found)) == [.affine, .epsilonValue], "\(found)")
    #expect(found.causes.contains { $0.share < -0.5 }, "\(found)")
    let text = found.text(style: TextStyle(), details: true)
    #expect(text.contains("hide parts of each other"), "\(text)")
    let json = try String(decoding: JSONEncoder().encode(found), as: UTF8.self)
    #expect(json.contains("\"share\""))
  }
}
