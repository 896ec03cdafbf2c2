import NormaTensor

extension OperatorTable {
  static var attention: Entries {
    [
      "Attention": { node in
        let rule = try AttentionRule(node)
        return { try rule.run($0) }
      },
      "RotaryEmbedding": rotaryEmbedding,
      "SwiGLU": { node in
        let alpha = try node.float("alpha", 1)
        return { operands in
          let (a, b) = try (operands.tensor(0), operands.tensor(1))
          return [.tensor(a * (a * alpha).sigmoid() * b)]
        }
      },
      "LinearAttention": { node in
        let rule = try LinearAttentionRule(node)
        return { try rule.run($0) }
      },
      "CausalConvWithState": { node in
        let activation = try node.string("activation", "none")
        let isKnown = ["none", "silu", "swish"].contains(activation)
        try node.require(isKnown, "activation \(activation)")
        return { operands in
          let (x, weight) = try (operands.tensor(0), operands.tensor(1))
          guard x.rank == 3, weight.rank == 3 else { throw operands.failure("shape \(x.shape)") }
          let reach = weight.shape[2] - 1
          let past =
            operands.optional(3) ?? Tensor.zeros([x.shape[0], x.shape[1], reach], dtype: x.dtype)
          let whole = Tensor.concatenated([past, x], over: 2)
          let y = conv1d(whole, weight: weight, bias: operands.optional(2), groups: x.shape[1])
          let state = whole.narrowed(over: 2, from: whole.shape[2] - reach, count: reach)
          return [.tensor(activation == "none" ? y : y.silu()), .tensor(state)]
        }
      },
    ]
  }

  /// Heads of `[N, L, heads width]` as `[N, heads, L, width]`; other tensors have them already.
  static func split(_ x: Tensor, heads: Int?, _ operands: Operands) throws -> Tensor {
    if x.rank == 4 { return x }
    guard x.rank == 3, let heads, heads > 0, x.shape[2] % heads == 0 else {
      throw operands.failure("shape \(x.shape) has no \(heads ?? 0) heads")
    }
    return x.unflattened(2, into: [heads, x.shape[2] / heads]).permuted(0, 2, 1, 3)
  }

  /// The reverse of `split`.
  static func joined(_ x: Tensor) -> Tensor {
    x.permuted(0, 2, 1, 3).flattened(from: 2)
  }

  private static func rotaryEmbedding(_ node: NodeContext) throws -> GraphPlan.Run {
    let (heads, width) = try (node.int("num_heads"), node.int("rotary_embedding_dim", 0))
    let isInterleaved = try node.flag("interleaved")
    return { operands in
      let given = try operands.tensor(0)
      let x = try split(given, heads: heads, operands)
      var tables = try [operands.tensor(1), operands.tensor(2)]
      guard tables.allSatisfy({ $0.rank > 0 }), x.rank == 4 else {
        throw operands.failure("shapes \(x.shape) and \(tables.map(\.shape))")
      }
      if let positions = operands.optional(3) {
        tables = tables.map { table in
          table.indexSelected(positions.flattened(), over: 0)
            .reshaped(positions.shape + [table.shape[table.rank - 1]])
        }
      }
      // [N, 1, L, width / 2].
      let (cos, sin) = (tables[0].unsqueezed(1), tables[1].unsqueezed(1))
      let turned = width == 0 ? x.shape[3] : width
      let part = x.narrowed(over: 3, from: 0, count: turned)
      let a: Tensor
      let b: Tensor
      if isInterleaved {
        a = part.sliced(over: 3, from: 0, by: 2)
        b = part.sliced(over: 3, from: 1, by: 2)
      } else {
        a = part.narrowed(over: 3, from: 0, count: turned / 2)
        b = part.narrowed(over: 3, from: turned / 2, count: turned / 2)
      }
      let (real, imaginary) = (cos * a - sin * b, sin * a + cos * b)
      var y =
        isInterleaved
        ? Tensor.stacked([real, imaginary], over: -1).flattened(from: 3)
        : Tensor.concatenated([real, imaginary], over: 3)
      if turned < x.shape[3] {
        let rest = x.narrowed(over: 3, from: turned, count: x.shape[3] - turned)
        y = Tensor.concatenated([y, rest], over: 3)
      }
      return [.tensor(given.rank == 3 ? joined(y) : y)]
    }
  }
}

