import Foundation
import NormaNN
import NormaTensor
import Testing

/// Accuracy and what follows from a confusion matrix; numbers by hand.
@Suite struct ClassMetricsTests {
  static let scores = Tensor(
    [[0.1, 0.7, 0.2], [0.5, 0.5, 0], [0.2, 0.3, 0.5], [0.9, 0, 0.1], [0.1, 0.2, 0.7]] as [[Float]])
  static let classes = Tensor([1, 1, 0, 0, 2] as [Int64])

  @Test func accuracyOfTheBest() throws {
    var one = Accuracy()
    #expect(one.value.isNaN && one.count == 0)
    one.update(Self.scores, Self.classes)
    // The first of equal scores is the prediction.
    #expect(one.value == 0.6 && one.correct == 3 && one.count == 5)
    var two = Accuracy(topK: 2)
    two.update(Self.scores, Self.classes)
    #expect(two.value == 0.8)
    var many = Accuracy(topK: 9)
    many.update(Self.scores[0], Self.classes[0])
    #expect(many.value == 1)
    var some = Accuracy(ignoreIndex: -1)
    some.update(Self.scores, Tensor([1, -1, -1, 2, 2] as [Int64]))
    #expect(some.correct == 2 && some.count == 3)
    // [N, C, d]: every position is a sample.
    var places = Accuracy()
    places.update(Self.scores.transposed().unsqueezed(0), Self.classes.unsqueezed(0))
    #expect(places == one)
    // NaN is the highest score; infinite scores are scores.
    var odd = Accuracy()
    odd.update(
      Tensor([[.nan, 1, 2], [.infinity, 1, .nan], [-.infinity, -.infinity, -1]] as [[Float]]),
      Tensor([0, 0, 2] as [Int64]))
    #expect(odd.correct == 2 && odd.count == 3)
    odd.update(.zeros(0, 3), Tensor.zeros([0], dtype: .int64))
    #expect(odd.count == 3)
  }

  /// Batches, merging and saving give what all samples together give.
  @Test func partsMerge() throws {
    var (whole, first, second) = (Accuracy(), Accuracy(), Accuracy())
    var (all, some, others) = (
      ConfusionMatrix(classes: 3), ConfusionMatrix(classes: 3), ConfusionMatrix(classes: 3)
    )
    whole.update(Self.scores, Self.classes)
    all.update(Self.scores, Self.classes)
    first.update(Self.scores[0..<2], Self.classes[0..<2])
    some.update(Self.scores[0..<2], Self.classes[0..<2])
    second.update(Self.scores[2..<5], Self.classes[2..<5])
    others.update(Self.scores[2..<5], Self.classes[2..<5])
    let saved = try JSONDecoder().decode(Accuracy.self, from: JSONEncoder().encode(first))
    #expect(saved.merged(with: second) == whole)
    #expect(some.merged(with: others) == all)
    #expect(all.counts == [[1, 0, 1], [1, 1, 0], [0, 0, 1]])
    #expect(all.accuracy == 0.6 && all.support == [2, 2, 1] && all.predictions == [2, 1, 2])
  }

  @Test func precisionRecallAndF1() {
    var confusion = ConfusionMatrix(classes: 4)
    // Class 2 is never predicted, class 3 neither occurs nor is predicted.
    confusion.update(
      Tensor([0, 0, 1, 1, 0, 1] as [Int32]), Tensor([0, 0, 1, 0, 2, 2] as [Int64]))
    let third = Double(1) / 3
    let twoThirds = Double(2) / 3
    func isClose(_ a: Double, _ b: Double) -> Bool { (a - b).magnitude < 1e-15 }
    #expect(confusion.precisions() == [twoThirds, third, 0, 0])
    #expect(confusion.recalls() == [twoThirds, 1, 0, 0])
    #expect(confusion.f1s() == [twoThirds, 0.5, 0, 0])
    #expect(confusion.precision(.of(class: 1)) == third && confusion.recall(.of(class: 1)) == 1)
    #expect(confusion.f1(.micro) == 0.5 && confusion.precision(.micro) == 0.5)
    // sklearn.metrics: macro over the three classes that occur.
    #expect(isClose(confusion.precision(.macro), third))
    #expect(isClose(confusion.recall(.macro), 0.5555555555555556))
    #expect(isClose(confusion.f1(.macro), 0.3888888888888889))
    #expect(isClose(confusion.f1(.weighted), 0.4166666666666667))
    // Undefined ones can be left out.
    #expect(confusion.precisions(undefined: .nan)[2].isNaN)
    #expect(confusion.f1s(undefined: .nan)[2] == 0)
    #expect(isClose(confusion.precision(.macro, undefined: .nan), 0.5))
    #expect(isClose(confusion.precision(.weighted, undefined: .nan), 0.5833333333333334))
    let nothing = ConfusionMatrix(classes: 2)
    #expect(nothing.f1(.macro) == 0 && nothing.f1(.macro, undefined: .nan).isNaN)
    #expect(nothing.precision(.micro) == 0 && nothing.accuracy.isNaN)
    // Two classes, by a threshold.
    var binary = ConfusionMatrix(classes: 2)
    binary.update(
      Tensor([0.9, 0.4, 0.6, 0.2] as [Float]) .> 0.5, Tensor([true, true, false, false]))
    #expect(binary.counts == [[1, 1], [1, 1]] && binary.f1(.of(class: 1)) == 0.5)
  }

  @Test func mistakesAreRefused() {
    let mistakes: [(String, () -> Void)] = [
      ("topK must be at least 1", { _ = Accuracy(topK: 0) }),
      (
        "not among the 3 classes",
        {
          var metric = Accuracy()
          metric.update(Self.scores, Tensor([1, 1, 3, 0, 2] as [Int64]))
        }
      ),
      (
        "integer targets without C",
        {
          var metric = Accuracy()
          metric.update(Self.scores, Self.scores)
        }
      ),
      ("classes must be in", { _ = ConfusionMatrix(classes: 0) }),
      (
        "class 2 instead of 1",
        {
          var metric = ConfusionMatrix(classes: 2)
          metric.update(Tensor([2] as [Int64]), Tensor([1] as [Int64]))
        }
      ),
      (
        "not those of 2 classes",
        {
          var metric = ConfusionMatrix(classes: 2)
          metric.update(Self.scores, Self.classes)
        }
      ),
      (
        "3 classes do not fit 2",
        {
          var metric = ConfusionMatrix(classes: 2)
          metric.merge(ConfusionMatrix(classes: 3))
        }
      ),
    ]
    for (text, body) in mistakes {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors(body) }
      #expect(error?.description.contains(text) == true, "\(error as Any)")
    }
    // A mistake changes nothing, not even the part before it.
    var metric = ConfusionMatrix(classes: 2)
    try? catchingTensorErrors {
      metric.update(Tensor([0, 2] as [Int64]), Tensor([0, 0] as [Int64]))
    }
    #expect(metric.count == 0)
  }
}
