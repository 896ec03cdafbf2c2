import NormaKernels

extension Tensor {
  /// The cumulative maximum along an axis, and its index.
  ///
  /// The last of equal elements. NaN counts as the largest and propagates. Exact, in the tensor's
  /// type; indices are `int64`. The gradient goes to the selected elements. Cost: one read and one
  /// write of values and indices. PyTorch: `torch.cummax`.
  public func cumulativeMax(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    cumulativeExtreme(axis, largest: true, "cumulativeMax(over:)", file, line)
  }

  /// The cumulative minimum along an axis, and its index.
  ///
  /// The last of equal elements. NaN propagates. Exact, in the tensor's type; indices are `int64`.
  /// The gradient goes to the selected elements. Cost: one read and one write of values and
  /// indices.
  /// PyTorch: `torch.cummin`.
  public func cumulativeMin(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    cumulativeExtreme(axis, largest: false, "cumulativeMin(over:)", file, line)
  }

  private func cumulativeExtreme(
    _ axis: Int, largest: Bool, _ call: String, _ file: StaticString, _ line: UInt
  ) -> (values: Tensor, indices: Tensor) {
    pairs(axis, call: call, file: file, line: line) { x, axis in
      let runs = AxisRuns(x.detached().inKernelType, axis)
      let scan = Scan(
        outer: runs.outer, size: runs.size, inner: runs.inner, threads: runs.threads)
      ExecutionLog.add(
        .scan, largest ? "scan maximum" : "scan minimum", [x], into: x.shape, runs.dtype)
      let (values, indices) = runs.pair(runs.dtype) { values, found in
        scan.runExtreme(
          largest: largest, runs.dtype, from: runs.base, into: values, indices: found)
      }
      return (
        values.outOfKernelType(to: x.dtype).gatheredAlong(x, axis, at: indices, call: call), indices
      )
    }
  }

  /// Values that were selected from `source` at `indices` along an axis: the gradient is scattered
  /// back, and added up if an element was selected several times.
  func gatheredAlong(_ source: Tensor, _ axis: Int, at indices: Tensor, call: String) -> Tensor {
    let shape = source.shape
    return recorded(call, from: [source], saving: [indices], runsAtOnce: true) { rule in
      [
        Tensor.zeros(shape, dtype: rule.upstream.dtype)
          .scatteredAdding(rule.saved[0], rule.upstream, over: axis)
      ]
    }
  }
}
