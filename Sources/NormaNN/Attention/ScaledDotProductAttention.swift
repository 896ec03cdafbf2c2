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
/// - Cost: two batched matrix products and a softmax; the `[..., L, S]` weights are stored.
/// - PyTorch: `F.scaled_dot_product_attention`.
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
    let call = "scaledDotProductAttention(_:_:_:)"
    let (q, e) = (query, query.rank - 1)
    guard q.rank >= 2, key.rank >= 2, value.rank >= 2, q.dtype.isFloatingPoint,
      q.dtype == key.dtype, q.dtype == value.dtype, q.shape[e] == key.shape[key.rank - 1],
      key.shape[key.rank - 2] == value.shape[value.rank - 2]
    else {
      throw TensorError(
        call,
        "query \(q.dtype) \(q.shape), key \(key.dtype) \(key.shape) and value \(value.dtype) "
          + "\(value.shape) are not [..., L, E], [..., S, E] and [..., S, Ev] of one real type")
    }
    guard mask == nil || !isCausal else {
      throw TensorError(
        call, "a mask and isCausal exclude each other; put the causal part in the mask")
    }
    var (k, v) = (key, value)
    if enableGQA {
      k = try repeatedHeads(key, as: query, call)
      v = try repeatedHeads(value, as: query, call)
    }
    let factor = scale ?? 1 / Double(q.shape[e]).squareRoot()
    let working = workingType(q, keys: k)
    var scores = (q.cast(to: working) * factor)
      .matmul(k.cast(to: working).transposed(), file: file, line: line)
    if scores.isPoisoned { return .poisoned }
    var weights: Tensor
    if isCausal {
      weights = scores.causalSoftmax()
    } else if let mask {
      guard mask.dtype == .bool || mask.dtype == q.dtype else {
        throw TensorError(call, "the mask holds \(mask.dtype); bool or \(q.dtype) is needed")
      }
      scores =
        mask.dtype == .bool ? Tensor.where(mask, scores, -Double.infinity) : scores + mask
      if scores.isPoisoned { return .poisoned }
      if k.shape[k.rank - 2] > 0 {
        let isBlind = scores.detached().max(over: -1, keepDims: true) .== -Double.infinity
        // The softmax of an empty set has neither value nor gradient, so these rows get other
        // numbers.
        weights = Tensor.where(isBlind, 0, Tensor.where(isBlind, 0, scores).softmax(over: -1))
      } else {
        weights = scores.softmax(over: -1)
      }
    } else {
      weights = scores.softmax(over: -1)
    }
    if dropout > 0 { weights = Tensor.dropout(weights, p: dropout, file: file, line: line) }
    return weights.matmul(v.cast(to: working), file: file, line: line).cast(to: q.dtype)
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

/// Keys or values with each head repeated for its query heads, next to each other.
private func repeatedHeads(
  _ x: Tensor, as query: Tensor, _ call: String
) throws(TensorError) -> Tensor {
  guard x.rank >= 3, query.rank >= 3 else {
    throw TensorError(call, "enableGQA needs an axis of heads, third from the end")
  }
  let (heads, wanted) = (x.shape[x.rank - 3], query.shape[query.rank - 3])
  guard heads > 0, wanted % heads == 0 else {
    throw TensorError(call, "\(wanted) query heads are not a multiple of \(heads)")
  }
  if heads == wanted { return x }
  let axis = x.rank - 2
  var shape = x.unsqueezed(axis).shape
  shape[axis] = wanted / heads
  return x.unsqueezed(axis).broadcast(to: shape).flattened(from: x.rank - 3, through: x.rank - 2)
}
