import NormaTensor

/// One pass over the samples of a ``StreamLoader``.
final class StreamEpoch {
  private let queue: BatchQueue
  /// The position: the number of batches that were returned.
  private(set) var state: DataLoaderState
  private var isOver = false

  init(_ state: DataLoaderState, _ prefetch: Int, _ stream: SampleStream) {
    self.state = state
    let begun = state.batch
    // One worker produces the batches in order; before the first one it skips those returned
    // earlier.
    queue = BatchQueue(
      from: begun, through: .max, workers: prefetch > 0 ? 1 : 0, ahead: Swift.max(prefetch, 1)
    ) { number in
      Result {
        if number == begun { try stream.skip(begun) }
        return try stream.nextBatch() ?? []
      }
    }
  }

  deinit { queue.stop() }

  /// The next batch; nil after the last.
  func nextBatch() throws -> [Tensor]? {
    if isOver { return nil }
    do {
      let batch = try queue.next(state.batch).get()
      isOver = batch.isEmpty
      if isOver {
        queue.stop()
        return nil
      }
      state.batch += 1
      return batch
    } catch {
      isOver = true
      queue.stop()
      throw error
    }
  }
}

/// Batches of a streaming dataset's samples, in its order or shuffled within a window.
final class SampleStream: @unchecked Sendable {  // One thread at a time walks through it.
  private let begin: () throws -> () throws -> [Tensor]?
  private var generator: Generator
  private let batchSize: Int
  private let dropLast: Bool
  private let window: Int
  private var source: (() throws -> [Tensor]?)?
  private var kept: [[Tensor]] = []
  private var isDry = false

  init(
    _ data: some IterableDataset, _ generator: Generator, batchSize: Int, dropLast: Bool,
    window: Int
  ) {
    begin = { try data.samples() }
    self.generator = generator
    self.batchSize = batchSize
    self.dropLast = dropLast
    self.window = window
  }

  /// The next batch; nil after the last.
  func nextBatch() throws -> [Tensor]? {
    // Worker threads are outside the loop's error scope, so errors are caught here and thrown by
    // the loop.
    try catchingTensorErrors {
      let samples = try nextSamples()
      guard let first = samples.first, !dropLast || samples.count == batchSize else { return nil }
      if let other = samples.first(where: { $0.count != first.count }) {
        throw TensorError(
          "StreamLoader", "samples of \(first.count) and of \(other.count) tensors do not stack")
      }
      return first.indices.map { part in Tensor.stacked(samples.map { $0[part] }).evaluated() }
    }
  }

  /// Skips batches.
  func skip(_ batches: Int) throws {
    for _ in 0..<batches {
      if try nextSamples().isEmpty { return }
    }
  }

  private func nextSamples() throws -> [[Tensor]] {
    var samples: [[Tensor]] = []
    while samples.count < batchSize, let sample = try nextSample() { samples.append(sample) }
    return samples
  }

  private func nextSample() throws -> [Tensor]? {
    while !isDry && kept.count <= window {
      guard let sample = try drawn() else { break }
      kept.append(sample)
    }
    if kept.isEmpty { return nil }
    if window == 0 { return kept.removeFirst() }
    let place = Int.random(in: kept.indices, using: &generator)
    kept.swapAt(place, kept.count - 1)
    return kept.removeLast()
  }

  /// The dataset's next sample, with draws from the epoch's generator.
  private func drawn() throws -> [Tensor]? {
    // If this throws, the stream has ended.
    isDry = true
    let sample = try withGenerator(&generator) { () -> [Tensor]? in
      let source = try source ?? begin()
      self.source = source
      return try source()
    }
    isDry = sample == nil
    return sample?.map { $0.detached().evaluated() }
  }
}
