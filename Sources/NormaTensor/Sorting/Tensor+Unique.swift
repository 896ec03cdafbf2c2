import NormaKernels

// Distinct elements and slices. They run eagerly, because their number depends on the values.

extension Tensor {
  /// The sorted distinct elements; for each element, the index of its value among them; and the
  /// counts. With an axis, the same for slices along it, in lexicographic order.
  ///
  /// `values` has one axis, or this shape with another size along `axis`. `inverse` has this shape,
  /// or one axis: `values[inverse]` is the tensor. `inverse` and `counts` are `int64`. A NaN equals
  /// no other NaN; 0 and -0 are equal. Cost: a sort; for integers in a small range, three passes
  /// and a table no longer than the tensor.
  /// PyTorch: `torch.unique(return_inverse=True, return_counts=True)`, always sorted.
  public func unique(
    over axis: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    let call = "unique(over:)"
    return checked(
      file: file, line: line, call: call, else: (.poisoned, .poisoned, .poisoned)
    ) { () throws(TensorError) in
      if isPoisoned { return (self, self, self) }
      guard let axis else { return uniqueElements() }
      let front = try Shape.axis(axis, of: shape, call: call)
      return rank == 0 ? uniqueElements() : uniqueSlices(front)
    }
  }

  private func uniqueElements() -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    if let counted = countedElements() { return counted }
    let row = detached().reshaped([-1])
    let rows = SortedRows(row, 0)
    var (counts, inverse) = (Tensor.poisoned, Tensor.poisoned)
    var found = 0
    // Sorts into new memory, then moves the distinct elements to its front.
    let (sorted, _) = rows.pair(size: count) { values, indices in
      rows.sort.run(
        rows.dtype, first: count, descending: false, from: rows.runs.base, into: values,
        indices: indices)
      counts = rows.runs.result(.int64) { counts in
        inverse = rows.runs.result(.int64) { inverse in
          found = RowUnique.run(
            rows.dtype, count, sorted: values, indices: indices,
            inverse: inverse.assumingMemoryBound(to: Int64.self),
            counts: counts.assumingMemoryBound(to: Int64.self))
        }
      }
    }
    if count == 0 {
      let none = Tensor.zeros([0], dtype: .int64)
      return (.zeros([0], dtype: dtype), .zeros(shape, dtype: .int64), none)
    }
    func first(_ row: Tensor) -> Tensor {
      found == count ? row : row.narrowed(over: 0, from: 0, count: found).copied().evaluated()
    }
    return (first(sorted).outOfKernelType(to: dtype), inverse.reshaped(shape), first(counts))
  }

  /// The distinct integers if their range is so small that a table can count them all.
  private func countedElements() -> (values: Tensor, inverse: Tensor, counts: Tensor)? {
    guard count > 0, !dtype.isFloatingPoint else { return nil }
    let x = detached().inKernelType.contiguous()
    let storage = x.node.materialize()
    if storage.isMissing { return (.poisoned, .poisoned, .poisoned) }
    defer { withExtendedLifetime(storage) {} }
    ExecutionLog.add(.counting, "count", [x], into: shape, .int64)
    let numbers = NumberCounts(
      x.dtype, count, storage.base + x.layout.offset * x.dtype.byteCount,
      threads: TensorThreads.count)
    let range = numbers.range
    let (width, isWide) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
    guard !isWide, width < Swift.max(count, 256) else { return nil }
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: width + 1) { table in
      table.initialize(repeating: 0)
      guard let base = table.baseAddress else { return nil }
      numbers.add(from: range.lowerBound, to: base)
      let found = NumberCounts.different(table)
      var counts = Tensor.poisoned
      let values = Tensor(shape: [found], dtype: x.dtype) { values in
        counts = Tensor(shape: [found], dtype: .int64) { counts in
          guard let values = values.baseAddress, let counts = counts.baseAddress else { return }
          numbers.list(
            table, from: range.lowerBound, into: values,
            counts: counts.assumingMemoryBound(to: Int64.self))
        }
      }
      let inverse = Tensor(shape: shape, dtype: .int64) { bytes in
        guard let out = bytes.baseAddress else { return }
        numbers.lookUp(
          in: base, from: range.lowerBound, into: out.assumingMemoryBound(to: Int64.self))
      }
      return (values.outOfKernelType(to: dtype), inverse, counts)
    }
  }

  private func uniqueSlices(_ axis: Int) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    let x = detached().inKernelType
    let order = [axis] + shape.indices.filter { $0 != axis }
    let runs = AxisRuns(
      x.permuted(order), 0, order: Array(order.indices))
    return withExtendedLifetime(runs) {
      let (firsts, inverse, counts) = RowUnique.slices(
        x.dtype, runs.size, width: runs.inner, runs.base)
      return (detached().picked(axis, firsts.map(Int.init)), Tensor(inverse), Tensor(counts))
    }
  }
}
