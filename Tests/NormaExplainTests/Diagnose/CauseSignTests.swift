import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Similar causes are distinguished, and those that cannot be excluded are mentioned.
@Suite struct CauseSignTests {
  typealias Small = SmallNetworks

  private func cells(_ network: Sequential, _ name: String) -> (mean: Buffer, variance: Buffer)? {
    let norm = Small.norm(network, name)
    guard let mean = norm.runningMean, let variance = norm.runningVar else { return nil }
    return (mean, variance)
  }

  /// Statistics of another training run: nothing correlates over the channels.
  @Test func anotherTraining() throws {
    let (network, other) = (Small.trained(), withSeed(99) { Small.network() })
    for (index, linear) in [0, 3, 6].enumerated() {
      let weight = (other[linear] as? Linear)?.weight
      weight?.value = withSeed(UInt64(40 + index)) {
        Tensor.randn(16, index == 0 ? 6 : 16) * 0.4
      }
    }
    Small.train(other, steps: 200)
    for name in Small.layers {
      let (own, foreign) = (try #require(cells(network, name)), try #require(cells(other, name)))
      (own.mean.value, own.variance.value) = (foreign.mean.value, foreign.variance.value)
    }
    let found = network.diagnosis(on: Small.batch)
    let first = try #require(found.findings.first)
    #expect(first.defect == .foreign && first.severity == .error, "\(found)")
    #expect(first.alternatives.contains { $0.defect == .stale } && !first.decides.isEmpty)
  }

  /// Means alone, or variances alone, of another layer.
  @Test(arguments: [true, false])
  func anExchangeOfAPart(ofMeans: Bool) throws {
    let network = Small.trained()
    let (a, b) = (try #require(cells(network, "4")), try #require(cells(network, "7")))
    let pair = ofMeans ? (a.mean, b.mean) : (a.variance, b.variance)
    (pair.0.value, pair.1.value) = (pair.1.value, pair.0.value)
    let found = network.diagnosis(on: Small.batch)
    let first = try #require(found.findings.first)
    #expect(first.defect == .exchanged && first.layers == ["4", "7"], "\(found)")
    let part = "hold each other's \(ofMeans ? "means" : "variances")"
    #expect(first.evidence.allSatisfy { $0.contains(part) }, "\(first.evidence)")
  }

  /// The variances of one layer times a number.
  @Test(arguments: [9, 1.0 / 9]) func aMultiple(factor: Double) throws {
    let network = Small.trained()
    let variance = try #require(cells(network, "4")).variance
    variance.value = variance.value * factor
    let found = network.diagnosis(on: Small.batch)
    let first = try #require(found.findings.first)
    #expect(first.defect == .overwritten && first.layers == ["4"], "\(found)")
    #expect(first.severity == .error && first.statement.contains("multiplied by a number"))
  }

  /// More batches than there were, of another kind.
  @Test func inferenceInTrainingMode() throws {
    let network = Small.trained()
    network.train()
    withoutGradients {
      for step in 0..<30 { _ = network(Small.points(8, seed: UInt64(60 + step)).x * 0.3 + 4) }
    }
    network.eval()
    let told = network.diagnosis(on: Small.batch, batches: 200, batchSize: 32)
    #expect(told.findings.first?.defect == .overwritten, "\(told)")
    // Without further facts, data of another kind and statistics of other data look the same, and
    // the diagnosis says so.
    let untold = try #require(network.diagnosis(on: Small.batch).findings.first)
    #expect(untold.defect != .overwritten && !untold.alternatives.isEmpty, "\(untold)")
  }

  /// A second capture decides between data and statistics.
  @Test func dataOfTrainingDecide() throws {
    let network = Small.trained()
    func capture(_ x: Tensor) -> NetworkCapture { CaptureFileTests.capture(network, x) }
    let shifted = capture(Small.batch * 0.3)
    let sure = try #require(
      shifted.diagnosis(training: capture(Small.points(128, seed: 8).x)).findings.first)
    #expect(sure.defect == .domainShift && sure.alternatives.isEmpty, "\(sure)")
    let never = shifted.diagnosis(training: shifted).findings.map(\.defect)
    #expect(!never.contains(.domainShift), "\(never)")
  }

  /// A momentum of 0.99 keeps the last batch alone.
  @Test func momentumOfKeras() {
    let network = Small.network(momentum: 0.99)
    Small.train(network, steps: 200)
    let found = network.diagnosis(on: Small.batch, batches: 200, batchSize: 32)
    #expect(found.findings.first?.defect == .momentumConvention, "\(found)")
  }

  /// An infinite variance affects only its channel.
  @Test func anInfiniteVariance() throws {
    let network = Small.trained()
    let variance = try #require(cells(network, "4")).variance
    var values = variance.value.array(of: Float.self)
    values[2] = .infinity
    variance.value = Tensor(values)
    let first = try #require(network.diagnosis(on: Small.batch).findings.first)
    #expect(first.defect == .nonFinite && first.channels == ["4": [2]])
    #expect(first.evidence.contains { $0.contains("gives its bias") }, "\(first.evidence)")
    #expect(!first.statement.contains("lost"))
  }

  /// A layer that computes something other than its kind.
  @Test func anotherFormula() throws {
    let x = withSeed(5) { Tensor.randn(4, 6, 8) * 2 + 1 }
    var layer = CapturedLayer(
      name: "norm", kind: "LayerNorm",
      options: CapturedOptions(normalizedShape: [8], epsilon: 1e-5))
    layer.x = x
    layer.y = LayerNorm(8)(x)
    let right = NetworkCapture(samples: 4, layers: [layer])
    #expect(right.diagnosis().isHealthy && right.diagnosis().formulas.map(\.isOff) == [false])
    let mean = x.mean(over: 1, keepDims: true)
    layer.y = (x - mean) / (x.variance(over: 1, correction: 0, keepDims: true) + 1e-5).sqrt()
    let found = NetworkCapture(samples: 4, layers: [layer]).diagnosis()
    #expect(found.findings.map(\.defect) == [.differentFormula] && !found.isHealthy, "\(found)")
    #expect(found.findings[0].evidence.contains { $0.contains("axes") }, "\(found)")
  }
}
