import NormaTensor

/// The batches of a loop over a ``DataLoader`` or a ``StreamLoader``.
///
/// If a sample cannot be read, the loop ends the program, or, inside `catchingTensorErrors`, ends
/// early with that error.
public struct LoaderIterator: IteratorProtocol {
  private var nextBatch: (() throws -> [Tensor]?)?
  private let file: StaticString
  private let line: UInt

  /// - Parameter begin: begins an epoch and returns a function for its batches, one after the
  ///   other.
  init(
    _ file: StaticString, _ line: UInt, begin: () throws -> () throws -> [Tensor]?
  ) {
    (self.file, self.line) = (file, line)
    do {
      nextBatch = try begin()
    } catch {
      // The error is thrown at the first batch.
      nextBatch = { throw error }
    }
  }

  /// The next batch; nil at the end of the epoch.
  public mutating func next() -> [Tensor]? {
    do {
      if let batch = try nextBatch?() { return batch }
    } catch {
      let mistake = error as? TensorError ?? TensorError("for batch in loader", "\(error)")
      report(mistake, file: file, line: line)
    }
    nextBatch = nil
    return nil
  }
}

/// Reports options of a loader that are out of range.
func checkLoader(
  _ call: String, _ options: KeyValuePairs<String, (Int, ClosedRange<Int>)>, _ file: StaticString,
  _ line: UInt
) {
  for (name, (number, range)) in options where !range.contains(number) {
    let limit =
      number < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
    report(
      TensorError(call, "\(name) must be \(limit), got \(number)"), file: file, line: line)
  }
}
