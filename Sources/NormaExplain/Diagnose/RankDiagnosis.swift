import NormaTensor

/// What the captures of all processes of a distributed training tell together: whether running
/// statistics are those of all processes or of one, and whether the processes saw the same kind of
/// data.
public struct RankDiagnosis: Sendable, Hashable, Codable {
  /// One problem.
  public struct Finding: Sendable, Hashable, Codable {
    /// The kinds of problems.
    public enum Kind: String, Sendable, Hashable, Codable {
      /// The processes have different running statistics, of which a checkpoint keeps one's.
      case differentStatistics
      /// The running statistics are those of the first process's data, not of all.
      case firstRankOnly
      /// A process, or each of two, saw data that differ from those of the others by more than
      /// chance.
      case differentData
    }

    /// The kind.
    public let kind: Kind
    /// The ranks that it is about.
    public let ranks: [Int]
    /// The layers that show it, in order.
    public let layers: [String]
    /// How much, for the layer that shows it most: a distance in standard deviations, of values or,
    /// for different data, of what chance gives.
    public let size: Double
  }

  /// The number of captures, in the order of ranks.
  public let count: Int
  /// The batch norm layers that were compared.
  public let layers: [String]
  /// The problems.
  public internal(set) var findings: [Finding] = []

  /// Whether there is no problem.
  public var isHealthy: Bool { findings.isEmpty }

  /// Compares captures of the same network, made in all processes, in the order of ranks, each with
  /// data of its own process.
  /// - Throws: ``CaptureError`` for fewer than two captures, or if no layer has running statistics
  ///   and moments of a batch in all of them.
  public init(_ captures: [NetworkCapture], names: [String] = []) throws {
    count = captures.count
    let common = (captures.first?.layers ?? []).compactMap { RankLayer($0.name, captures) }
    layers = common.map(\.name)
    guard count > 1, !common.isEmpty else {
      throw CaptureError(
        path: names.joined(separator: ", "),
        problem: count < 2
          ? "is one capture; those of all processes are needed"
          : "have no batch norm in common with running statistics and the moments of a batch")
    }
    let different = common.filter { $0.statisticsDiffer > 1e-3 }
    if !different.isEmpty {
      findings.append(
        Finding(
          kind: .differentStatistics, ranks: Array(0..<count), layers: different.map(\.name),
          size: different.map(\.statisticsDiffer).max() ?? 0))
    }
    let own = common.filter(\.isOfFirstRank)
    if !own.isEmpty {
      findings.append(
        Finding(
          kind: .firstRankOnly, ranks: [0], layers: own.map(\.name),
          size: own.map(\.distanceToAll).max() ?? 0))
    }
    // With statistics of its own, a process passes on other values to later layers.
    let isShared = common.allSatisfy { $0.statisticsDiffer < 1e-6 }
    findings += Self.differentData(isShared ? common : Array(common.prefix(1)), count)
  }

  /// The processes whose data differ: the one that differs most, then the next among the rest.
  private static func differentData(_ layers: [RankLayer], _ count: Int) -> [Finding] {
    var (findings, rest) = ([Finding](), Array(0..<count))
    while rest.count > 1 {
      let distances = rest.map { rank in
        layers.map { $0.dataDistance(rank, rest.filter { $0 != rank }) }
      }
      let sizes = distances.map { $0.max() ?? 0 }
      guard let size = sizes.max(), size > 5, let most = sizes.firstIndex(of: size) else { break }
      // Of two, neither is the odd one.
      let ranks = rest.count == 2 ? rest : [rest[most]]
      findings.append(
        Finding(
          kind: .differentData, ranks: ranks,
          layers: layers.indices.filter { distances[most][$0] > 5 }.map { layers[$0].name },
          size: size))
      rest.removeAll(where: ranks.contains)
    }
    return findings
  }
}

/// One layer in the captures of all ranks.
private struct RankLayer {
  let name: String
  /// The inputs in evaluation, which do not depend on the other samples of a batch.
  private let data: [SampleMoments]
  private let local: [Moments]
  private let all: Moments
  private let means: [[Double]]
  private let variances: [[Double]]

