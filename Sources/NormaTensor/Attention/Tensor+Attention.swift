import NormaKernels

extension Tensor {
  /// softmax(q kᵀ scale + mask) v, computed block by block: the weights are never stored.
  ///
  /// The operands are `float32` or `float64` with the same leading axes, in any layout; repeated
  /// ones have stride 0. The mask, without a history, broadcasts to the scores. Queries that see
  /// nothing give 0. The result has the memory order of the queries. Weights are dropped with the
  /// probability `dropout`, below 1, by the draws that `bernoulli` makes for all of them.
  package static func attention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor?, isCausal: Bool,
    scale: Double, dropout: Double = 0, call: String
  ) -> Tensor {
    let blocks = AttentionBlocks(
      query, key, value, mask: mask, isCausal: isCausal, scale: scale, dropout: dropout)
    guard let blocks else { return .poisoned }
    return blocks.result.recorded(
      call, from: [query, key, value], saving: [query, key, value], runsAtOnce: true
    ) { rule in
      if rule.isRecording { return blocks.recordedGradients(rule) }
      return blocks.gradients(rule.upstream.detached()) ?? [.poisoned, .poisoned, .poisoned]
    }
  }
}

/// The tensors of an attention, with what its gradient needs of the forward pass.
private struct AttentionBlocks: Sendable {
  let result: Tensor
  private let plan: AttentionPlan
  private let query: Tensor, key: Tensor, value: Tensor
  private let mask: Tensor?
  private let highest: Tensor, inverses: Tensor
  private let dropout: AttentionDropout?

  /// Nil if there was no memory, which is recorded.
  init?(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor?, isCausal: Bool, scale: Double,
    dropout: Double
  ) {
    plan = AttentionPlan(
      query: query, key: key, value: value, isCausal: isCausal, scale: scale)
    self.dropout = dropout == 0 ? nil : AttentionDropout(dropout, plan)
    self.query = query.detached()
    self.key = key.detached().readable
    self.value = value.detached().readable
    self.mask = mask?.broadcast(to: plan.batch + [plan.queries, plan.keys])
    let rows = Layout(contiguous: plan.batch + [plan.queries])
    guard let stored = Tensor.Pack(count: rows.count, of: 1, dtype: plan.dtype),
      let factors = Tensor.Pack(count: rows.count, of: 1, dtype: .float64)
    else { return nil }
    highest = stored.tensors(like: rows)[0]
    inverses = factors.tensors(like: rows)[0]
    let (plan, drops) = (plan, self.dropout)
    let operands = [self.query, self.key, self.value] + (self.mask.map { [$0] } ?? [])
    let memory = operands.map { $0.memory() }
    if memory.contains(where: \.storage.isMissing) { return nil }
    let order = RowOrder(of: query)
    let shape = plan.batch + [plan.queries, plan.valueWidth]
    let layout = Layout(contiguous: order.stored(shape))
    guard let written = Storage.roomOrReport(layout, plan.dtype) else { return nil }
    AttentionBlocks.note("attention", operands, written.byteCount, plan)
    // Draws are new in each call.
    if drops != nil { KernelRecorder.noteUse(of: written) }
    let forms = operands.map { (strides: $0.layout.strides, dtype: $0.dtype) }
    let (strides, type, threads) = (order.strides(shape), mask?.dtype, TensorThreads.count)
    _ = KernelRecorder.run(
      memory + [.writes(written), .writes(stored.storage), .writes(factors.storage)]
    ) { at in
      let matrices = forms.enumerated().map {
        AttentionMatrices(base: at[$0], $1.strides, $1.dtype)
      }
      let results = at + forms.count
      AttentionKernel(
        plan, matrices, result: AttentionMatrices(base: results[0], strides, plan.dtype),
        highest: results[1], inverses: results[2], mask: type, dropout: drops
      ).run(threads: threads)
      return true
    }
    result = order.restored(Tensor(stored: written, plan.dtype, layout))
  }

