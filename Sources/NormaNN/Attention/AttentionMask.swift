import NormaTensor

/// The masks of a call of ``MultiheadAttention`` as one mask of
/// ``scaledDotProductAttention(_:_:_:mask:dropout:isCausal:scale:enableGQA:file:line:)``.
struct AttentionMask {
  /// Booleans that are true where attention is allowed, or numbers to add; nil if all is allowed.
  private(set) var tensor: Tensor?
  /// Whether there is no mask but the causal one.
  let isCausal: Bool

  /// - Parameter added: the number of keys after those of the caller, which masks do not cover.
  init(
    _ mask: Tensor?, _ padding: Tensor?, isCausal: Bool, _ heads: AttentionHeads, numHeads: Int,
    added: Int
  ) throws(TensorError) {
    let call = "MultiheadAttention(_:_:_:)"
    let (batch, queries) = (heads.query.shape[0], heads.query.shape[2])
    let (all, dtype) = (heads.key.shape[2], heads.query.dtype)
    let keys = all - added
    var masks: [Tensor] = []
    if let mask {
      let expected = [[queries, keys], [batch * numHeads, queries, keys]]
      guard expected.contains(mask.shape) else {
        throw TensorError(
          call, "the mask has shape \(mask.shape); expected \(expected[0]) or \(expected[1])")
      }
      masks.append(mask.rank == 2 ? mask : mask.reshaped(batch, numHeads, queries, keys))
    }
    if let padding {
      let expected = heads.isSingle ? [keys] : [batch, keys]
      guard padding.shape == expected else {
        throw TensorError(
          call, "the key padding mask has shape \(padding.shape); expected \(expected)")
      }
      masks.append(padding.reshaped(batch, 1, 1, keys))
    }
    self.isCausal =
      isCausal && masks.isEmpty && heads.offset == 0 && added == 0 && queries == keys
    // Whether the first query has keys after it.
    if isCausal && !self.isCausal && keys > heads.offset + 1 {
      let position = Tensor.arange(queries).unsqueezed(1) + heads.offset
      masks.append(Tensor.arange(keys).unsqueezed(0) .> position)
    }
    for mask in masks where mask.dtype != .bool && !mask.dtype.isFloatingPoint {
      throw TensorError(call, "a mask holds \(mask.dtype); Booleans or real numbers are needed")
    }
    guard !masks.isEmpty else { return }
    if masks.allSatisfy({ $0.dtype == .bool }) {
      let blocked = masks.dropFirst().reduce(masks[0]) { $0 .| $1 }
      tensor = .!Self.longer(blocked, by: added)
    } else {
      let numbers = masks.map { mask in
        mask.dtype == .bool
          ? Tensor.where(mask, Tensor(-Double.infinity, dtype: dtype), 0) : mask.cast(to: dtype)
      }
      tensor = Self.longer(numbers.dropFirst().reduce(numbers[0], +), by: added)
    }
  }

  /// With columns of zeros for more keys.
  private static func longer(_ x: Tensor, by added: Int) -> Tensor {
    if added == 0 { return x }
    let zeros = Tensor.zeros(x.shape.dropLast() + [added], dtype: x.dtype)
    return Tensor.concatenated([x, zeros], over: -1)
  }

  /// The weights of the keys `[N, heads, L, S]`, which attention without weights does not store.
  func weights(_ query: Tensor, _ key: Tensor) throws(TensorError) -> Tensor {
    let narrow = query.dtype
    let working: DType = narrow == .float16 || narrow == .bfloat16 ? .float32 : narrow
    let factor = 1 / Double(query.shape[3]).squareRoot()
    var scores = (query.cast(to: working) * factor).matmul(key.cast(to: working).transposed())
    if isCausal { return scores.causalSoftmax().cast(to: narrow) }
    guard let tensor else { return scores.softmax(over: -1).cast(to: narrow) }
    scores =
      tensor.dtype == .bool
      ? Tensor.where(tensor, scores, -Double.infinity) : scores + tensor.cast(to: working)
    let isBlind = scores.detached().max(over: -1, keepDims: true) .== -Double.infinity
    return Tensor.where(isBlind, 0, Tensor.where(isBlind, 0, scores).softmax(over: -1))
      .cast(to: narrow)
  }
}
