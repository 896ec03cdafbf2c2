import NormaNN
import NormaTensor

/// One process's part of every batch of a dataset.
///
///     let loader = DataLoader(data.sharded(over: group), batchSize: 256, shuffle: true)
///
/// Of n processes, process r gets the samples r, r + n, r + 2n and so on of each batch, so that
/// `batchSize` is that of all processes together. The loader draws the same order as without
/// processes and with any number of them, and its `DataLoader.state` is the same: a run can be
/// continued with another number of processes, or with one. With batches that n divides, and
/// `dropLast`, these are the samples that PyTorch's `DistributedSampler` gives for the same order.
///
/// A batch of fewer than n samples leaves some processes with none: they get tensors whose first
/// axis has size 0.
public struct ShardedDataset<Base: Dataset>: Dataset {
  private let base: Base
  private let rank: Int
  private let processes: Int

  /// Part `rank` of the batches of `base`, of as many parts as there are processes.
  public init(
    _ base: Base, rank: Int, of processes: Int, file: StaticString = #fileID, line: UInt = #line
  ) {
    if processes < 1 || !(0..<max(processes, 1) ~= rank) {
      report(
        TensorError(
          "ShardedDataset(_:rank:of:)", "rank \(rank) is out of range for \(processes) processes"),
        file: file, line: line)
    }
    self.base = base
    self.processes = max(processes, 1)
    self.rank = min(max(rank, 0), self.processes - 1)
  }

  /// The number of samples of the whole dataset.
  public var count: Int { base.count }

  /// This process's samples of a batch.
  public func batch(_ indices: [Int]) throws -> [Tensor] {
    let own = stride(from: rank, to: indices.count, by: processes).map { indices[$0] }
    if !own.isEmpty || indices.isEmpty { return try base.batch(own) }
    return try base.batch([indices[0]]).map { $0.narrowed(over: 0, from: 0, count: 0) }
  }
}

extension Dataset {
  /// This process's part of every batch; see `ShardedDataset`.
  public func sharded(over group: ProcessGroup) -> ShardedDataset<Self> {
    ShardedDataset(self, rank: group.rank, of: group.count)
  }
}

extension DistributedSampler {
  /// The share of this process among those of `group`.
  public init(
    over group: ProcessGroup, shuffle: Bool = true, seed: Int = 0, dropLast: Bool = false
  ) {
    self.init(
      rank: group.rank, of: group.count, shuffle: shuffle, seed: seed, dropLast: dropLast)
  }
}
