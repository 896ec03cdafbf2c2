import NormaKernels
import NormaValues

// Positions of values in sorted rows, by bisection.

extension Tensor {
  /// The indices at which `values` can be inserted into this sorted tensor so that it stays sorted:
  /// before equal elements, or after them if `right`.
  ///
  /// - Parameters:
  ///   - values: the values to look up. Each row, along the last axis, is looked up in the
  ///     corresponding row, so all axes but the last are equal; a tensor with one axis serves
  ///     values of any shape.
  ///   - right: whether to return indices after equal elements.
  ///   - sorter: the order of each row if the rows are not sorted, as returned by `argsorted()`.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Returns: `int64` indices in the shape of `values`, from 0 to the length of a row.
  /// - NaN is inserted after all numbers, where `sorted()` puts it in rows: before the NaN of a
  ///   row, or after them if `right`. Values and rows are compared in their common type. If rows
  ///   are not sorted, the result is meaningless.
  /// - Cost: a bisection per value.
  /// - PyTorch: `torch.searchsorted`.
  public func searchSorted(
    _ values: Tensor, right: Bool = false, sorter: Tensor? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "searchSorted(_:right:sorter:)"
      if isPoisoned || values.isPoisoned || sorter?.isPoisoned ?? false { return .poisoned }
      guard
        rank == 1 || rank > 0 && values.rank == rank && values.shape.dropLast() == shape.dropLast()
      else {
        throw TensorError(
          call,
          "values of shape \(values.shape) do not match shape \(shape): all axes but the last must "
            + "be equal, or the sorted tensor must have one axis")
      }
      let size = shape[rank - 1]
      if let sorter { try check(sorter, size, call) }
      let areWhole = !dtype.isFloatingPoint && !values.dtype.isFloatingPoint
      let common =
        areWhole ? DType.promoted(dtype, values.dtype) : Promotion.type([self, values])
      try Tensor.refuseMixedSigns([dtype, values.dtype], call)
      let sorted = detached().cast(to: common).inKernelType.contiguous()
      let wanted = values.detached().cast(to: common).inKernelType.contiguous()
      let type = common.kernelType
      let order = sorter?.detached().asPositions.contiguous()
      let operands = [sorted, wanted] + (order.map { [$0] } ?? [])
      ExecutionLog.add(.search, "search", [sorted, wanted], into: values.shape, .int64)
      let (count, perRow) = (values.count, Swift.max(values.shape.last ?? 1, 1))
      let (isShared, hasOrder, threads) = (rank == 1, order != nil, TensorThreads.count)
      let layout = Layout(contiguous: values.shape)
      return .computed(.int64, layout, from: operands, call) { at, result in
        if count == 0 { return }
        RowSearch.run(
          type, values: count, perRow: perRow, size: size, isShared: isShared, right: right,
          in: at[0],
          sorter: hasOrder ? UnsafePointer(at[2].assumingMemoryBound(to: Int64.self)) : nil,
          of: at[1], into: result.assumingMemoryBound(to: Int64.self), threads: threads)
      }
    }
  }

  /// The index of the bin between `boundaries` that contains each element: boundary[i - 1] < x <=
  /// boundary[i], or boundary[i - 1] <= x < boundary[i] if `right`.
  ///
  /// `boundaries` are sorted and have one axis. `int64`, in this tensor's shape.
  /// PyTorch: `torch.bucketize`; NumPy: `digitize`, whose `right` means the opposite.
  public func bucketized(
    by boundaries: Tensor, right: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard boundaries.rank == 1 || boundaries.isPoisoned else {
        throw TensorError(
          "bucketized(by:)", "boundaries must have one axis, got shape \(boundaries.shape)")
      }
      return boundaries.searchSorted(self, right: right)
    }
  }

  private func check(_ sorter: Tensor, _ size: Int, _ call: String) throws(TensorError) {
    try demand(
      sorter.dtype.isInteger && sorter.shape == shape, call,
      "the sorter must be integers of shape \(shape), got \(sorter.dtype) \(sorter.shape)")
    guard sorter.count > 0 else { return }
    let (low, high) = (
      sorter.min().asPositions.item(as: Int.self), sorter.max().asPositions.item(as: Int.self)
    )
    guard low >= 0, high < size else {
      throw TensorError(
        call, "index \(low < 0 ? low : high) in the sorter is outside of 0 ..< \(size)")
    }
  }
}
