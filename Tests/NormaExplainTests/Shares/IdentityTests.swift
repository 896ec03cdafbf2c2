import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// The question of the thread: a layer should leave normalized data unchanged.
@Suite struct IdentityTests {
  private func standardized(
    _ x: Tensor, over axes: [Int], correction: Double, eps: Double = 1e-5
  ) -> Tensor {
    let mean = x.mean(over: axes, keepDims: true).evaluated()
    let std = x.std(over: axes, correction: correction, keepDims: true).evaluated()
    return ((x - mean) / (std + eps)).evaluated()
  }

  private func explain(_ y: Tensor, from x: Tensor?) -> Explanation {
    let explanation = BatchNorm2d(5).explain(y, expecting: y, from: x)
    let sum = explanation.causes.reduce(explanation.unexplained) { $0 + $1.share }
    #expect(abs(sum - 1) < 1e-12)
    return explanation
  }

  @Test func perPixelItIsTheCorrectionAndNotTheAxes() {
    let x = batch()
    let explanation = explain(standardized(x, over: [0], correction: 1), from: x)
    #expect(explanation.causes.map(\.name) == [.correction, .epsilonValue])
    #expect(explanation.causes[0].share > 0.99)
    // sqrt(6 / 5) - 1 of the largest value.
    let gap = explanation.gap?.maximum ?? 0
    #expect(abs(explanation.causes[0].gapAlone - gap) < 1e-3 * gap)
    #expect(explanation.notes.contains { $0.contains("other axes") })
  }

  @Test func perChannelEpsilonIsThereTwice() {
    let x = batch()
    let divided = explain(standardized(x, over: [0, 2, 3], correction: 0), from: x)
    #expect(divided.causes.map(\.name) == [.epsilonValue])
    let unbiased = explain(standardized(x, over: [0, 2, 3], correction: 1), from: x)
    #expect(Set(unbiased.causes.map(\.name)) == [.epsilonValue, .correction])
  }

  @Test func deviationOfDeviations() {
    let x = batch()
    var (mean, std) = (x, x)
    for axis in [3, 2, 0] {
      mean = mean.mean(over: axis, keepDims: true).evaluated()
      std = std.std(over: axis, keepDims: true).evaluated()
    }
    let y = ((x - mean) / (std + 1e-5)).evaluated()
    let explanation = explain(y, from: x)
    #expect(explanation.causes.first?.name == .perAxisComposition)
    #expect(explanation.causes.contains { $0.name == .correction })
  }

  @Test func withoutTheOriginCausesAreMerged() {
    let y = standardized(batch(), over: [0], correction: 1)
    let explanation = explain(y, from: nil)
    #expect(explanation.causes.first?.name == .correction)
    #expect(explanation.causes.first?.alternatives.isEmpty == false)
    #expect(explanation.notes.contains { $0.contains("from:") })
  }

  @Test func theUnitOfTheDataHasNoInfluence() {
    // y hardly depends on the unit of x, and neither do the shares, as long as epsilon is small.
    let one = explain(standardized(batch(), over: [0], correction: 1, eps: 0), from: batch())
    let thousand = batch(scale: 1024)
    let other = explain(standardized(thousand, over: [0], correction: 1, eps: 0), from: thousand)
    #expect(one.causes.map(\.name) == other.causes.map(\.name))
    for (a, b) in zip(one.causes, other.causes) { #expect(abs(a.share - b.share) < 1e-6) }
  }

  @Test func explanationsSurviveJSON() throws {
    let x = batch()
    let explanation = explain(standardized(x, over: [0], correction: 1), from: x)
    let data = try JSONEncoder().encode(explanation)
    #expect(try JSONDecoder().decode(Explanation.self, from: data) == explanation)
    #expect(String(decoding: data, as: UTF8.self).contains("\"epsilon-value\""))
  }

  @Test func textFitsItsWidth() {
    let x = batch()
    let explanation = explain(standardized(x, over: [0], correction: 1), from: x)
    for width in [60, 80, 120] {
      let text = explanation.text(style: TextStyle(width: width))
      let longest = text.split(separator: "\n").map(\.count).max() ?? 0
      #expect(longest <= max(width, 72), "\(longest) columns of \(width)")
    }
    #expect(explanation.description.contains("Divide the variance by n"))
    #expect(!explanation.description.contains("\u{1B}"))
    #expect(explanation.text(style: TextStyle(isColoured: true)).contains("\u{1B}"))
  }

  @Test func numbersReadWell() {
    #expect(grouped(301_056) == "301,056")
    #expect(grouped(-12) == "-12")
    #expect(text(1e-5) == "1e-05")
    #expect(text(0.1, digits: 3) == "0.1")
    #expect(roundedTo(digits: 2, 0.000123) == 0.00012)
    #expect(percent(0.99961) == " 99.96 %")
    #expect(percent(-0.0494) == " -4.94 %")
  }
}
