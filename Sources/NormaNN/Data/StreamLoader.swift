import NormaTensor

/// Batches of a streaming dataset, epoch by epoch, prepared in the background.
///
///     let loader = StreamLoader(Lines(path: path), batchSize: 128, shuffleWindow: 1024)
///     for batch in loader { train(batch[0], batch[1]) }
///
/// The parts of a batch's samples are stacked along a new first axis. One thread reads the samples
/// in order, a few batches ahead. What the dataset draws comes from a generator that belongs to the
/// epoch. If a sample cannot be read, a loop ends the program, or, inside `catchingTensorErrors`,
/// ends early with that error; ``forEach(_:)`` throws it.
///
/// A restored loader reads the epoch again from the beginning and skips the batches that were
/// returned before. This is exact if the dataset produces the same samples again, at the cost of
/// reading them. PyTorch: `DataLoader` of an `IterableDataset`.
public final class StreamLoader<Data: IterableDataset>: Sequence {
  private let data: Data
  private let batchSize: Int
  private let shuffleWindow: Int
  private let dropLast: Bool
  private let prefetch: Int
  /// Nil draws from the default generator.
  private var generator: NormaRandom.Generator?
  private var next = 0
  private var rest: DataLoaderState?
  private weak var running: StreamEpoch?
  private let file: StaticString
  private let line: UInt

  /// A loader.
  ///
  /// - Parameters:
  ///   - data: the samples.
  ///   - batchSize: the number of samples in a batch.
  ///   - shuffleWindow: the number of buffered samples, from which the next one is drawn; 0 keeps
  ///     the order. No sample comes earlier by more than this many positions.
  ///   - dropLast: whether an incomplete last batch is left out.
  ///   - prefetch: the largest number of batches that are prepared ahead; 0 prepares on demand.
  ///   - generator: the generator at the start of an epoch's draws; nil is the default generator.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  public init(
    _ data: Data, batchSize: Int = 1, shuffleWindow: Int = 0, dropLast: Bool = false,
    prefetch: Int = 2, generator: NormaRandom.Generator? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    checkLoader(
      "StreamLoader(_:batchSize:)",
      [
        "batchSize": (batchSize, 1...Int.max), "shuffleWindow": (shuffleWindow, 0...Int.max),
        "prefetch": (prefetch, 0...Int.max),
      ], file, line)
    self.data = data
    self.batchSize = Swift.max(batchSize, 1)
    self.shuffleWindow = Swift.max(shuffleWindow, 0)
    self.dropLast = dropLast
    self.prefetch = Swift.max(prefetch, 0)
    self.generator = generator
    self.file = file
    self.line = line
  }

  /// The loader's position; use `restore(_:)` to continue from there.
  public var state: DataLoaderState {
    running?.state ?? rest
      ?? DataLoaderState(generator: (generator ?? .current).state, batch: 0, epoch: next)
  }

  /// Continues from a saved state: the next epoch is the rest of the interrupted one.
  /// - Throws: `GeneratorStateError` if the bytes are not a generator state, and a `TensorError`
  ///   for a negative batch or epoch.
  public func restore(_ state: DataLoaderState) throws {
    try state.check("StreamLoader.restore(_:)")
    let start = try NormaRandom.Generator(state: state.generator)
    if generator != nil { generator = start }
    rest = state
    next = state.epoch
    running = nil
  }

  /// Calls `body` with the batches of one epoch, or of the rest of a restored one, in order.
  ///
  /// - Throws: whatever a sample or `body` throws, and a `TensorError` if the samples of a batch
  ///   do not stack; the next call begins a new epoch.
  public func forEach(_ body: ([Tensor]) throws -> Void) throws {
    let epoch = try begin()
    while let batch = try epoch.nextBatch() { try body(batch) }
  }

  /// An epoch, or the rest of a restored one.
  public func makeIterator() -> LoaderIterator {
    LoaderIterator(file, line) { try begin().nextBatch }
  }

  private func begin() throws -> StreamEpoch {
    var stream = generator ?? .current
    let begun = rest?.batch ?? 0
    if let rest { stream = try NormaRandom.Generator(state: rest.generator) }
    let start = stream.state
    let own = NormaRandom.Generator(seed: stream.next())
    if generator != nil {
      generator = stream
    } else if rest == nil {
      NormaRandom.Generator.current = stream
    }
    rest = nil
    let state = DataLoaderState(generator: start, batch: begun, epoch: next)
    next += 1
    let samples = SampleStream(
      data, own, batchSize: batchSize, dropLast: dropLast, window: shuffleWindow)
    let epoch = StreamEpoch(state, prefetch, samples)
    running = epoch
    return epoch
  }
}
