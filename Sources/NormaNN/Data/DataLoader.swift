import NormaTensor

/// Batches of a dataset, epoch by epoch, prepared in the background.
///
///     manualSeed(0)
///     let loader = DataLoader(data, batchSize: 128, shuffle: true)
///     for _ in 0..<epochs {
///       for batch in loader { train(batch[0], batch[1]) }
///     }
///
/// Each loop is an epoch of its own, also inside of another. A loop ends the program when a sample cannot be
/// read, or, inside `catchingTensorErrors`, ends early with that error; ``forEach(_:)`` throws it.
///
/// The order is PyTorch's for the same seed, be it the default generator's or that of `generator`, and
/// the generator is left as PyTorch leaves it. Batches come in order and are the same whatever the
/// number of workers: a batch draws from a generator of its own. PyTorch:
/// `torch.utils.data.DataLoader`.
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
  /// Where the next epoch begins, if it is the rest of another.
  private var rest: (start: NormaRandom.Generator, batch: Int)?
  /// The epochs that are under way, the innermost last.
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
  ///   - batchSize: how many of them make a batch.
  ///   - shuffle: whether each epoch has an order of its own, PyTorch's for the same seed.
  ///   - sampler: another choice and order of samples, such as ``WeightedSampler``, ``SubsetSampler`` or
  ///     ``DistributedSampler``; then nothing else draws from the generator, and `shuffle` plays no part.
  ///   - dropLast: whether a last batch that is not full is left out.
  ///   - workers: how many threads prepare batches ahead; 0 prepares on demand.
  ///   - prefetch: how many batches are prepared ahead at most.
  ///   - generator: what the order is drawn from; nil is the default generator.
  ///   - file: The caller's file, for the text of a mistake.
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

  /// At most the number of batches.
  public var underestimatedCount: Int { 0 }

  /// Where the loader stands; set it to go on from there.
  public var state: DataLoaderState {
    if let epoch = running.last(where: { $0.epoch != nil })?.epoch { return epoch.state }
    return DataLoaderState(
      generator: (rest?.start ?? generator ?? .current).state, batch: rest?.batch ?? 0, epoch: next)
  }

  /// Goes on from a saved state: the next epoch is the rest of the one that was interrupted.
  ///
  /// A loader that draws from the default generator does so again with the epoch after it.
  /// - Throws: `GeneratorStateError` where the bytes are no state, and a `TensorError` for a negative batch or epoch.
  public func restore(_ state: DataLoaderState) throws {
    try state.check("DataLoader.restore(_:)")
    let start = try NormaRandom.Generator(state: state.generator)
    if generator != nil { generator = start }
    rest = state.batch > 0 ? (start, state.batch) : nil
    next = state.epoch
  }

  /// Gives the batches of one epoch, or of the rest of a restored one, to `body` in order.
  ///
  /// - Throws: what a sample or `body` throws, and a `TensorError` where the sampler names samples that do
  ///   not exist or more or fewer than it has; the next call begins a new epoch.
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

  /// PyTorch draws once more at the end of the samples, to find that there are none.
  func drawAfterLast() {
    if shuffle && sampler == nil { _ = generator?.permutation(data.count) }
  }

  /// The samples of an epoch, with the draws that PyTorch makes at its beginning.
  private func samples(drawing stream: inout NormaRandom.Generator) -> [Int] {
    if let sampler {
      return sampler.samples(of: data.count, epoch: next - 1, drawing: &stream)
    }
    // PyTorch's seed of its workers.
    _ = stream.next()
    guard shuffle else { return Array(0..<data.count) }
    if generator != nil { return stream.permutation(data.count) }
    var own = NormaRandom.Generator(seed: stream.next() & UInt64(Int64.max))
    return own.permutation(data.count)
  }
}

extension Generator {
  /// The numbers below `count` in an order that `torch.randperm` gives.
  fileprivate mutating func permutation(_ count: Int) -> [Int] {
    withGenerator(&self) { Tensor.randperm(count).array(of: Int.self) }
  }
}
