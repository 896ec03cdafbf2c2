import NormaTensor

/// A loader's position: enough to continue in the middle of an epoch.
public struct DataLoaderState: Sendable, Codable, Hashable {
  /// The generator's state at the start of the epoch.
  public var generator: [UInt8]
  /// The number of batches of the epoch that were returned.
  public var batch: Int
  /// The number of the epoch, starting at 0.
  public var epoch: Int

  /// A state with these parts.
  public init(generator: [UInt8], batch: Int, epoch: Int = 0) {
    self.generator = generator
    self.batch = batch
    self.epoch = epoch
  }

  /// Throws for counts that no loader reaches, as a damaged file may contain.
  func check(_ call: String) throws(TensorError) {
    guard batch >= 0, epoch >= 0, batch < .max, epoch < .max else {
      throw TensorError(call, "batch \(batch) of epoch \(epoch) is not a valid position")
    }
  }

  /// Decodes a state; the epoch's number may be missing, as in the first version.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    generator = try values.decode([UInt8].self, forKey: .generator)
    batch = try values.decode(Int.self, forKey: .batch)
    epoch = try values.decodeIfPresent(Int.self, forKey: .epoch) ?? 0
  }
}

/// One pass over the samples of a loader.
final class Epoch<Data: Dataset> {
  private let loader: DataLoader<Data>
  private let queue: BatchQueue
  private let end: Int
  private let number: Int
  private let start: Generator
  /// The number of batches that were returned.
  private var position: Int
  private var isOver = false

  init(
    _ loader: DataLoader<Data>, _ samples: [Int], from begin: Int, of count: Int, number: Int,
    start: Generator
  ) {
    self.loader = loader
    self.number = number
    self.start = start
    end = count
    position = begin
    let batches = (0..<count).map { batch in
      let first = batch * loader.batchSize
      return Array(samples[first...].prefix(loader.batchSize))
    }
    // A sampler need not draw, in which case the generator has the same state as in the previous
    // epoch.
    let repeats = loader.sampler == nil ? 0 : UInt64(truncatingIfNeeded: number)
    let seed = start.state.hashValueOfBytes &+ repeats &* 0xD1B5_4A32_D192_ED03
    let data = loader.data
    queue = BatchQueue(
      from: begin, through: count, workers: loader.workers, ahead: loader.prefetch
    ) { number in
      Result {
        try withSeed(seed &+ UInt64(number) &* 0x9E37_79B9) {
          // Worker threads are outside the loop's error scope, so errors are caught here and thrown
          // by the loop.
          try catchingTensorErrors { try data.batch(batches[number]).map { $0.evaluated() } }
        }
      }
    }
  }

  deinit { queue.stop() }

  var state: DataLoaderState {
    DataLoaderState(generator: start.state, batch: position, epoch: number)
  }

  /// The next batch; nil after the last.
  func nextBatch() throws -> [Tensor]? {
    guard position < end else {
      if !isOver { loader.drawAfterLast() }
      isOver = true
      return nil
    }
    let batch = try queue.next(position).get()
    position += 1
    return batch
  }
}

extension [UInt8] {
  /// FNV-1a: the same in every process.
  fileprivate var hashValueOfBytes: UInt64 {
    reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
