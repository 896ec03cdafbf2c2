import NormaExplain
import NormaTensor
import Testing

/// Captures of several processes together.
@Suite struct RankDiagnosisTests {
  private static let (samples, channels, values) = (64, 8, 9)

  /// A rank's capture: its data have mean `shift`, its running means are `running`.
  private static func capture(shift: Double, running: Double) -> NetworkCapture {
    capture(Tensor.randn(samples, channels, values, dtype: .float64) + shift, running: running)
  }

  private static func capture(_ x: Tensor, running: Double) -> NetworkCapture {
    let moments = x.moments(over: 2)
    var layer = CapturedLayer(name: "body.bn", kind: "BatchNorm1d")
    layer.batch = SampleMoments(
      samples: x.shape[0], channels: channels,
      count: [Double](repeating: Double(values), count: x.shape[0]), mean: moments.mean,
      m2: moments.m2)
    layer.runningMean = Tensor.full([channels], running)
    layer.runningVariance = Tensor.ones(channels, dtype: .float64)
    return NetworkCapture(samples: x.shape[0], layers: [layer])
  }

  private static func kinds(
    _ shifts: [Double], _ running: [Double]
  ) throws -> [RankDiagnosis.Finding] {
    try withSeed(11) {
      try RankDiagnosis(zip(shifts, running).map { capture(shift: $0, running: $1) }).findings
    }
  }

  @Test func sharedStatisticsOfSharedDataAreHealthy() throws {
    let diagnosis = try withSeed(3) {
      try RankDiagnosis((0..<4).map { _ in Self.capture(shift: 0, running: 0) })
    }
    #expect(diagnosis.isHealthy && diagnosis.layers == ["body.bn"])
    #expect(diagnosis.description.contains("4 processes"))
  }

  @Test func theFirstReplicasBuffers() throws {
    let found = try Self.kinds([0.6, 0, 0], [0.6, 0.6, 0.6])
    #expect(found.map(\.kind).contains(.firstRankOnly))
    #expect(!found.map(\.kind).contains(.differentStatistics))
  }

  @Test func statisticsOfTheirOwn() throws {
    let found = try Self.kinds([0, 0, 0], [0, 0.02, -0.01])
    #expect(found.map(\.kind) == [.differentStatistics])
    #expect(found[0].size > 0.019 && found[0].size < 0.021)
  }

  @Test func aShardOfOtherClasses() throws {
    let found = try Self.kinds([0, 0, 0.7, 0], [0.175, 0.175, 0.175, 0.175])
    #expect(found.contains { $0.kind == .differentData && $0.ranks == [2] })
    #expect(!found.contains { $0.kind == .firstRankOnly })
  }

  /// A rank's capture of samples of some of ten kinds. Their brightness, which all channels share,
  /// varies so much that no channel's mean shows which kinds there are.
  private static func capture(kinds: Range<Int>) -> NetworkCapture {
    let all = withSeed(1) { Tensor.randn(10, channels, 1, dtype: .float64) * 0.5 }
    let count = 160
    let own = (0..<count).map { sample in
      all.narrowed(over: 0, from: kinds.lowerBound + sample % kinds.count, count: 1)
    }
    let brightness = Tensor.randn(count, 1, 1, dtype: .float64) * 3
    let noise = Tensor.randn(count, channels, values, dtype: .float64)
    return capture(.concatenated(own) + brightness + noise, running: 0)
  }

  @Test(arguments: [2, 4]) func aShardOfThreeClasses(_ count: Int) throws {
    let diagnosis = try withSeed(5) {
      try RankDiagnosis((0..<count).map { Self.capture(kinds: $0 == 1 ? 0..<3 : 0..<10) })
    }
    let found = diagnosis.findings.filter { $0.kind == .differentData }
    #expect(found.map(\.ranks) == [count == 2 ? [0, 1] : [1]])
    #expect(diagnosis.description.contains(count == 2 ? "Ranks 0 and 1" : "Rank 1 saw"))
  }

  @Test func samplesOfTheSameKindsAreAlike() throws {
    let kinds = try (0..<5).flatMap { seed in
      try withSeed(seed) {
        try RankDiagnosis((0..<4).map { _ in Self.capture(kinds: 0..<10) }).findings.map(\.kind)
      }
    }
    #expect(!kinds.contains(.differentData))
  }

  @Test func capturesThatCannotBeCompared() {
    #expect(throws: CaptureError.self) { try RankDiagnosis([]) }
    #expect(throws: CaptureError.self) {
      try RankDiagnosis([NetworkCapture(samples: 1), NetworkCapture(samples: 1)])
    }
  }
}
