/// The parts of a tensor along its first axis, as views: `for row in x`.
///
/// Nothing is copied; what is pending is computed once, before the first part. A tensor without axes has no
/// parts and is refused. The parts have histories, so gradients go back to the whole. PyTorch:
/// `for row in x`.
extension Tensor: Sequence {
  /// Gives one part after the other.
  public struct Iterator: IteratorProtocol, Sendable {
    private let whole: Tensor
    private var place = 0
    private let count: Int

    fileprivate init(_ whole: Tensor) {
      self.whole = whole
      count = whole.rank == 0 || whole.isPoisoned ? 0 : whole.shape[0]
    }

    /// The next part; nil after the last.
    public mutating func next() -> Tensor? {
      guard place < count else { return nil }
      defer { place += 1 }
      return whole.taking([place])
    }
  }

  /// Begins at the first part.
  public func makeIterator() -> Iterator {
    if rank == 0 && !isPoisoned {
      report(
        TensorError("for in", "a tensor without axes has no parts; item() is its number"),
        file: #fileID, line: #line)
    }
    return Iterator(evaluated())
  }

  /// The size of the first axis.
  public var underestimatedCount: Int { rank == 0 || isPoisoned ? 0 : shape[0] }
}
