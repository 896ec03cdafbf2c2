import NormaTensor

/// A quantity that is computed from predictions, batch by batch.
///
///     var accuracy = Accuracy()
///     for batch in loader { accuracy.update(model(batch[0]), batch[1]) }
///     print(accuracy.value)
///
/// Metrics are values: they can be saved, sent to other tasks and merged, and do not depend on how
/// the samples were split. They hold counts and sums, but no graph. Without samples the result is
/// NaN.
public protocol Metric: Sendable, Hashable, Codable {
  /// Adds a batch of predictions and targets.
  mutating func update(_ x: Tensor, _ target: Tensor, file: StaticString, line: UInt)

  /// Adds what another metric has collected.
  mutating func merge(_ other: Self)
}

extension Metric {
  /// A metric of the samples of both.
  public func merged(with other: Self) -> Self {
    var sum = self
    sum.merge(other)
    return sum
  }

  /// Runs the rule of an update; an error leaves the metric unchanged.
  mutating func change(
    _ tensors: [Tensor], _ file: StaticString, _ line: UInt,
    _ rule: (inout Self) throws(TensorError) -> Void
  ) {
    if tensors.contains(where: \.isPoisoned) { return }
    do throws(TensorError) {
      var new = self
      try withoutGradients { () -> Result<Void, TensorError> in
        do throws(TensorError) { return .success(try rule(&new)) } catch { return .failure(error) }
      }.get()
      self = new
    } catch {
      report(error, file: file, line: line)
    }
  }
}

/// Checks classes against scores `[C]`, `[N, C]` or `[N, C, d...]`, and returns the class axis.
func classAxis(_ x: Tensor, _ target: Tensor, _ call: String) throws(TensorError) -> Int {
  let axis = x.rank == 1 ? 0 : 1
  var expected = x.shape
  if x.rank > 0 { expected.remove(at: axis) }
  guard x.rank > 0, x.dtype.isFloatingPoint, target.shape == expected, target.dtype.isInteger
  else {
    throw TensorError(
      call,
      "scores [N, C] or [N, C, ...] and integer targets without C are needed; got \(x.dtype) "
        + "\(x.shape) and \(target.dtype) \(target.shape)")
  }
  return axis
}
