import NormaKernels

// Single elements along an axis by rank or frequency, without sorting long rows.

extension Tensor {
  /// The element of rank `k` along an axis, counted from 1 for the smallest, and its index.
  ///
  /// NaN counts as the largest. Of equal elements the first has the lowest rank. Exact; indices are
  /// `int64`. The gradient goes to the element. Cost: ten to twenty passes over one row of keys,
  /// whatever the order of the elements; for each thread 16 bytes per element of one row (32 for
  /// 64-bit types). PyTorch: `torch.kthvalue`.
  public func kthValue(
    _ k: Int, over axis: Int = -1, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    let call = "kthValue(_:over:)"
    return pairs(
      axis, keepDims: keepDims, call: call, file: file, line: line
    ) { (x, axis) throws(TensorError) in
      try demand(x.shape[axis] > 0, call, "axis \(axis) of shape \(self.shape) has no elements")
      guard (1...x.shape[axis]).contains(k) else {
        throw TensorError(
          call,
          "rank \(k) is out of range for axis \(axis) of shape \(self.shape); ranks are 1 ... "
            + "\(x.shape[axis])")
      }
      return x.element(RowRanks(rank: k - 1), axis, call)
    }
  }

  /// The most frequent element along an axis, the smallest if there are several, and its last
  /// index.
  ///
  /// NaN equals NaN here, and counts as the largest. Exact; indices are `int64`. The gradient goes
  /// to the element at that index. Cost: a sort. PyTorch: `torch.mode`.
  public func mode(
    over axis: Int = -1, keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    let call = "mode(over:)"
    return pairs(
      axis, keepDims: keepDims, call: call, file: file, line: line
    ) { (x, axis) throws(TensorError) in
      try demand(x.shape[axis] > 0, call, "axis \(axis) of shape \(self.shape) has no elements")
      let rows = SortedRows(x, axis)
      let (found, indices) = rows.pair(size: 1) { values, found in
        rows.sort.runMode(rows.dtype, from: rows.runs.base, into: values, indices: found)
      }
      return (
        found.outOfKernelType(to: x.dtype).picked(from: x, axis, at: indices, call: call), indices
      )
    }
  }

  /// The element of one rank along an axis that is not empty, kept with size 1.
  func element(
    _ ranks: RowRanks, _ axis: Int, _ call: String
  ) -> (values: Tensor, indices: Tensor) {
    let rows = SortedRows(self, axis)
    let (values, indices) = rows.pair(size: 1) { values, found in
      rows.sort.runSelection(
        ranks, rows.dtype, from: rows.runs.base,
        into: RowRanks.Target(low: values, indices: found))
    }
    return (
      values.outOfKernelType(to: dtype).picked(from: self, axis, at: indices, call: call), indices
    )
  }

  /// For each rank the elements of the last axis below and above it, and the weight of the upper
  /// one in `float64`. Gradients go to both elements.
  func neighbours(
    _ ranks: RowRanks, _ call: String
  ) -> (low: Tensor, high: Tensor, weight: Tensor) {
    let last = rank - 1
    let rows = SortedRows(self, last)
    var upper: (values: Tensor, indices: Tensor)?
    var weight: Tensor?
    let lower = rows.pair(size: ranks.count) { low, found in
      upper = rows.pair(size: ranks.count) { high, highIndices in
        weight = rows.runs.result(.float64, size: ranks.count) { weights in
          rows.sort.runSelection(
            ranks, rows.dtype, from: rows.runs.base,
            into: RowRanks.Target(
              low: low, indices: found, high: high, highIndices: highIndices,
              weights: weights.assumingMemoryBound(to: Double.self)))
        }
      }
    }
    func back(_ pair: (values: Tensor, indices: Tensor)) -> Tensor {
      pair.values.outOfKernelType(to: dtype).gatheredAlong(self, last, at: pair.indices, call: call)
    }
    // If there are no results, lower and upper are the same.
    return (back(lower), back(upper ?? lower), weight ?? lower.values.cast(to: .float64))
  }
}
