/// The slices of a tensor along its first axis, as views: `for row in x`.
///
/// Nothing is copied; pending work runs once, before the first slice. Iterating over a tensor
/// without axes is a mistake. The slices have histories, so gradients propagate to the whole.
/// PyTorch: `for row in x`.
extension Tensor: Sequence {
  /// Iterates over the slices.
  public struct Iterator: IteratorProtocol, Sendable {
    private let whole: Tensor
    private var position = 0
    private let count: Int

    fileprivate init(_ whole: Tensor) {
      self.whole = whole
      count = whole.rank == 0 || whole.isPoisoned ? 0 : whole.shape[0]
    }

    /// The next slice; nil after the last.
    public mutating func next() -> Tensor? {
      guard position < count else { return nil }
      defer { position += 1 }
      return whole.taking([position])
    }
  }

  /// An iterator that starts at the first slice.
  public func makeIterator() -> Iterator {
    if rank == 0 && !isPoisoned {
      report(
        TensorError("for in", "a tensor without axes has no slices; item() is its number"),
        file: #fileID, line: #line)
    }
    return Iterator(evaluated())
  }

  /// The size of the first axis.
  public var underestimatedCount: Int { rank == 0 || isPoisoned ? 0 : shape[0] }
}
