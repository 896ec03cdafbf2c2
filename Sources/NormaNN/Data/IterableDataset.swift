import NormaTensor

/// Samples that come one after the other, and of which nobody knows how many there are: lines of large files,
/// messages, numbers that are made up on the way.
///
///     struct Lines: IterableDataset {
///       let path: String
///       func samples() throws -> () throws -> [Tensor]? {
///         let file = try LineReader(path)
///         return { try file.next().map(parsed) }
///       }
///     }
///
/// One of several processes gives its own share alone; nobody else can leave out what is not its own.
/// PyTorch: `torch.utils.data.IterableDataset`.
public protocol IterableDataset: Sendable {
  /// Begins an epoch: each call of the result gives the next sample, one tensor for each part, and nil after
  /// the last. It is called by one thread at a time.
  ///
  /// - Throws: what keeps a sample from being read; so may the result.
  func samples() throws -> () throws -> [Tensor]?
}

/// The elements of a Swift sequence, each a sample. It is walked through once for every epoch.
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
