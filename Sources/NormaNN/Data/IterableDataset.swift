import NormaTensor

/// Samples that come one after the other, in unknown number: lines of large files, messages, or
/// numbers that are generated on the fly.
///
///     struct Lines: IterableDataset {
///       let path: String
///       func samples() throws -> () throws -> [Tensor]? {
///         let file = try LineReader(path)
///         return { try file.next().map(parsed) }
///       }
///     }
///
/// With several processes, a dataset must return its own process's share only, as the loader cannot
/// select it. PyTorch: `torch.utils.data.IterableDataset`.
public protocol IterableDataset: Sendable {
  /// Begins an epoch: each call of the result returns the next sample, one tensor for each part,
  /// and nil after the last. It is called by one thread at a time.
  ///
  /// - Throws: an error if the epoch cannot begin; the result throws if a sample cannot be
  ///   read.
  func samples() throws -> () throws -> [Tensor]?
}

/// The elements of a Swift sequence as samples. The sequence is iterated once for every epoch.
public struct SampleSequence<Base: Sequence & Sendable>: IterableDataset {
  private let base: Base
  private let sample: @Sendable (Base.Element) throws -> [Tensor]

  /// Makes a sample of each element of `base`.
  public init(
    _ base: Base, _ sample: @escaping @Sendable (Base.Element) throws -> [Tensor]
  ) {
    self.base = base
    self.sample = sample
  }

  /// Begins an epoch.
  public func samples() -> () throws -> [Tensor]? {
    var iterator = base.makeIterator()
    return { try iterator.next().map(sample) }
  }
}
