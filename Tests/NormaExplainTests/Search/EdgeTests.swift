import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Data that are difficult for formulas.
@Suite struct EdgeTests {
  @Test func withoutAnExpectedResultThereIsNoGap() {
    let explanation = layer().explain(batch())
    #expect(explanation.gap == nil)
    #expect(explanation.causes.isEmpty)
    #expect(explanation.statistics.count == 336)
    #expect(explanation.statistics.axes == [0, 2, 3])
    #expect(explanation.description.contains("336 values"))
  }

  @Test func numbersOfTheFormula() {
    let x = Tensor([1, 10, 3, 30, 5, 50, 7, 70] as [Float], shape: [4, 2])
    let statistics = BatchNorm1d(2, eps: 1).explain(x).statistics
    #expect(statistics.mean == [4, 40])
    #expect(statistics.biasedVariance == [5, 500])
    #expect(abs(statistics.unbiasedVariance[0] - 20.0 / 3) < 1e-14)
    #expect(statistics.epsilonShare == [1.0 / 6, 1.0 / 501])
    #expect(statistics.usesRunning == false)
  }

  @Test func aConstantChannel() {
    var values = batch().array(of: Float.self)
    for i in values.indices where i / 56 % 5 == 2 { values[i] = 3 }
    let (x, bn) = (Tensor(values, shape: [6, 5, 8, 7]), layer())
    #expect(bn.explain(x, expecting: handMade(x, bn)).causes.isEmpty)
    let found = bn.explain(x, expecting: handMade(x, bn, correction: 1))
    #expect(found.causes.map(\.name) == [.correction])
  }

  @Test func dataFarFromZero() {
    let x = (batch() + 1000).evaluated()
    let bn = layer()
    #expect(bn.explain(x, expecting: handMade(x, bn)).causes.isEmpty)
  }

  @Test func notANumberIsNotExplained() {
    var values = batch().array(of: Float.self)
    values[7] = .nan
    let (x, bn) = (Tensor(values, shape: [6, 5, 8, 7]), layer())
    let explanation = bn.explain(x, expecting: handMade(x, bn, correction: 1))
    #expect(!explanation.agrees)
    #expect(!explanation.description.isEmpty)
  }

  @Test func anUntrainedLayerInEvaluation() {
    let bn = BatchNorm2d(5)
    bn.eval()
    let x = batch()
    let explanation = bn.explain(x, expecting: handMade(x, BatchNorm2d(5)))
    #expect(explanation.causes.map(\.name) == [.runningVersusBatch])
    #expect(explanation.notes.contains { $0.contains("never seen a batch") })
  }

  @Test func aFrozenLayerInTraining() {
    // It normalizes by its running statistics in training, too.
    let bn = layer()
    bn.freeze()
    let x = batch()
    let explanation = bn.explain(x, expecting: handMade(x, bn))
    #expect(explanation.causes.map(\.name) == [.runningVersusBatch])
    #expect(explanation.statistics.usesRunning)
  }

  @Test func aLayerWithoutParametersOrBuffers() {
    let bn = BatchNorm2d(5, affine: false, trackRunningStats: false)
    let x = batch()
    let user = handMade(x, BatchNorm2d(5), correction: 1, affine: false)
    #expect(bn.explain(x, expecting: user).causes.map(\.name) == [.correction])
  }

  @Test func mistakesInTheCallAreErrors() {
    let (x, bn) = (batch(), layer())
    let calls: [() -> Explanation] = [
      { bn.explain(x, expecting: Tensor.ones(2, 5, 8, 7)) },
      { bn.explain(Tensor.ones(6, 4, 8, 7)) },
      { bn.explain(Tensor.ones(1, 5, 1, 1)) },
      { bn.explain(x, expecting: x, from: Tensor.ones(6, 5, 8, 1)) },
      { bn.explain(x, expectingRunningMean: Tensor.ones(4)) },
      // Changes that would have no effect.
      { bn.explain(x, from: x) },
      { bn.explain(x, history: [x]) },
      { bn.explain(x, mask: Tensor.ones(6, 1, 1, 1)) },
      { bn.explain(x, expecting: x * 2, history: [Tensor.ones(6, 4, 8, 7)]) },
      { BatchNorm2d(5, trackRunningStats: false).explain(x, expecting: x * 2, history: [x]) },
      {
        BatchNorm2d(5, trackRunningStats: false)
          .explain(x, expectingRunningMean: Tensor.ones(5))
      },
    ]
    for call in calls {
      #expect(throws: TensorError.self) { try catchingTensorErrors { call() } }
    }
  }

  @Test func samplesAreDistinctAndSpread() {
    let places = samplePlaces(count: 1_000_000, limit: 4096)
    #expect(Set(places).count == places.count)
    #expect(places.allSatisfy { 0..<1_000_000 ~= $0 })
    let thirds = places.prefix(192).count { $0 < 333_333 }
    #expect(abs(thirds - 64) < 24)
    #expect(samplePlaces(count: 3, limit: 4096) == [0, 1, 2])
  }
}