/// softmax(scale Q Kᵀ + mask) V, with caches, windows and grouped heads.
private struct AttentionRule {
  let isCausal: Bool
  let queryHeads: Int?
  let keyHeads: Int?
  let scale: Double?
  let cap: Double
  let mode: Int
  let precision: DType?
  let left: Int
  let right: Int

  init(_ node: NodeContext) throws {
    isCausal = try node.flag("is_causal")
    queryHeads = try node.int("q_num_heads")
    keyHeads = try node.int("kv_num_heads")
    scale = try node.float("scale")
    cap = try node.float("softcap", 0)
    mode = try node.int("qk_matmul_output_mode", 0)
    precision = try node.dtype("softmax_precision")
    left = try node.int("left_window_size", -1)
    right = try node.int("right_window_size", -1)
  }

  func run(_ operands: Operands) throws -> [Value] {
    let given = try operands.tensor(0)
    let query = try OperatorTable.split(given, heads: queryHeads, operands)
    var key = try OperatorTable.split(operands.tensor(1), heads: keyHeads, operands)
    var value = try OperatorTable.split(operands.tensor(2), heads: keyHeads, operands)
    let past = operands.optional(4)
    if let past, let pastValue = operands.optional(5) {
      key = Tensor.concatenated([past, key], over: 2)
      value = Tensor.concatenated([pastValue, value], over: 2)
    }
    let (presentKey, presentValue) = (key, value)
    let repeats = query.shape[1] / max(key.shape[1], 1)
    if repeats > 1 {
      key = key.repeatedInterleaved(repeats, over: 1)
      value = value.repeatedInterleaved(repeats, over: 1)
    }
    // Both factors take a root of the scale, so that products of half types stay small.
    let root = (scale ?? 1 / Double(query.shape[3]).squareRoot()).squareRoot()
    var scores = (query * root).matmul((key * root).transposed())
    let raw = scores
    if cap > 0 { scores = (scores / cap).tanh() * cap }
    let capped = scores
    let mask = try mask(query, key, pastLength: past?.shape[2], operands)
    if let mask { scores = scores + mask }
    let biased = scores
    var weights = scores.cast(to: precision ?? scores.dtype).softmax(over: -1)
    if let mask {
      // A query without any key to attend to gives zeros.
      let isLost = mask.max(over: [mask.rank - 1], keepDims: true) .== -Double.infinity
      weights = Tensor.where(isLost, Tensor.zeros([], dtype: weights.dtype), weights)
    }
    weights = weights.cast(to: query.dtype)
    let y = weights.matmul(value)
    // Mode 0 is the product after the cap in the standard's function.
    let scored = [cap > 0 ? capped : raw, capped, biased, weights][min(max(mode, 0), 3)]
    return [
      .tensor(given.rank == 3 ? OperatorTable.joined(y) : y), .tensor(presentKey),
      .tensor(presentValue), .tensor(scored),
    ]
  }

