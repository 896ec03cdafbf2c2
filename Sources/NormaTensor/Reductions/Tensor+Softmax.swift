import NormaKernels

// Softmax and related functions over one axis: stable, because the largest element is subtracted
// first.

extension Tensor {
  /// eˣ / Σ eˣ over an axis.
  ///
  /// The largest element is subtracted first, so that nothing overflows; a row of -∞ gives NaN.
  /// Cost: for the last axis of `float32` in row-major order one read and one write, eagerly;
  /// otherwise three passes. PyTorch: `torch.softmax`.
  public func softmax(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    softmax(axis, isLog: false, "softmax(over:)", file, line)
  }

  private func softmax(
    _ axis: Int, isLog: Bool, _ call: String, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    checked(self, file: file, line: line, call: call) { () throws(TensorError) in
      let front = try Shape.axis(axis, of: shape, call: call)
      if dtype.isHalf { return roundedOnce { $0.softmax(front, isLog: isLog, call, file, line) } }
      if count == 0 { return cast(to: dtype.isFloatingPoint ? dtype : .float32) }
      let x = detached().asReal
      let axes = rank == 0 ? [] : [front]
      let byRow = front != rank - 1 ? nil : isLog ? x.rowLogSoftmax : x.rowSoftmax()
      let result =
        byRow ?? (isLog ? x.pendingLogSoftmax(over: axes) : x.pendingSoftmax(over: axes))
      let noted = result.noted(.softmax(axis: front, isLog: isLog), [self])
      if !isLog { return noted.recordedSoftmax(of: self, over: axes) }
      return noted.recorded(call, from: [self], savesResult: true) { rule in
        let sum = rule.upstream.sum(over: axes, keepDims: true)
        return [rule.upstream - rule.result.exp() * sum]
      }
    }
  }

  /// The softmax over the last axis where row i of the axis before it uses only the elements up to
  /// i; 0 elsewhere. Other elements have no influence, whatever they are.
  ///
  /// Cost: as for ``softmax(over:file:line:)``, and half the powers.
  package func causalSoftmax() -> Tensor {
    if isPoisoned { return self }
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    if let result = detached().rowSoftmax(causal: rows) {
      return result.recordedSoftmax(of: self, over: [rank - 1])
    }
    let isSeen = Tensor.arange(columns) .<= Tensor.arange(rows).unsqueezed(1)
    return Tensor.where(isSeen, self, -Double.infinity).softmax(over: -1)
  }

  /// This softmax with its history: dx = (u - Σ(u y)) y.
  private func recordedSoftmax(of x: Tensor, over axes: [Int]) -> Tensor {
    recorded("softmax(over:)", from: [x], savesResult: true) { rule in
      if !rule.isRecording, axes == [rule.result.rank - 1],
        let gradient = rule.result.detached().rowSoftmaxGradient(rule.upstream.detached())
      {
        return [gradient]
      }
      let product = rule.upstream * rule.result
      // The remaining difference may be small: the mean stays in `float64`.
      let mean =
        rule.isRecording
        ? product.sum(over: axes, keepDims: true)
        : product.node.group(of: product, over: axes).tensor(.sum)
      return [(rule.upstream - mean) * rule.result]
    }
  }

  /// The gradient with respect to the operand of this softmax, over the last axis, computed eagerly
  /// row by row; nil if one of them does not have such a layout.
  private func rowSoftmaxGradient(_ upstream: Tensor) -> Tensor? {
    guard areRowsInCache, let columns = shape.last, upstream.dtype == .float32,
      upstream.layout.isContiguous
    else { return nil }
    ExecutionLog.add(.rowSoftmax, "softmax gradient", [self, upstream], into: shape, .float32)
    let (rows, threads) = (count / columns, TensorThreads.count)
    let isStreamed = 4 * count >= Limits.streamedBytes
    let layout = Layout(contiguous: shape)
    return .computed(.float32, layout, from: [self, upstream]) { at, result in
      RowSoftmax.gradient(
        rows: rows, columns: columns, y: at[0], upstream: at[1], into: result,
        isStreamed: isStreamed, threads: threads)
    }
  }

  private func pendingSoftmax(over axes: [Int]) -> Tensor {
    let powers = (self - max(over: axes, keepDims: true)).exp()
    // Divides in `float64`, the type of the sum, by one reciprocal per sum.
    let sum = powers.reduced(.sum, over: axes, keepDims: true, to: .float64)
    return (powers * sum.reciprocal()).cast(to: dtype)
  }

  private func pendingLogSoftmax(over axes: [Int]) -> Tensor {
    let shifted = self - max(over: axes, keepDims: true)
    return shifted - shifted.exp().sum(over: axes, keepDims: true).log()
  }

  /// The softmax over the last axis, computed eagerly row by row in cache; nil if the layout is not
  /// suitable.
  private func rowSoftmax(causal: Int = 0) -> Tensor? {
    byRow(causal > 0 ? "causal softmax" : "softmax") {
      rows, columns, from, into, isStreamed, threads in
      RowSoftmax.run(
        rows: rows, columns: columns, causal: causal, from: from, into: into,
        isStreamed: isStreamed, threads: threads)
    }
  }

