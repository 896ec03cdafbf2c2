import NormaTensor

/// Batches of a dataset, epoch by epoch, prepared in the background.
///
///     manualSeed(0)
///     let loader = DataLoader(data, batchSize: 128, shuffle: true)
///     for _ in 0..<epochs {
///       for batch in loader { train(batch[0], batch[1]) }
///     }
///
/// Each loop is a separate epoch, also when nested in another. If a sample cannot be read, a loop
/// ends the program, or, inside `catchingTensorErrors`, ends early with that error; ``forEach(_:)``
/// throws it.
///
/// The order is PyTorch's for the same seed, for the default generator and for a `generator` of
/// your own, and the generator is left in the state in which PyTorch leaves it. Batches come in
/// order and do not depend on the number of workers, as each batch draws from its own generator.
/// PyTorch: `torch.utils.data.DataLoader`.
public final class DataLoader<Data: Dataset>: Sequence {
  let data: Data
  let batchSize: Int
  private let shuffle: Bool
  let sampler: (any Sampler)?
  private let dropLast: Bool
  let workers: Int
  let prefetch: Int
  /// Nil draws from the default generator.
  private var generator: NormaRandom.Generator?
  /// The number of the next epoch.
  private var next = 0
  /// Where the next epoch starts, if it is the rest of an interrupted one.
  private var rest: (start: NormaRandom.Generator, batch: Int)?
  /// The epochs in progress, innermost last.
  private var running: [Weak] = []
  private let file: StaticString
  private let line: UInt

  private struct Weak {
    weak var epoch: Epoch<Data>?
  }

  /// A loader.
  ///
  /// - Parameters:
  ///   - data: the samples.
  ///   - batchSize: the number of samples in a batch.
  ///   - shuffle: whether each epoch has its own order, PyTorch's for the same seed.
  ///   - sampler: another choice and order of samples, such as ``WeightedSampler``,
  ///     ``SubsetSampler`` or ``DistributedSampler``; then nothing else draws from the generator,
  ///     and `shuffle` is ignored.
  ///   - dropLast: whether an incomplete last batch is left out.
  ///   - workers: the number of threads that prepare batches ahead; 0 prepares on demand.
  ///   - prefetch: the largest number of batches that are prepared ahead.
  ///   - generator: the generator that the order is drawn from; nil is the default generator.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  public init(
    _ data: Data, batchSize: Int = 1, shuffle: Bool = false, sampler: (any Sampler)? = nil,
    dropLast: Bool = false, workers: Int = 1, prefetch: Int = 2,
    generator: NormaRandom.Generator? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    checkLoader(
      "DataLoader(_:batchSize:)",
      [
        "batchSize": (batchSize, 1...Int.max), "workers": (workers, 0...Self.mostWorkers),
        "prefetch": (prefetch, 1...Int.max),
      ], file, line)
    self.data = data
    self.batchSize = Swift.max(batchSize, 1)
    self.shuffle = shuffle
    self.sampler = sampler
    self.dropLast = dropLast
    self.workers = Swift.min(Swift.max(workers, 0), Self.mostWorkers)
    self.prefetch = Swift.max(prefetch, 1)
    self.generator = generator
    self.file = file
    self.line = line
  }

  /// More threads than any machine has processors.
  private static var mostWorkers: Int { 1024 }

  /// The number of batches in an epoch.
  public var count: Int {
    let samples = sampler?.count(of: data.count) ?? data.count
    return samples / batchSize + (dropLast || samples % batchSize == 0 ? 0 : 1)
  }

  /// A lower bound of the number of batches; always 0.
  public var underestimatedCount: Int { 0 }

  /// The loader's position; set it to continue from there.
  public var state: DataLoaderState {
    if let epoch = running.last(where: { $0.epoch != nil })?.epoch { return epoch.state }
    return DataLoaderState(
      generator: (rest?.start ?? generator ?? .current).state, batch: rest?.batch ?? 0, epoch: next)
  }

  /// Continues from a saved state: the next epoch is the rest of the interrupted one.
  ///
  /// A loader that draws from the default generator does so again from the following epoch on.
  /// - Throws: `GeneratorStateError` if the bytes are not a generator state, and a `TensorError`
  ///   for a negative batch or epoch.
  public func restore(_ state: DataLoaderState) throws {
    try state.check("DataLoader.restore(_:)")
    let start = try NormaRandom.Generator(state: state.generator)
    if generator != nil { generator = start }
    rest = state.batch > 0 ? (start, state.batch) : nil
    next = state.epoch
  }

  /// Calls `body` with the batches of one epoch, or of the rest of a restored one, in order.
  ///
  /// - Throws: whatever a sample or `body` throws, and a `TensorError` if the sampler returns
  ///   samples that do not exist or the wrong number of them; the next call begins a new epoch.
  public func forEach(_ body: ([Tensor]) throws -> Void) throws {
    let epoch = try begin()
    while let batch = try epoch.nextBatch() { try body(batch) }
  }

  /// An epoch, or the rest of a restored one.
  public func makeIterator() -> LoaderIterator {
    LoaderIterator(file, line) { try begin().nextBatch }
  }

  private func begin() throws -> Epoch<Data> {
    let begun = rest?.batch ?? 0
    let isRest = rest != nil
    let start = rest?.start ?? generator ?? .current
    rest = nil
    next += 1
    var stream = start
    let samples = samples(drawing: &stream)
    if generator != nil {
      generator = stream
    } else if !isRest {
      NormaRandom.Generator.current = stream
    }
    let wanted = sampler?.count(of: data.count) ?? data.count
    guard samples.count == wanted else {
      throw TensorError(
        "DataLoader.sampler", "\(samples.count) samples were drawn, count(of:) promises \(wanted)")
    }
    if let wrong = samples.first(where: { !(0..<data.count).contains($0) }) {
      throw TensorError(
        "DataLoader.sampler",
        "sample \(wrong) is out of range for \(data.count) samples; valid are 0 ..< \(data.count)")
    }
    let epoch = Epoch(self, samples, from: begun, of: count, number: next - 1, start: start)
    running.removeAll { $0.epoch == nil }
    running.append(Weak(epoch: epoch))
    return epoch
  }

  /// After the last batch PyTorch asks its sampler for more, which costs one more draw.
  func drawAfterLast() {
    if shuffle && sampler == nil { _ = generator?.permutation(data.count) }
  }

  /// The samples of an epoch, with the draws that PyTorch makes at its start.
  private func samples(drawing stream: inout NormaRandom.Generator) -> [Int] {
    if let sampler {
      return sampler.samples(of: data.count, epoch: next - 1, drawing: &stream)
    }
    // The draw for PyTorch's worker seed.
    _ = stream.next()
    guard shuffle else { return Array(0..<data.count) }
    if generator != nil { return stream.permutation(data.count) }
    var own = NormaRandom.Generator(seed: stream.next() & UInt64(Int64.max))
    return own.permutation(data.count)
  }
}

extension Generator {
  /// The numbers below `count` in the order of `torch.randperm`.
  fileprivate mutating func permutation(_ count: Int) -> [Int] {
    withGenerator(&self) { Tensor.randperm(count).array(of: Int.self) }
  }
}
