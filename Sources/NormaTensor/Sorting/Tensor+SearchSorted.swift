import NormaKernels
import NormaValues

// Places of values in sorted rows, by bisection.

extension Tensor {
  /// Where `values` would go into this sorted tensor so that it stays sorted: before equal elements,
  /// or behind them where `right`.
  ///
  /// - Parameters:
  ///   - values: what is looked up. Each row, along the last axis, is looked up in the row of the
  ///     same place, so all axes but the last are equal; a tensor of one axis serves values of any
  ///     shape.
  ///   - right: whether places are behind equal elements.
  ///   - sorter: the order of each row where the rows are not sorted, as `argsorted()` gives it.
  ///   - file: the caller's file, for the text of a mistake.
  ///   - line: the caller's line.
  /// - Returns: `int64` places of the shape of `values`, from 0 to the length of a row.
  /// - NaN goes behind all numbers; in rows it stands there, as `sorted()` leaves it: before the NaN of a
  ///   row, or behind them where `right`. Both are compared in their common type. In rows
  ///   that are not sorted the result has no meaning.
  /// - Cost: a bisection a value. PyTorch: `torch.searchsorted`.
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
          "values of shape \(values.shape) do not go into shape \(shape): all axes but the last must "
            + "be equal, or the sorted tensor has one axis")
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
      let (rows, what) = (sorted.node.materialize(), wanted.node.materialize())
      let orders = order?.node.materialize()
      if rows.isMissing || what.isMissing || orders?.isMissing ?? false { return .poisoned }
      let width = type.byteCount
      return withExtendedLifetime((rows, what, orders)) {
        Tensor(shape: values.shape, dtype: .int64) { bytes in
          guard let places = bytes.baseAddress, values.count > 0 else { return }
          let first = order.flatMap { order in orders.map { $0.base + order.layout.offset * 8 } }
          ExecutionLog.add(.search, "search", [sorted, wanted], into: values.shape, .int64)
          RowSearch.run(
            type, values: values.count, perRow: Swift.max(values.shape.last ?? 1, 1), size: size,
            isShared: rank == 1, right: right, in: rows.base + sorted.layout.offset * width,
            sorter: first.map { UnsafePointer($0.assumingMemoryBound(to: Int64.self)) },
            of: what.base + wanted.layout.offset * width,
            into: places.assumingMemoryBound(to: Int64.self), threads: TensorThreads.count)
        }
      }
    }
  }

  /// The bin between `boundaries` into which each element falls: boundary[i - 1] < x <= boundary[i],
  /// or boundary[i - 1] <= x < boundary[i] where `right`.
  ///
  /// `boundaries` are sorted and of one axis. `int64`, of this tensor's shape. PyTorch:
  /// `torch.bucketize`; NumPy: `digitize`, whose `right` means the opposite.
  public func bucketized(
    by boundaries: Tensor, right: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard boundaries.rank == 1 || boundaries.isPoisoned else {
        throw TensorError(
          "bucketized(by:)", "boundaries of shape \(boundaries.shape); one axis is needed")
      }
      return boundaries.searchSorted(self, right: right)
    }
  }

  private func check(_ sorter: Tensor, _ size: Int, _ call: String) throws(TensorError) {
    guard sorter.dtype.isInteger, sorter.shape == shape else {
      throw TensorError(
        call, "the sorter is \(sorter.dtype) \(sorter.shape); integers of shape \(shape) are needed"
      )
    }
    guard sorter.count > 0 else { return }
    let (low, high) = (
      sorter.min().asPositions.item(as: Int.self), sorter.max().asPositions.item(as: Int.self)
    )
    guard low >= 0, high < size else {
      throw TensorError(
        call, "place \(low < 0 ? low : high) in the sorter is outside of 0 ..< \(size)")
    }
  }
}
