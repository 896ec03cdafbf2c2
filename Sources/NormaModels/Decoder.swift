import NormaNN
import NormaTensor

// What decoders of text share.

/// Text tokens followed by the `count` most probable next ones, one after the other; `scores` are
/// those of a network with caches, which is given only the tokens that are new.
func continuation(of tokens: [Int], count: Int, _ scores: (Tensor) -> Tensor) -> [Int] {
  var (all, next) = (tokens, tokens)
  return withoutGradients {
    for _ in 0..<count {
      next = [scores(Tensor(next).unsqueezed(0))[0, -1].argmax().item(as: Int.self)]
      all += next
    }
    return all
  }
}

extension Module {
  /// Loads the state of a file that may hold more than this network, but nothing less, and goes
  /// into evaluation mode.
  func loadAll(
    _ state: some Sequence<(key: String, value: Tensor)>, strippingPrefix prefix: String = ""
  ) throws {
    let report = try load(state, strict: false, strippingPrefix: prefix)
    if !report.missing.isEmpty { throw LoadError(report: report) }
    eval()
  }
}

/// Attention of positions `[N, heads, L, D]` to those up to their own, those in a cache included.
/// The number of query heads may be a multiple of that of key heads.
func causalAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, _ cache: KeyValueCache?
) -> Tensor {
  let before = cache?.count ?? 0
  let all = cache?.adding(keys: key, values: value) ?? (key, value)
  let isGrouped = query.shape[1] != key.shape[1]
  if before == 0 {
    return scaledDotProductAttention(
      query, all.0, all.1, isCausal: true, enableGQA: isGrouped)
  }
  let (queries, keys) = (query.shape[2], all.0.shape[2])
  let mask =
    queries == 1
    ? nil : Tensor.arange(keys).unsqueezed(0) .<= (Tensor.arange(queries).unsqueezed(1) + before)
  return scaledDotProductAttention(query, all.0, all.1, mask: mask, enableGQA: isGrouped)
}

/// A linear map whose weight is `[inputs, outputs]`.
final class TransposedLinear: Module {
  let weight: Parameter
  let bias: Parameter

  init(_ inputs: Int, _ outputs: Int) {
    weight = Parameter(.normal([inputs, outputs], mean: 0, std: 0.02))
    bias = Parameter(.zeros(outputs))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.matmul(weight.value) + bias.value }
}
