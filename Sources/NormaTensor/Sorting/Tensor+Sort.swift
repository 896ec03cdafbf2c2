import NormaKernels
import NormaValues

// Sorting along an axis. These run eagerly, in parallel over rows; gradients are scattered back to
// the elements.

extension Tensor {
  /// The elements along an axis in ascending order, and their indices.
  ///
  /// Stable: equal elements keep their order, including 0 and -0. NaN counts as the largest, so it
  /// comes last, or first if `descending`. Exact; indices are `int64`. Cost: time proportional to
  /// the number of elements; values, indices, a copy if the axis is not the fastest in memory, and
  /// for each thread 16 bytes per element of one row (32 for 64-bit types). PyTorch:
  /// `torch.sort(stable=True)`; `sorted(over: 0).values` is `torch.msort`.
  public func sorted(
    over axis: Int = -1, descending: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    ranked(axis, nil, descending, file, line, "sorted(over:descending:)")
  }

  /// The indices that sort the elements along an axis. PyTorch: `torch.argsort(stable=True)`.
  public func argsorted(
    over axis: Int = -1, descending: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    ranked(axis, nil, descending, file, line, "argsorted(over:descending:)").indices
  }

  /// The `count` largest elements along an axis, or the smallest, in order, and their indices.
  ///
  /// Of equal elements the first are selected. NaN counts as the largest. Cost: one pass to select
  /// few of many elements, a selection for up to half of them, otherwise a sort. PyTorch:
  /// `torch.topk`.
  public func topK(
    _ count: Int, over axis: Int = -1, largest: Bool = true, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    ranked(axis, count, largest, file, line, "topK(_:over:)")
  }

  private func ranked(
    _ axis: Int, _ count: Int?, _ descending: Bool, _ file: StaticString, _ line: UInt,
    _ call: String
  ) -> (values: Tensor, indices: Tensor) {
    pairs(axis, call: call, file: file, line: line) { (x, axis) throws(TensorError) in
      let size = x.shape[axis]
      guard count.map({ (0...size).contains($0) }) ?? true else {
        throw TensorError(
          call, "cannot select \(count ?? 0) elements of axis \(axis) of shape \(self.shape)")
      }
      let rows = SortedRows(x, axis)
      let (values, indices) = rows.pair(size: count ?? size) { values, found in
        rows.sort.run(
          rows.dtype, first: count ?? size, descending: descending, from: rows.runs.base,
          into: values, indices: found)
      }
      return (
        values.outOfKernelType(to: x.dtype).standing(in: x, axis, at: indices, call: call), indices
      )
    }
  }

  /// Elements of `source` at distinct `indices` along an axis, recorded with their gradient.
  private func standing(
    in source: Tensor, _ axis: Int, at indices: Tensor, call: String
  ) -> Tensor {
    let shape = source.shape
    return recorded(call, from: [source], saving: [indices], runsAtOnce: true) { rule in
      [
        Tensor.zeros(shape, dtype: rule.upstream.dtype)
          .scattered(rule.saved[0], rule.upstream, over: axis)
      ]
    }
  }
}

/// A tensor as contiguous rows along an axis, in a type that can be sorted.
struct SortedRows {
  let runs: AxisRuns
  let sort: RowSort
  private let shape: [Int]

  var dtype: DType { runs.dtype }

  init(_ tensor: Tensor, _ axis: Int) {
    var source = tensor.detached().inKernelType
    // Keys of 32 bits leave 32 for the indices.
    if tensor.shape[axis] > Int(UInt32.max) {
      source = source.cast(to: source.dtype.isFloatingPoint ? .float64 : .int64)
    }
    runs = AxisRuns(source, axis, order: AxisRuns.axisLast(source, axis))
    sort = RowSort(rows: runs.outer, size: runs.size, threads: runs.threads)
    shape = tensor.shape
  }

  /// Values of the rows' type and indices, `size` of them for each row.
  func pair(
    size: Int, fill: (UnsafeMutableRawPointer, UnsafeMutablePointer<Int64>) -> Void
  ) -> (values: Tensor, indices: Tensor) {
    // The scratch of a row is larger than the row, so its availability is checked first.
    let scratch = Swift.min(runs.size, Storage.largest) * (dtype.byteCount == 8 ? 32 : 16)
    if scratch >= 1 << 28, Storage.scratchOrReport(byteCount: scratch, of: shape) == nil {
      return (.poisoned, .poisoned)
    }
    ExecutionLog.add(
      ExecutionPlan.Step(
        .sort, ["sort"], over: shape, reads: shape.reduce(dtype.byteCount, *),
        writes: runs.outer * size * (dtype.byteCount + 8)))
    return runs.pair(dtype, size: size, fill: fill)
  }
}
