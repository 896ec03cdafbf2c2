import NormaKernels

extension NormalizationGradient {
  /// The gradients if rows are normalized and the weight varies along them, as in layer norm: dx,
  /// dweight and dbias in one pass, eagerly. Nil otherwise.
  static func ofRows(
    _ rule: Backward, eps: Double, weight: Tensor?, own: OwnStatistics?
  ) -> NormalizationGradients? {
    let x = rule.saved[0].detached()
    guard let weight = weight?.detached(), let own, x.dtype == .float32,
      rule.upstream.dtype == .float32, x.layout.isContiguous, x.count > 0
    else { return nil }
    // The last axes, with one weight for each of their indices.
    let first = x.rank - own.axes.count
    let rowShape = [Int](repeating: 1, count: first) + x.shape[first...]
    guard !own.axes.isEmpty, own.axes == Array(first..<x.rank), weight.shape == rowShape
    else { return nil }
    let columns = weight.count
    let kernel = RowGradient(rows: x.count / columns, columns: columns)
    guard columns > 1, columns <= RowGradient.mostColumns else { return nil }

    let mean = rule.saved[1].cast(to: .float64)
    let variance = rule.saved[2].cast(to: .float64)
    let operands = [x, rule.upstream.detached(), weight.cast(to: .float32), mean, variance]
      .map { $0.contiguous() }
    Tensor.evaluate(operands)
    let storages = operands.map { $0.node.materialize() }
    let bases = zip(operands, storages).map { operand, storage in
      UnsafeRawPointer(storage.base + operand.layout.offset * operand.dtype.byteCount)
    }
    let room = Layout(contiguous: x.shape)
    let gradient = rule.needs(0) ? (try? Storage.room(room, .float32, "")) : nil
    if rule.needs(0) && gradient == nil { return nil }
    guard let sums = Storage.scratchOrReport(byteCount: kernel.sumBytes, of: x.shape),
      let pack = Tensor.Pack(count: columns, of: 2, dtype: .float32)
    else { return nil }
    let results = pack.storage.base.assumingMemoryBound(to: Float.self)
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowGradient, ["normalization gradient"], over: x.shape,
        reads: operands.reduce(0) { $0 + $1.touchedBytes },
        writes: (gradient?.byteCount ?? 0) + 2 * columns * 4))
    withExtendedLifetime(storages) {
      kernel.run(
        RowGradient.Operands(
          x: bases[0], upstream: bases[1], weight: bases[2], mean: bases[3], variance: bases[4],
          epsilon: eps),
        gradient: gradient?.base, weight: results, bias: results + columns, sums: sums.base,
        ownMeans: own.origin == .mean, threads: TensorThreads.count)
    }
    let rows = pack.tensors(like: Layout(contiguous: rowShape))
    let input = gradient.map { storage in
      let layout = Layout(contiguous: x.shape)
      return Tensor(node: Node(stored: storage, dtype: .float32, layout: layout), layout: layout)
    }
    return NormalizationGradients(input: input, weight: rows[0], bias: rows[1])
  }
}