  /// What is added to the scores; nil if nothing is.
  private func mask(
    _ query: Tensor, _ key: Tensor, pastLength: Int?, _ operands: Operands
  ) throws -> Tensor? {
    let (rows, columns) = (query.shape[2], key.shape[2])
    let zero = Tensor.zeros([], dtype: query.dtype)
    let never = Tensor.full([], -Double.infinity, dtype: query.dtype)
    var allowed: Tensor?
    var added: Tensor?
    func allow(_ new: Tensor) { allowed = allowed.map { logicalAnd($0, new) } ?? new }
    if var mask = operands.optional(3) {
      guard mask.rank > 0 else { throw operands.failure("the mask has no axes") }
      let missing = columns - mask.shape[mask.rank - 1]
      if mask.dtype == .bool {
        if missing > 0 { mask = mask.padded([0, missing]) }
        allow(mask)
      } else {
        if missing > 0 { mask = mask.padded([0, missing], mode: .constant(-.infinity)) }
        added = mask
      }
    }
    let lengths = operands.optional(6).map { $0.reshaped([-1, 1, 1, 1]) }
    let column = Tensor.arange(columns).reshaped([1, columns])
    if isCausal || left >= 0 || right >= 0 {
      // The position of a query among the keys.
      var row = Tensor.arange(rows).reshaped([rows, 1]) + (pastLength ?? 0)
      if pastLength == nil, let lengths { row = row + (lengths - rows) }
      if isCausal { allow(column .<= row) }
      if left >= 0 { allow((row - column) .<= left) }
      if right >= 0 { allow((column - row) .<= right) }
    }
    if let lengths { allow(column .< lengths) }
    guard let allowed else { return added }
    let bias = Tensor.where(allowed, zero, never)
    return added.map { $0 + bias } ?? bias
  }
}

/// Attention whose state is a matrix for each head: it decays, and takes each key and value.
private struct LinearAttentionRule {
  let queryHeads: Int
  let keyHeads: Int
  let scale: Double
  let decays: Bool
  let corrects: Bool

  init(_ node: NodeContext) throws {
    queryHeads = try node.int("q_num_heads", 1)
    keyHeads = try node.int("kv_num_heads", 1)
    try node.require(queryHeads > 0 && keyHeads > 0, "\(queryHeads), \(keyHeads) heads")
    scale = try node.float("scale", 0)
    _ = try node.int("chunk_size")
    let rule = try node.string("update_rule", "gated_delta")
    let isKnown = ["linear", "gated", "delta", "gated_delta"].contains(rule)
    try node.require(isKnown, "update_rule \(rule)")
    decays = rule.hasPrefix("gated")
    corrects = rule.hasSuffix("delta")
  }

  func run(_ operands: Operands) throws -> [Value] {
    let given = try operands.tensor(0)
    func heads(_ index: Int, _ count: Int) throws -> Tensor {
      try OperatorTable.split(operands.tensor(index).cast(to: .float32), heads: count, operands)
    }
    let (query, key) = try (heads(0, queryHeads), heads(1, keyHeads))
    let value = try heads(2, keyHeads)
    let decay = try decays ? heads(4, keyHeads).exp() : nil
    let beta = try operands.optional(5).map { try heads(5, $0.shape[2]) }
    let (batch, width) = (key.shape[0], key.shape[3])
    var state =
      operands.optional(3)?.cast(to: .float32)
      ?? Tensor.zeros([batch, keyHeads, width, value.shape[3]])
    let factor = scale == 0 ? 1 / Double(width).squareRoot() : scale
    var outputs: [Tensor] = []
    for step in 0..<query.shape[2] {
      func at(_ x: Tensor) -> Tensor { x.narrowed(over: 2, from: step, count: 1) }
      // [N, heads, width, 1] and [N, heads, 1, width].
      let column = at(key).transposed()
      if let decay { state = state * at(decay).transposed() }
      var row = at(value)
      if corrects, let beta { row = at(beta) * (row - at(key).matmul(state)) }
      state = state + column * row
      let repeats = queryHeads / keyHeads
      let read = repeats > 1 ? state.repeatedInterleaved(repeats, over: 1) : state
      outputs.append(at(query).matmul(read) * factor)
    }
    let y = OperatorTable.joined(Tensor.concatenated(outputs, over: 2))
    let kept = operands.optional(3)?.dtype ?? given.dtype
    return [.tensor(y.cast(to: given.dtype)), .tensor(state.cast(to: kept))]
  }
}
