import Foundation
import NormaNN
import NormaTensor
import Testing

/// Rankings and errors of regressions.
@Suite struct ScoreMetricsTests {
  /// By all pairs.
  private func area(_ scores: [Float], _ labels: [Bool]) -> Double {
    var (sum, pairs) = (0.0, 0.0)
    for (a, isA) in zip(scores, labels) where isA {
      for (b, isB) in zip(scores, labels) where !isB {
        sum += a > b ? 1 : a == b ? 0.5 : 0
        pairs += 1
      }
    }
    return sum / pairs
  }

  @Test func areaWithTies() throws {
    try withSeed(2) {
      for levels in [2, 5, 1000] {
        let scores = Tensor.randint([60], low: 0, high: levels, dtype: .float32)
        let labels = Tensor.bernoulli([60], p: 0.3) .> 0.5
        var (whole, first, second) = (BinaryRanking(), BinaryRanking(), BinaryRanking())
        whole.update(scores, labels)
        first.update(scores[0..<20], labels[0..<20])
        second.update(scores[20..<60], labels[20..<60])
        let expected = area(scores.array(), labels.array())
        #expect(abs(whole.areaUnderROC - expected) < 1e-14)
        let saved = try JSONDecoder().decode(BinaryRanking.self, from: JSONEncoder().encode(first))
        let merged = second.merged(with: saved)
        #expect(merged.areaUnderROC == whole.areaUnderROC && merged.count == 60)
        #expect(abs(merged.averagePrecision - whole.averagePrecision) < 1e-15)
      }
    }
  }

  /// The example of sklearn.metrics.average_precision_score, and ties.
  @Test func averagePrecision() {
    func ranking(_ scores: [Float], _ labels: [Int64]) -> BinaryRanking {
      var ranking = BinaryRanking()
      ranking.update(Tensor(scores), Tensor(labels))
      return ranking
    }
    let example = ranking([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    #expect(
      (example.averagePrecision - 0.8333333333333334).magnitude < 1e-15
        && example.areaUnderROC == 0.75)
    let same = ranking([1, 1, 1, 1], [0, 1, 0, 0])
    #expect(same.averagePrecision == 0.25 && same.areaUnderROC == 0.5)
    let perfect = ranking([-.infinity, 0, 1, .infinity], [0, 0, 1, 1])
    #expect(perfect.averagePrecision == 1 && perfect.areaUnderROC == 1)
    let none = ranking([1, 2], [0, 0])
    #expect(none.areaUnderROC.isNaN && none.averagePrecision.isNaN)
    let all = ranking([1, 2], [1, 1])
    #expect(all.areaUnderROC.isNaN && all.averagePrecision == 1)
    #expect(BinaryRanking().areaUnderROC.isNaN)
    for (scores, labels, text) in [
      ([Float.nan], [1], "NaN"), ([1], [2], "neither 0 nor 1"), ([1, 2], [1], "one shape"),
    ] as [([Float], [Int64], String)] {
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { ranking(scores, labels).count }
      }
      #expect(error?.description.contains(text) == true)
    }
  }

  /// Also where the targets are large beside their spread.
  @Test(arguments: [0, 1e8]) func regression(_ offset: Double) throws {
    let x = Tensor([2.5, 0, 2, 8]) + offset
    let y = Tensor([3, -0.5, 2, 7]) + offset
    var (whole, first, second) = (RegressionErrors(), RegressionErrors(), RegressionErrors())
    whole.update(x, y)
    #expect(whole.count == 4 && whole.meanAbsoluteError == 0.5 && whole.meanSquaredError == 0.375)
    #expect(abs(whole.rootMeanSquaredError - 0.375.squareRoot()) < 1e-15)
    // sklearn.metrics.r2_score: 0.948...
    #expect(abs(whole.r2 - 0.9486081370449679) < 1e-9)
    first.update(x[0..<1], y[0..<1])
    second.update(x[1..<4], y[1..<4])
    let saved = try JSONDecoder().decode(RegressionErrors.self, from: JSONEncoder().encode(first))
    let merged = saved.merged(with: second)
    #expect(abs(merged.r2 - whole.r2) < 1e-9 && merged.meanSquaredError == 0.375)
    #expect(RegressionErrors().merged(with: whole) == whole)
  }

  @Test func regressionOfNothingAndOfConstants() {
    var errors = RegressionErrors()
    #expect(errors.meanAbsoluteError.isNaN && errors.rootMeanSquaredError.isNaN && errors.r2.isNaN)
    errors.update(Tensor([1.0, 1]), Tensor([1.0, 1]))
    #expect(errors.r2.isNaN && errors.meanAbsoluteError == 0)
    errors.update(Tensor([2.0]), Tensor([1.0]))
    #expect(errors.r2 == -.infinity)
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { errors.update(.zeros(4, 1), .zeros(4)) }
    }
    #expect(error?.description.contains("broadcast to all pairs") == true && errors.count == 3)
  }

  @Test func stopping() throws {
    let layer = Linear(1, 1, bias: false)
    var stopping = EarlyStopping(patience: 2, minimumDelta: 0.1)
    func report(_ number: Double) -> Bool {
      layer.weight.value = .full([1, 1], number.isFinite ? number : 0)
      return stopping.step(number, layer)
    }
    #expect(!report(.nan) && !report(.infinity) && stopping.shouldStop)
    stopping.state = .init()
    #expect(report(1) && !report(0.95) && report(0.85) && !stopping.shouldStop)
    // A resumed run continues from the saved state.
    let data = try JSONEncoder().encode(stopping.state)
    let best = stopping.bestModel
    stopping = EarlyStopping(patience: 2, minimumDelta: 0.1)
    stopping.state = try JSONDecoder().decode(EarlyStopping.State.self, from: data)
    stopping.bestModel = best
    #expect(!report(0.8) && !stopping.shouldStop && !report(.nan) && stopping.shouldStop)
    #expect(stopping.state.best == 0.85 && stopping.state.bestStep == 2)
    #expect(stopping.state.stepCount == 5 && layer.weight.value.item() == 0)
    try stopping.restore(layer)
    #expect(layer.weight.value.item() == Double(Float(0.85)))
    // Higher is better, without a model.
    var rising = EarlyStopping(patience: 1, isLowerBetter: false)
    #expect(rising.step(-2) && rising.step(-1) && !rising.step(-1) && rising.shouldStop)
    try rising.restore(layer)
    #expect(throws: LoadError.self) { try stopping.restore(Linear(2, 2)) }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { EarlyStopping(patience: 0).shouldStop }
    }
  }
}
