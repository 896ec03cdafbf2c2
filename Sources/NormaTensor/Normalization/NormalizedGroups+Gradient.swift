import CNormaLoops
import NormaKernels

extension NormalizedGroups {
  /// dx, dweight and dbias, eagerly, group by group in cache. Nil if groups are not contiguous, or
  /// parameters change neither from run to run nor along rows, and with a mask.
  static func gradients(
    _ rule: Backward, eps: Double, weight: Tensor?, own: OwnStatistics?, mask: NormalizationMask?
  ) -> NormalizationGradients? {
    // Without a weight, the shape of the bias is unknown here.
    guard let own, mask == nil, weight != nil || !rule.needs(1) else { return nil }
    let groups = NormalizedGroups(
      rule.saved[0].detached(), over: own.axes,
      weight: weight?.detached().cast(to: .float32).contiguous(), bias: nil)
    return groups?.gradients(rule, eps: eps, from: own.origin)
  }

  private func gradients(
    _ rule: Backward, eps: Double, from origin: NormalizationOrigin
  ) -> NormalizationGradients? {
    let hasRows = kernel.hasRowOfParameters
    let upstream = rule.upstream.detached()
    guard upstream.dtype == .float32, kernel.valuesPerGroup > 1,
      hasRows
        ? kernel.parameterCount <= GroupNormalization.longestRow
        : upstream.layout.isContiguous
          && (x.count <= Limits.smallNormalization || hasRowsForAll)
    else { return nil }
    let statistics = rule.saved[1...2].map { $0.detached().cast(to: .float64) }
    let operands = ([x, upstream] + statistics + (weight.map { [$0] } ?? []))
      .map { $0.contiguous() }
    Tensor.evaluate(operands)
    let memory = operands.map { $0.memory() }
    let bases = memory.map { UnsafeRawPointer($0.address) }
    let room = Layout(contiguous: x.shape)
    let dx = rule.needs(0) ? (try? Storage.room(room, .float32, "")) : nil
    if rule.needs(0) && dx == nil { return nil }
    guard let sums = Storage.scratchOrReport(byteCount: kernel.sumBytes, of: x.shape),
      let pack = Tensor.Pack(count: kernel.parameterCount, of: 2, dtype: .float32)
    else { return nil }
    let results = pack.storage.base.assumingMemoryBound(to: Float.self)
    ExecutionLog.add(
      ExecutionPlan.Step(
        hasRows ? .rowGradient : .groups, ["normalization gradient"], over: x.shape,
        reads: operands.reduce(0) { $0 + $1.touchedBytes },
        writes: (dx?.byteCount ?? 0) + 2 * kernel.parameterCount * 4))
    withExtendedLifetime(memory) {
      kernel.gradient(
        norma_group_parameters(
          weight: weight == nil ? nil : bases[4].assumingMemoryBound(to: Float.self), bias: nil,
          eps: eps, from_zero: origin == .zero ? 1 : 0),
        x: bases[0], upstream: bases[1], mean: bases[2].assumingMemoryBound(to: Double.self),
        variance: bases[3].assumingMemoryBound(to: Double.self), dx: dx?.base, weight: results,
        bias: results + kernel.parameterCount,
        sums: sums.base.assumingMemoryBound(to: Double.self), threads: TensorThreads.count)
    }
    let tensors = pack.tensors(
      like: Layout(contiguous: weight?.shape ?? [Int](repeating: 1, count: x.rank)))
    let input = dx.map { Tensor(stored: $0, .float32, room) }
    return NormalizationGradients(input: input, weight: tensors[0], bias: tensors[1])
  }
}
