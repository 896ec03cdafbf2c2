import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// What no single channel shows: all of them together do.
@Suite struct SmallSignTests {
  typealias Small = SmallNetworks

  /// Multiplies the weights in front of the norms, and moves them a little, as an average does.
  private func scaled(
    _ network: Sequential, _ factors: [Double], moved: Double = 0
  ) throws -> Sequential {
    for (index, factor) in zip([0, 3, 6], factors) {
      let weight = try #require((network[index] as? Linear)?.weight)
      let noise = withSeed(UInt64(index)) { Tensor.randn(weight.value.shape) }
      weight.value = (weight.value * factor + noise * moved).evaluated()
    }
    return network
  }

  /// Running statistics of the batch itself, so that all that is off is what a test does.
  private func exact(_ x: Tensor) throws -> Sequential {
    let network = Small.trained()
    try recalibrate(network, over: [x])
    return network
  }

  /// Weights that became slightly smaller in all layers: no single layer is off.
  @Test func weightsThatShrank() throws {
    let x = Small.points(512, seed: 11).x
    let found = (try scaled(exact(x), [0.9, 0.9, 0.9], moved: 0.02)).diagnosis(on: x)
    #expect(found.layers.allSatisfy { !$0.isOff }, "\(found)")
    #expect(found.findings.map(\.defect) == [.stale], "\(found)")
    #expect(found.findings.first?.severity == .warning)
    #expect(found.findings.first?.alternatives.contains { $0.defect == .domainShift } == true)
    // A change of 2 % may be chance.
    #expect((try scaled(exact(x), [0.98, 0.98, 0.98], moved: 0.002)).diagnosis(on: x).isHealthy)
  }

  /// A second capture decides whether the batch or the weights are different.
  @Test(arguments: [true, false])
  func weightsOrData(isSeenInTraining: Bool) throws {
    let x = Small.points(512, seed: 11).x
    func capture(_ network: Sequential) -> NetworkCapture {
      var capture = CaptureFileTests.capture(network, x)
      capture.facts = CaptureFacts()
      return capture
    }
    let changed = capture(try scaled(exact(x), [0.9, 0.9, 0.9], moved: 0.02))
    let training = isSeenInTraining ? changed : capture(try exact(x))
    let first = try #require(changed.diagnosis(training: training).findings.first)
    #expect(first.defect == (isSeenInTraining ? .stale : .domainShift), "\(first)")
    #expect(first.alternatives.allSatisfy { $0.defect != .domainShift })
  }

  /// Only the first layer shows that the inputs vary less.
  @Test func inputsThatVaryLess() throws {
    let x = Small.points(256, seed: 11).x
    let found = (try scaled(exact(x), [0.85, 1, 1])).diagnosis(on: x)
    #expect(found.findings.map(\.defect) == [.domainShift], "\(found)")
    #expect(found.findings.first?.layers == ["1"] && found.findings.first?.severity == .warning)
  }

  /// Other inputs change all channels of the first layer by one factor, and other weights do not.
  @Test(arguments: [(0.004, "times as wide"), (2, "times as wide"), (-1, "opposite sign")])
  func inputsTimesANumber(factor: Double, sign: String) throws {
    let network = Small.trained()
    let first = try #require(
      network.diagnosis(on: Small.points(256, seed: 15).x * factor).findings.first)
    #expect(first.defect == .domainShift && first.layers.first == "1", "\(first)")
    #expect(first.evidence.contains { $0.contains(sign) }, "\(first.evidence)")
  }

  /// The error of the common scale is what batches show.
  @Test func chanceOfTheCommonScale() throws {
    let network = try exact(Small.points(4000, seed: 12).x)
    let multiples = try (0..<24).flatMap { seed in
      let x = Small.points(128, seed: UInt64(20 + seed)).x
      let layers = CaptureFileTests.capture(network, x).layers
      return try layers.map { layer in
        let evidence = try #require(LayerEvidence(layer))
        return try #require(evidence.commonScale).multiple
      }
    }
    let square = multiples.reduce(0) { $0 + $1 * $1 } / Double(multiples.count)
    // The factors leave room for running statistics of small batches, although these are not.
    #expect((0.3...1.3).contains(square.squareRoot()), "\(multiples)")
    #expect(multiples.allSatisfy { abs($0) < 4 }, "\(multiples)")
  }

  /// Batches of two samples, without being told so.
  @Test func tinyBatchesUntold() {
    let network = Small.network()
    Small.train(network, steps: 600, batchSize: 2, rate: 0.01)
    let found = network.diagnosis(on: Small.points(256, seed: 13).x)
    #expect(found.findings.first?.defect == .noisy, "\(found)")
    #expect(found.findings.dropFirst().allSatisfy { $0.severity == .note }, "\(found)")
  }

  /// The last layer's statistics rest on samples of one class: its means lie among the batch's
  /// samples.
  @Test func aPartOfTheData() throws {
    let (x, labels) = Small.points(384, seed: 14)
    let network = try exact(x)
    let last = Small.norm(network, "7")
    let mean = try #require(last.runningMean)
    let rows = labels.array(of: Int.self).indices.filter { labels.array(of: Int.self)[$0] == 1 }
    let moments = try #require(CaptureFileTests.capture(network, x).layers[2].batch)
    let ofClass = (0..<16).map { c in
      rows.reduce(0.0) { $0 + moments.mean[$1 * 16 + c] } / Double(rows.count)
    }
    let whole = mean.value.array(of: Double.self)
    // Half the distance: two of three classes would be as far away.
    mean.value = Tensor(zip(whole, ofClass).map { Float($0 + 0.5 * ($1 - $0)) })
    let first = try #require(network.diagnosis(on: x).findings.first)
    #expect(first.defect == .unrepresentative && first.layers == ["7"], "\(first)")
    #expect(first.evidence.contains { $0.contains("among the means") }, "\(first)")
    // The same distance in a direction in which no samples differ: different weights.
    var away = whole
    let scale = zip(whole, ofClass).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    for c in 0..<16 { away[c] += (c % 2 == 0 ? 1 : -1) * 0.5 * scale / 4 }
    mean.value = Tensor(away.map { Float($0) })
    let other = try #require(network.diagnosis(on: x).findings.first)
    #expect(other.defect == .stale, "\(other)")
  }
}
