import NormaKernels
import NormaTensor
import Synchronization

/// Where a loader stands: enough to go on in the middle of an epoch.
public struct DataLoaderState: Sendable, Codable, Hashable {
  /// The generator's state at the beginning of the epoch.
  public var generator: [UInt8]
  /// How many batches of the epoch were given out.
  public var batch: Int

  /// A state with these parts.
  public init(generator: [UInt8], batch: Int) {
    self.generator = generator
    self.batch = batch
  }
}

/// Batches of a dataset, epoch by epoch, prepared in the background.
///
///     manualSeed(0)
///     let loader = DataLoader(data, batchSize: 128, shuffle: true)
///     for _ in 0..<epochs {
///       try loader.forEach { batch in train(batch[0], batch[1]) }
///     }
///
/// The order is PyTorch's for the same seed, be it the default generator's or that of `generator`, and
/// the generator is left as PyTorch leaves it. Batches come in order and are the same whatever the
/// number of workers: a batch draws from a generator of its own. PyTorch:
/// `torch.utils.data.DataLoader`.
public final class DataLoader<Data: Dataset> {
  /// The samples of an epoch, given their number.
  public typealias Order = (Int, inout Generator) -> [Int]

  private let data: Data
  private let batchSize: Int
  private let shuffle: Bool
  private let order: Order?
  private let dropLast: Bool
  private let workers: Int
  private let prefetch: Int
  /// Nil draws from the default generator.
  private var generator: Generator?
  /// The generator as it was when the current epoch began, and what was given out of it.
  private var epoch: (start: Generator, batch: Int)?

  /// A loader.
  ///
  /// - Parameters:
  ///   - data: the samples.
  ///   - batchSize: how many of them make a batch.
  ///   - shuffle: whether each epoch has an order of its own, PyTorch's for the same seed.
  ///   - order: another order than PyTorch's, asked once an epoch; then nothing else draws from the
  ///     generator. PyTorch: `sampler`.
  ///   - dropLast: whether a last batch that is not full is left out.
  ///   - workers: how many threads prepare batches ahead; 0 prepares on demand.
  ///   - prefetch: how many batches are prepared ahead at most.
  ///   - generator: what the order is drawn from; nil is the default generator.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  public init(
    _ data: Data, batchSize: Int = 1, shuffle: Bool = false, order: Order? = nil,
    dropLast: Bool = false, workers: Int = 1, prefetch: Int = 2, generator: Generator? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    if batchSize < 1 {
      report(
        TensorError("DataLoader(_:batchSize:)", "batchSize must be positive, got \(batchSize)"),
        file: file, line: line)
    }
    self.data = data
    self.batchSize = max(batchSize, 1)
    self.shuffle = shuffle
    self.order = order
    self.dropLast = dropLast
    self.workers = max(workers, 0)
    self.prefetch = max(prefetch, 1)
    self.generator = generator
  }

  /// The number of batches in an epoch.
  public var count: Int {
    dropLast ? data.count / batchSize : (data.count + batchSize - 1) / batchSize
  }

  /// Where the loader stands; set it to go on from there.
  public var state: DataLoaderState {
    DataLoaderState(
      generator: (epoch?.start ?? generator ?? .current).state, batch: epoch?.batch ?? 0)
  }

  /// Goes on from a saved state: the next epoch is the rest of the one that was interrupted.
  ///
  /// A loader that draws from the default generator does so again with the epoch after it.
  /// - Throws: `GeneratorStateError` where the bytes are no state.
  public func restore(_ state: DataLoaderState) throws {
    let start = try Generator(state: state.generator)
    if generator != nil { generator = start }
    epoch = state.batch > 0 ? (start, state.batch) : nil
  }

  /// Gives the batches of one epoch, or of the rest of a restored one, to `body` in order.
  ///
  /// - Throws: what a sample or `body` throws; the next call begins a new epoch.
  public func forEach(_ body: ([Tensor]) throws -> Void) throws {
    let begun = epoch?.batch ?? 0
    let isRest = epoch != nil
    let start = epoch?.start ?? generator ?? .current
    var stream = start
    let samples = samples(drawing: &stream)
    if generator != nil {
      generator = stream
    } else if !isRest {
      Generator.current = stream
    }
    let batches = (0..<count).map {
      Array(samples[($0 * batchSize)..<min(($0 + 1) * batchSize, samples.count)])
    }
    epoch = (start, begun)
    defer { epoch = nil }
    let seed = UInt64(truncatingIfNeeded: start.state.hashValueOfBytes)
    let data = data
    let make: @Sendable (Int) -> Result<[Tensor], any Error> = { number in
      Result {
        try withSeed(seed &+ UInt64(number) &* 0x9E37_79B9) {
          try data.batch(batches[number]).map { $0.evaluated() }
        }
      }
    }
    let queue = BatchQueue(
      from: begun, through: batches.count, workers: workers, ahead: prefetch, make: make)
    defer { queue.stop() }
    for number in begun..<max(batches.count, begun) {
      let batch = try queue.next(number).get()
      epoch?.batch = number + 1
      try body(batch)
    }
    // PyTorch asks for what follows the last sample, and draws to find that nothing does.
    if shuffle && order == nil { _ = generator?.permutation(data.count) }
  }

  /// The samples of an epoch, with the draws that PyTorch makes at its beginning.
  private func samples(drawing stream: inout Generator) -> [Int] {
    if let order { return order(data.count, &stream) }
    // PyTorch's seed of its workers.
    _ = stream.next()
    guard shuffle else { return Array(0..<data.count) }
    if generator != nil { return stream.permutation(data.count) }
    var own = Generator(seed: stream.next() & UInt64(Int64.max))
    return own.permutation(data.count)
  }
}

extension Generator {
  /// The numbers below `count` in an order that `torch.randperm` gives.
  fileprivate mutating func permutation(_ count: Int) -> [Int] {
    withGenerator(&self) { Tensor.randperm(count).array(of: Int.self) }
  }
}

extension [UInt8] {
  /// FNV-1a: the same in every process.
  fileprivate var hashValueOfBytes: UInt64 {
    reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