  init?(_ name: String, _ captures: [NetworkCapture]) {
    self.name = name
    let found = captures.compactMap { $0[name] }
    let samples = found.compactMap(\.batch)
    data = found.compactMap { $0.evaluation ?? $0.batch }
    local = samples.map(\.total)
    means = found.compactMap { $0.runningMean?.array() }
    variances = found.compactMap { $0.runningVariance?.array() }
    let channels = samples.first?.channels
    guard samples.count == captures.count, means.count == captures.count,
      variances.count == captures.count, !samples.contains(where: { $0.channels != channels }),
      !(means + variances).contains(where: { $0.count != channels }), var merged = local.first
    else { return nil }
    for part in local.dropFirst() { merged = merged.merged(with: part) ?? merged }
    guard merged.mean.allSatisfy(\.isFinite) else { return nil }
    all = merged
  }

  private var scale: [Double] {
    all.variance(correction: 0).map { max($0, .leastNormalMagnitude).squareRoot() }
  }

  /// The root mean square over channels of a distance in standard deviations.
  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    let squares = a.indices.map { c in
      let distance = (a[c] - b[c]) / scale[c]
      return distance * distance
    }
    return (squares.reduce(0, +) / Double(max(squares.count, 1))).squareRoot()
  }

  /// How far the ranks' running statistics are apart.
  var statisticsDiffer: Double {
    means.indices.dropFirst().map { rank in
      let roots = variances[rank].map { max($0, 0).squareRoot() }
      let first = variances[0].map { max($0, 0).squareRoot() }
      return max(distance(means[rank], means[0]), distance(roots, first))
    }.max() ?? 0
  }

  /// The distance of the first rank's running means from the mean of all data.
  var distanceToAll: Double { distance(means[0], all.mean) }

  /// Whether the running means are near those of the first rank's data and far from those of all.
  var isOfFirstRank: Bool {
    distanceToAll > 0.1 && 3 * distance(means[0], local[0].mean) < distanceToAll
  }

  /// By how many standard deviations of chance the samples of one rank and those of others are
  /// apart.
  func dataDistance(_ rank: Int, _ others: [Int]) -> Double {
    SampleComparison.distance([data[rank]], others.map { data[$0] }) ?? 0
  }
}

extension RankDiagnosis: CustomStringConvertible {
  /// One paragraph for each problem, with the way out.
  public var description: String {
    if isHealthy {
      return "\(count) processes, \(layers.count) batch norms: the same running statistics, and "
        + "data of the same kind"
    }
    return findings.map { finding in
      let more = finding.layers.count - 1
      let place =
        "layer \(finding.layers.first ?? "?")"
        + (more < 1 ? "" : more == 1 ? " and another" : " and \(more) others")
      switch finding.kind {
      case .differentStatistics:
        return "The processes have different running statistics in \(place), up to "
          + "\(number(finding.size)) standard deviations apart: each follows its own data, and a "
          + "checkpoint keeps those of one. Synchronize batch norm, or recompute the statistics "
          + "over the data of all processes."
      case .firstRankOnly:
        return "The running statistics of \(place) are those of the data of rank 0, and "
          + "\(number(finding.size)) standard deviations from those of all processes: the buffers "
          + "of the first replica were sent to the others. Synchronize batch norm, or recompute "
          + "the statistics over the data of all processes."
      case .differentData:
        let names = finding.ranks.map(String.init).joined(separator: " and ")
        let begin =
          finding.ranks.count == 1
          ? "Rank \(names) saw other data than the rest" : "Ranks \(names) saw different data"
        return begin + ": the samples in \(place) differ by far more than chance ("
          + "\(number(finding.size)) standard deviations). A rank may have only some of the "
          + "classes: shuffle before the data are divided."
      }
    }.joined(separator: "\n")
  }

  private func number(_ value: Double) -> String {
    String(Double(Int((value * 100).rounded())) / 100)
  }
}
