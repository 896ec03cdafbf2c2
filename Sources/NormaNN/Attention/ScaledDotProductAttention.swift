import NormaTensor

/// Attention: softmax(q kᵀ scale + mask) v.
///
/// - Shapes: q `[..., L, E]`, k `[..., S, E]` and v `[..., S, Ev]` give `[..., L, Ev]`; the leading
///   axes broadcast.
/// - Parameters:
///   - query: the queries.
///   - key: the keys.
///   - value: the values.
///   - mask: Booleans that are true where attention is allowed, or numbers that are added to the
///     scores; broadcasts to `[..., L, S]`.
///   - dropout: the probability with which a weight is dropped, outside of training too.
///   - isCausal: each of the L positions attends only to keys up to its own position; cannot be
///     combined with a mask.
///   - scale: 1 / √E by default.
///   - enableGQA: allows the number of query heads (third axis from the end) to be a multiple of
///     the number of key heads; neighboring query heads then share a key head.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Edge cases: where a query may attend to no key, its result and its gradients are 0.
/// - Accuracy: half types are computed in `float32`. `float32` with up to 65,536 products q kᵀ is
///   computed in `float64` and rounded once.
/// - Cost: two matrix products for each block of the weights, which are never stored: memory grows
///   with L + S. Blocks in which a causal mask hides everything are skipped; repeated heads and
///   masks are read in place. The backward pass computes the weights again. For gradients of the
///   mask and for gradients of gradients, all `[..., L, S]` weights are stored.
/// - PyTorch: `F.scaled_dot_product_attention`. With the same seed the same weights are dropped.
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, dropout: Double = 0,
  isCausal: Bool = false, scale: Double? = nil, enableGQA: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if [query, key, value].contains(where: \.isPoisoned) || mask?.isPoisoned == true {
      return .poisoned
    }
    if Autocast.type != nil {
      let (query, key, value) = (query.narrowed, key.narrowed, value.narrowed)
      let mask = mask?.narrowed
      return try Autocast.off { () throws(TensorError) in
        scaledDotProductAttention(
          query, key, value, mask: mask, dropout: dropout, isCausal: isCausal, scale: scale,
          enableGQA: enableGQA, file: file, line: line)
      }
    }
    try checkProbability(dropout, call)
    let operands = try AttentionOperands(
      query, key, value, mask: mask, isCausal: isCausal, enableGQA: enableGQA)
    let factor = scale ?? 1 / Double(query.shape[query.rank - 1]).squareRoot()
    let result = operands.result(
      dropout: dropout, isCausal: isCausal, scale: factor, file: file, line: line)
    return result.cast(to: query.dtype).noted(
      .attention(isCausal: isCausal, scale: factor, isGrouped: enableGQA),
      [query, key, value] + (mask.map { [$0] } ?? []))
  }
}

private let call = "scaledDotProductAttention(_:_:_:)"

/// Operands with the same leading axes, in the type in which attention is computed.
private struct AttentionOperands {
  private var query: Tensor, key: Tensor, value: Tensor
  private var mask: Tensor?
  /// The axes of the result.
  private var shape: [Int] = []

  init(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor?, isCausal: Bool, enableGQA: Bool
  ) throws(TensorError) {
    guard q.rank >= 2, k.rank >= 2, v.rank >= 2, q.dtype.isFloatingPoint, q.dtype == k.dtype,
      q.dtype == v.dtype, q.shape[q.rank - 1] == k.shape[k.rank - 1],
      k.shape[k.rank - 2] == v.shape[v.rank - 2]
    else {
      throw TensorError(
        call,
        "query \(q.dtype) \(q.shape), key \(k.dtype) \(k.shape) and value \(v.dtype) "
          + "\(v.shape) are not [..., L, E], [..., S, E] and [..., S, Ev] of one real type")
    }
    guard mask == nil || !isCausal else {
      throw TensorError(
        call, "a mask and isCausal exclude each other; put the causal part in the mask")
    }
    if let mask, mask.dtype != .bool, mask.dtype != q.dtype {
      throw TensorError(call, "the mask holds \(mask.dtype); bool or \(q.dtype) is needed")
    }
    let working = workingType(q, keys: k)
    query = q.cast(to: working)
    key = k.cast(to: working)
    value = v.cast(to: working)
    self.mask = mask.map { $0.dtype == .bool ? $0 : $0.cast(to: working) }
    var heads: Int?
    if enableGQA { heads = try groupHeads() }
    let (queries, keys) = (query.shape[query.rank - 2], key.shape[key.rank - 2])
    var batch = try Shape.broadcast(
      Array(query.shape.dropLast(2)), Array(key.shape.dropLast(2)), call: call)
    batch = try Shape.broadcast(batch, Array(value.shape.dropLast(2)), call: call)
    if let mask = self.mask {
      let scores = batch + [queries, keys]
      guard try Shape.broadcast(mask.shape, scores, call: call) == scores else {
        throw TensorError(call, "the mask \(mask.shape) does not broadcast to \(scores)")
      }
    }
    query = query.broadcast(to: batch + query.shape.suffix(2))
    key = key.broadcast(to: batch + key.shape.suffix(2))
    value = value.broadcast(to: batch + value.shape.suffix(2))
    shape =
      (heads.map { batch.dropLast(2) + [$0] } ?? batch) + [queries, v.shape[v.rank - 1]]
  }

  /// Splits the heads of the queries into those that share a key head, without copies; returns
  /// their number.
  private mutating func groupHeads() throws(TensorError) -> Int {
    guard query.rank >= 3, key.rank >= 3, value.rank >= 3 else {
      throw TensorError(call, "enableGQA needs an axis of heads, third from the end")
    }
    let (all, heads) = (query.shape[query.rank - 3], key.shape[key.rank - 3])
    guard heads > 0, all % heads == 0, value.shape[value.rank - 3] == heads else {
      throw TensorError(
        call,
        "\(all) query heads are not a multiple of \(heads) key and "
          + "\(value.shape[value.rank - 3]) value heads")
    }
    query = query.unflattened(query.rank - 3, into: [heads, all / heads])
    key = key.unsqueezed(key.rank - 2)
    value = value.unsqueezed(value.rank - 2)
    if let mask, mask.rank >= 3 {
      let axis = mask.rank - 3
      self.mask =
        mask.shape[axis] == all
        ? mask.unflattened(axis, into: [heads, all / heads]) : mask.unsqueezed(axis + 1)
    }
    return all
  }

  func result(
    dropout: Double, isCausal: Bool, scale: Double, file: StaticString, line: UInt
  ) -> Tensor {
    let result: Tensor
    if dropout < 1, mask?.hasHistory != true || !GradientMode.isRecording {
      result = Tensor.attention(
        query, key, value, mask: mask?.detached(), isCausal: isCausal, scale: scale,
        dropout: dropout, call: call)
    } else {
      let weights = Tensor.attentionWeights(
        query, key, mask: mask, isCausal: isCausal, scale: scale)
      result = Tensor.dropout(weights, p: dropout, file: file, line: line).matmul(value)
    }
    return result.shape == shape ? result : result.reshaped(shape)
  }
}

/// The type in which attention is computed. Softmax turns absolute errors of the scores into
/// relative errors of the weights, so the scores use a wider type where that is cheap.
private func workingType(_ query: Tensor, keys: Tensor) -> DType {
  switch query.dtype {
  case .float16, .bfloat16: return .float32
  case .float32:
    let (products, overflow) = query.count.multipliedReportingOverflow(
      by: keys.shape[keys.rank - 2])
    return !overflow && products <= 65_536 ? .float64 : .float32
  default: return query.dtype
  }
}
