import CNormaLoops
import NormaValues

extension Tensor {
  /// A reduction of few contiguous elements, which runs eagerly with a cached plan: recording it
  /// would take longer.
  ///
  /// - Parameters:
  ///   - axes: sorted, from the front.
  ///   - divisor: a result in `float64` is divided by this.
  ///   - isRoot: whether the result is the square root of that.
  ///   - companion: for a sum of products, the other factor, with the same layout.
  /// - Returns: nil if there are many elements, if more work is needed, or in a recorded call.
  @inline(never)
  func reducedAtOnce(
    _ result: ReductionGroup.Result, over axes: [Int], keepDims: Bool, to type: DType,
    divisor: Double = 1, isRoot: Bool = false, with companion: Tensor? = nil
  ) -> Tensor? {
    guard layout.count <= Limits.fewToReduce, layout.count > 0, layout.isContiguous,
      !dtype.isNarrow, !axes.isEmpty, 3 * rank + 3 <= KeyWords.most, !KernelRecorder.isOpen
    else { return nil }
    let count = layout.count / countPerResult(axes)
    guard let storage = Storage.scratchOrReport(byteCount: count * type.byteCount, of: layout.shape)
    else { return nil }
    var hasRun = false
    if type.isFloatingPoint && result != .minimum && result != .maximum {
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * count) { wide in
        guard let results = wide.baseAddress else { return }
        hasRun = reduceAtOnce(
          result, over: axes, with: companion, into: results,
          squares: result == .squares ? results + count : nil)
        let last = result == .squares ? results + count : results
        norma_finish_reduction(
          last, Int64(count), divisor, isRoot ? 1 : 0, type.stored, storage.base)
      }
    } else {
      hasRun = reduceAtOnce(result, over: axes, with: nil, into: storage.base, squares: nil)
    }
    if !hasRun { return .poisoned }
    let layout = Layout(
      contiguous: Shape.reduced(layout.shape, over: axes, keepDims: keepDims))
    return Tensor(stored: storage, type, layout)
  }

  /// Computes results in the type in which they are accumulated. False if memory ran out.
  private func reduceAtOnce(
    _ result: ReductionGroup.Result, over axes: [Int], with companion: Tensor?,
    into target: UnsafeMutableRawPointer, squares: UnsafeMutablePointer<Double>?
  ) -> Bool {
    let (values, factors) = (node.materialize(), companion?.node.materialize())
    if values.isMissing || factors?.isMissing ?? false { return false }
    // If both factors are the same values, they are read once.
    let second = companion.flatMap { $0.node === node && $0.layout === layout ? nil : $0 }
    guard let plan = keptPlan(result, over: axes, with: companion, isOwn: second == nil) else {
      return false
    }
    return withUnsafeTemporaryAllocation(
      of: UnsafeMutablePointer<CChar>?.self, capacity: 3
    ) { bases in
      var count = 0
      func add(_ storage: Storage, _ offset: Int) {
        bases[count] = (storage.base + offset * dtype.byteCount).assumingMemoryBound(to: CChar.self)
        count += 1
      }
      // In the order in which a program of a group has them.
      if let second, let factors { add(factors, second.layout.offset) }
      add(values, layout.offset)
      if companion != nil { add(Tensor.zero, 0) }
      ExecutionLog.add(
        ExecutionPlan.Step(
          .reduction, ["\(result)"], over: shape,
          reads: touchedBytes + (second?.touchedBytes ?? 0),
          writes: layout.count / countPerResult(axes) * (squares == nil ? 8 : 16)))
      return withExtendedLifetime((values, factors)) {
        var form = plan.form
        form.input_bases = UnsafePointer(bases.baseAddress)
        return plan.withSinks(
          &form, over: layout.shape,
          place: { _, sink in
            sink.result = target.assumingMemoryBound(to: CChar.self)
            sink.m2 = squares
          }
        ) {
          norma_program_run($0, nil, plan.threads)
          return true
        }
      }
    }
  }

  /// The zero from which products are measured.
  private static let zero: Storage = {
    let storage = Storage(byteCount: 8)
    storage.base.storeBytes(of: 0, as: Double.self)
    return storage
  }()

  /// The plan of a reduction of stored elements; nil if memory ran out.
  private func keptPlan(
    _ result: ReductionGroup.Result, over axes: [Int], with companion: Tensor?, isOwn: Bool
  ) -> Plan? {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: KeyWords.most) { memory in
      guard let base = memory.baseAddress else { return nil }
      var words = KeyWords(base)
      let kind = result.rawValue << 1 | (isOwn ? 1 : 0)
      words.append(-3 - (kind << 8 | Int(dtype.stored)))
      guard words.append(layout), words.hasRoom(axes.count) else { return nil }
      for axis in axes { words.append(axis) }
      if let plan = words.plan { return plan }
      let wide = Layout(shape: [], strides: [], offset: 0)
      let center = companion.map { _ in
        Tensor(
          node: Node(stored: Tensor.zero, dtype: .float64, layout: wide),
          layout: wide.broadcast(to: shape))
      }
      let group = ReductionGroup(
        source: detached(), companion: companion?.detached(), center: center, axes: axes)
      guard let results = ReductionGroup.Results(group, [result]) else { return nil }
      let (evaluation, values) = group.evaluation(for: [result])
      guard let compiled = group.compile(evaluation.program, values, results) else {
        fatalError("a stored tensor of shape \(shape) could not be reduced")
      }
      PlanCache.shared.keep(compiled.plan, as: words.key)
      return compiled.plan
    }
  }
}
