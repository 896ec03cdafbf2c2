import NormaTensor

/// Samples drawn in proportion to weights, such as 1 / (size of the sample's class).
///
/// There is one weight per sample. The draws are those of
/// ``NormaTensor/Tensor/multinomial(_:count:replacement:file:line:)`` with `float64` weights.
/// PyTorch: `WeightedRandomSampler`.
public struct WeightedSampler: Sampler {
  private let weights: [Double]
  private let count: Int
  private let replacement: Bool

  /// `count` samples per epoch. Without `replacement`, no sample is drawn twice.
  ///
  /// Weights that are negative, not finite, or all 0 are errors, and so are more draws without
  /// replacement than there are positive weights.
  public init(
    weights: [Double], count: Int, replacement: Bool = true, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let possible = weights.count { $0 > 0 }
    var problem: String?
    if let wrong = weights.first(where: { !($0 >= 0 && $0 < .infinity) }) {
      problem = "weights must be finite and not negative, got \(wrong)"
    } else if possible == 0 || !weights.reduce(0, +).isFinite {
      problem = "weights must have a positive and finite sum"
    } else if count < 1 {
      problem = "count must be at least 1, got \(count)"
    } else if !replacement && count > possible {
      problem = "\(count) draws without replacement from \(possible) weights above 0"
    }
    if let problem {
      report(TensorError("WeightedSampler(weights:count:)", problem), file: file, line: line)
    }
    self.weights = problem == nil ? weights : []
    self.count = problem == nil ? count : 0
    self.replacement = replacement
  }

  /// The number of samples in an epoch.
  public func count(of total: Int) -> Int { count }

  /// The samples of an epoch.
  public func samples(of total: Int, drawing generator: inout Generator) -> [Int] {
    if count == 0 { return [] }
    return withGenerator(&generator) {
      Tensor.multinomial(Tensor(weights), count: count, replacement: replacement)
        .array(of: Int.self)
    }
  }
}

/// Some of the samples, in a new random order every epoch: one part of the data for training,
/// another for validation. PyTorch: `SubsetRandomSampler`.
public struct SubsetSampler: Sampler {
  /// The indices of the samples.
  public let indices: [Int]

  /// Samples these indices.
  public init(_ indices: [Int]) { self.indices = indices }

  /// The number of samples in an epoch.
  public func count(of total: Int) -> Int { indices.count }

  /// The samples of an epoch.
  public func samples(of total: Int, drawing generator: inout Generator) -> [Int] {
    withGenerator(&generator) {
      Tensor.randperm(indices.count).array(of: Int.self).map { indices[$0] }
    }
  }
}

/// One process's share of the samples, for several processes that train on the same data.
///
/// All processes get the same number of samples: the order is extended by repeating its beginning,
/// or with `dropLast` cut at its end. Process r of n takes the samples r, r + n, r + 2n and so on.
/// With `shuffle`, the order is drawn with the seed plus the number of the epoch, and so is the
/// same in all processes; the loader counts the epochs, and a restored loader continues the
/// interrupted one. Nothing is drawn from the loader's generator. PyTorch: `DistributedSampler`,
/// with `set_epoch(epoch)` before each epoch.
public struct DistributedSampler: Sampler {
  private let rank: Int
  private let processes: Int
  private let shuffle: Bool
  private let seed: Int
  private let dropLast: Bool

  /// The share of process `rank`, in `0 ..< processes`.
  public init(
    rank: Int, of processes: Int, shuffle: Bool = true, seed: Int = 0, dropLast: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    if processes < 1 || !(0..<max(processes, 1) ~= rank) {
      report(
        TensorError(
          "DistributedSampler(rank:of:)",
          "rank \(rank) is out of range for \(processes) processes"),
        file: file, line: line)
    }
    self.processes = max(processes, 1)
    self.rank = min(max(rank, 0), self.processes - 1)
    self.shuffle = shuffle
    self.seed = seed
    self.dropLast = dropLast
  }

  /// The number of samples per epoch in each process.
  public func count(of total: Int) -> Int {
    total / processes + (dropLast || total % processes == 0 ? 0 : 1)
  }

  /// The samples of the first epoch.
  public func samples(of total: Int, drawing generator: inout Generator) -> [Int] {
    samples(of: total, epoch: 0, drawing: &generator)
  }

  /// The samples of an epoch.
  public func samples(of total: Int, epoch: Int, drawing generator: inout Generator) -> [Int] {
    guard total > 0 else { return [] }
    let order =
      shuffle
      ? withSeed(seed &+ epoch) { Tensor.randperm(total).array(of: Int.self) }
      : Array(0..<total)
    return (0..<count(of: total)).map { order[(rank + $0 * processes) % total] }
  }
}