  /// The log-softmax in the same way.
  private var rowLogSoftmax: Tensor? {
    byRow("log softmax") { rows, columns, from, into, isStreamed, threads in
      RowSoftmax.log(
        rows: rows, columns: columns, from: from, into: into, isStreamed: isStreamed,
        threads: threads)
    }
  }

  private func byRow(
    _ name: String,
    _ run:
      @escaping @Sendable (Int, Int, UnsafeRawPointer, UnsafeMutableRawPointer, Bool, Int) -> Void
  ) -> Tensor? {
    guard areRowsInCache, let columns = shape.last else { return nil }
    let storage = node.materialize()
    let layout = Layout(contiguous: shape)
    guard !storage.isMissing, let result = Storage.roomOrReport(layout, .float32) else {
      return .poisoned
    }
    ExecutionLog.add(.rowSoftmax, name, [self], into: shape, .float32)
    let (rows, threads) = (count / columns, TensorThreads.count)
    let isStreamed = result.byteCount >= Limits.streamedBytes
    let from = KernelMemory.reads(self, in: storage)
    if KernelRecorder.isOpen {
      KernelRecorder.keep([from, .writes(result)]) { at in
        run(rows, columns, at[0], at[1], isStreamed, threads)
        return true
      }
    }
    withExtendedLifetime(storage) {
      run(rows, columns, from.address, result.address, isStreamed, threads)
    }
    return Tensor(stored: result, .float32, layout)
  }

  /// Whether the last axis consists of `float32` rows in memory that stay in cache.
  var areRowsInCache: Bool {
    guard dtype == .float32, layout.isContiguous, let columns = layout.shape.last, count > 0
    else { return false }
    return areRowsInCache(columns)
  }

  /// x - log Σ eˣ over an axis, without computing intermediate numbers that underflow.
  ///
  /// Over the last axis of `float32` in row-major order, results near 0 keep their precision. Cost:
  /// as for ``softmax(over:file:line:)``. PyTorch: `torch.log_softmax`.
  public func logSoftmax(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    softmax(axis, isLog: true, "logSoftmax(over:)", file, line)
  }

  /// log Σ eˣ over axes, or over all if none are named; -∞ of an empty tensor.
  ///
  /// The gradient is `softmax`, but 0 if all elements are -∞, because none of them changes the sum.
  /// PyTorch: `torch.logsumexp`, whose gradient is NaN there.
  public func logSumExp(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    logSumExp(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// `logSumExp` with the axes in an array.
  public func logSumExp(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "logSumExp(over:)"
      let front = try Shape.axes(axes, of: shape, call: call)
      if dtype.isHalf { return roundedOnce { $0.logSumExp(over: front, keepDims: keepDims) } }
      let x = detached().asReal
      let kept = Shape.reduced(shape, over: front, keepDims: true)
      let target = Shape.reduced(shape, over: front, keepDims: keepDims)
      if count == 0 {
        let shape = shape
        return Tensor.full(target, -Double.infinity, dtype: x.dtype)
          .recorded(call, from: [self]) { _ in [Tensor.zeros(shape, dtype: x.dtype)] }
      }
      let sum = x.rowLogSumExp(over: front) ?? x.pendingLogSumExp(over: front)
      return sum.reshaped(target)
        .noted(.logSumExp(axes: front, keepsAxes: keepDims), [self])
        .recorded(call, from: [self], saving: [self], savesResult: true) { rule in
          // An empty sum has the logarithm -∞, and -∞ + ∞ is NaN.
          let log = Tensor.where(rule.result .== -Double.infinity, 0, rule.result)
          let weights = (rule.saved[0] - log.reshaped(kept)).exp()
          return [weights * rule.upstream.reshaped(kept)]
        }
    }
  }

  private func pendingLogSumExp(over axes: [Int]) -> Tensor {
    let highest = max(over: axes, keepDims: true)
    // Infinite maxima are not subtracted: ∞ - ∞ is NaN.
    let shift = Tensor.where(highest.abs() .== Double.infinity, 0, highest)
    return (self - shift).exp().sum(over: axes, keepDims: true).log() + shift
  }

  /// The same for rows in memory, in one pass; nil if the layout is not suitable.
  private func rowLogSumExp(over axes: [Int]) -> Tensor? {
    guard dtype == .float32, layout.isContiguous, axes.count > 0, axes.first == rank - axes.count
    else { return nil }
    let columns = countPerResult(axes)
    guard areRowsInCache(columns) else { return nil }
    let target = Layout(contiguous: Array(shape[..<(rank - axes.count)]))
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowSoftmax, ["log of sum of powers"], over: shape, reads: touchedBytes,
        writes: 4 * target.count))
    let (rows, threads) = (target.count, TensorThreads.count)
    return .computed(.float32, target, from: [self]) { at, result in
      RowSoftmax.logSumExp(
        rows: rows, columns: columns, from: at[0], into: result, threads: threads)
    }
  }

  /// Whether rows of this many values are reduced along the row, and stay in cache meanwhile.
  private func areRowsInCache(_ columns: Int) -> Bool {
    !Space.isDown(run: columns, beside: count / columns) && RowSoftmax.columns.contains(columns)
  }

  /// Integers as `float32`.
  private var asReal: Tensor { dtype.isFloatingPoint ? self : cast(to: .float32) }
}