  private static func note(
    _ name: String, _ operands: [Tensor], _ writes: Int, _ plan: AttentionPlan
  ) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .attention, [name], over: plan.batch + [plan.queries, plan.keys],
        reads: operands.reduce(0) { $0 + $1.touchedBytes }, writes: writes))
  }

  /// Gradients of queries, keys and values; nil if there was no memory.
  func gradients(_ upstream: Tensor) -> [Tensor]? {
    let parts = plan.gradientParts
    let order = RowOrder(of: query)
    let operands =
      [query, key, value] + (mask.map { [$0] } ?? []) + [result, upstream, highest, inverses]
    let storages = operands.map { $0.node.materialize() }
    if storages.contains(where: \.isMissing) { return nil }
    let shapes = [
      order.stored(query.shape), [parts] + key.shape, [parts] + value.shape,
    ]
    var results: [Tensor] = []
    var bases: [UnsafeMutableRawPointer] = []
    for shape in shapes {
      guard let pack = Tensor.Pack(count: shape.reduce(1, *), of: 1, dtype: plan.dtype) else {
        return nil
      }
      results.append(pack.tensors(like: Layout(contiguous: shape))[0])
      bases.append(pack.storage.base)
    }
    AttentionBlocks.note(
      "attention gradient", operands, results.reduce(0) { $0 + $1.touchedBytes }, plan)
    withExtendedLifetime((storages, results)) {
      let matrices = zip(operands, storages).map { AttentionMatrices($0, $1) }
      let saved = Array(matrices.suffix(4))
      let kernel = AttentionKernel(
        plan, matrices, result: saved[0], highest: saved[2].base, inverses: saved[3].base,
        mask: mask?.dtype, dropout: dropout)
      kernel.differentiate(
        AttentionKernel.Gradients(
          upstream: saved[1],
          query: AttentionMatrices(base: bases[0], order.strides(query.shape), plan.dtype),
          key: bases[1], value: bases[2]),
        threads: TensorThreads.count)
    }
    return [
      order.restored(results[0]),
      parts == 1 ? results[1].squeezed(0) : results[1].sum(over: 0),
      parts == 1 ? results[2].squeezed(0) : results[2].sum(over: 0),
    ]
  }

  /// The same by operations that have gradients themselves; the weights are stored.
  func recordedGradients(_ rule: Backward) -> [Tensor?] {
    let (query, key, value) = (rule.saved[0], rule.saved[1], rule.saved[2])
    let weights = Tensor.attentionWeights(
      query, key, mask: mask, isCausal: plan.isCausal, scale: plan.scale)
    let factors = dropout?.factors(plan)
    var slopes = rule.upstream.matmul(value.transposed())
    if let factors { slopes = slopes * factors }
    let mean = (slopes * weights).sum(over: -1, keepDims: true)
    let scores = (slopes - mean) * weights * plan.scale
    return [
      rule.whenNeeded(0) { scores.matmul(key) },
      rule.whenNeeded(1) { scores.transposed().matmul(query) },
      rule.whenNeeded(2) {
        (factors.map { weights * $0 } ?? weights).transposed().matmul(rule.upstream)
      },
    ]
  }
}

extension Tensor {
  /// softmax(q kᵀ scale + mask), 0 for queries that see nothing: the definition.
  package static func attentionWeights(
    _ query: Tensor, _ key: Tensor, mask: Tensor?, isCausal: Bool, scale: Double
  ) -> Tensor {
    var scores = (query * scale).matmul(key.transposed())
    if isCausal { return scores.causalSoftmax() }
    guard let mask else { return scores.softmax(over: -1) }
    scores =
      mask.dtype == .bool ? Tensor.where(mask, scores, -Double.infinity) : scores + mask
    guard let keys = scores.shape.last, keys > 0 else { return scores.softmax(over: -1) }
    let isBlind = scores.detached().max(over: -1, keepDims: true) .== -Double.infinity
    // The softmax of an empty set has neither value nor gradient, so these rows get other numbers.
    return Tensor.where(isBlind, 0, Tensor.where(isBlind, 0, scores).softmax(over: -1))
  }
}

/// The order in memory of the rows of a result: as in the queries, where heads often lie inside of
/// positions, so that merging them later copies nothing.
private struct RowOrder {
  /// Leading axes that lie inside of the rows.
  private let inside: Int
  private let rank: Int

  init(of query: Tensor) {
    rank = query.rank
    let (shape, strides) = (query.layout.shape, query.layout.strides)
    var inside = 0
    while inside < rank - 2 {
      let axis = rank - 3 - inside
      guard shape[axis] > 1, strides[axis] > 0, strides[axis] < strides[rank - 2] else { break }
      inside += 1
    }
    self.inside = inside
  }

  /// Axes in memory order.
  private var axes: [Int] {
    Array(0..<rank - 2 - inside) + [rank - 2] + Array(rank - 2 - inside..<rank - 2) + [rank - 1]
  }

  func stored(_ shape: [Int]) -> [Int] { axes.map { shape[$0] } }

  /// The strides of the axes of `shape`, in elements.
  func strides(_ shape: [Int]) -> [Int] {
    let stored = Layout(contiguous: stored(shape)).strides
    var result = stored
    for (place, axis) in axes.enumerated() { result[axis] = stored[place] }
    return result
  }

  /// A tensor that is stored in this order, with its own axes.
  func restored(_ tensor: Tensor) -> Tensor {
    if inside == 0 { return tensor }
    var back = axes
    for (place, axis) in axes.enumerated() { back[axis] = place }
    return tensor.permuted(back)
  }
}
