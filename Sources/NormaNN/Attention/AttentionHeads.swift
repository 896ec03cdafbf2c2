import NormaTensor

/// The projected queries, keys and values of all heads, `[N, heads, positions, D]`.
struct AttentionHeads {
  let query: Tensor
  let key: Tensor
  let value: Tensor
  /// Whether there was no batch.
  let isSingle: Bool
  /// The number of positions before the first query.
  let offset: Int

  init(
    _ layer: MultiheadAttention, _ query: Tensor, _ key: Tensor?, _ value: Tensor?,
    _ cache: KeyValueCache?
  ) throws(TensorError) {
    let (k, v) = (key ?? query, value ?? key ?? query)
    let call = "MultiheadAttention(_:_:_:)"
    isSingle = query.rank == 2
    let e = layer.embedDim
    let kdim = layer.kProjWeight?.shape[1] ?? e
    let vdim = layer.vProjWeight?.shape[1] ?? e
    guard query.rank == 2 || query.rank == 3, k.rank == query.rank, v.rank == query.rank,
      query.shape.last == e, k.shape.last == kdim, v.shape.last == vdim,
      k.shape.dropLast() == v.shape.dropLast(),
      isSingle || query.shape[layer.batchFirst ? 0 : 1] == k.shape[layer.batchFirst ? 0 : 1]
    else {
      throw TensorError(
        call,
        "query \(query.shape), key \(k.shape) and value \(v.shape) do not fit together; the last "
          + "axes must be \(e), \(kdim) and \(vdim), the batches and the lengths of key and value "
          + "equal")
    }
    if cache != nil && (layer.biasK != nil || layer.addZeroAttn) {
      throw TensorError(call, "a cache and keys that every call adds exclude each other")
    }
    var parts = Self.projected(layer, query, key, value)
    // [positions, N, E], whatever the order was.
    if isSingle {
      parts = parts.map { $0.unsqueezed(1) }
    } else if layer.batchFirst {
      parts = parts.map { $0.permuted(1, 0, 2) }
    }
    let batch = parts[0].shape[1]
    if let biasK = layer.biasK, let biasV = layer.biasV {
      for (index, bias) in [(1, biasK.value), (2, biasV.value)] {
        parts[index] = Tensor.concatenated(
          [parts[index], bias.broadcast(to: [1, batch, e])], over: 0)
      }
    }
    if layer.addZeroAttn {
      for index in 1...2 {
        let zeros = Tensor.zeros([1, batch, e], dtype: parts[index].dtype)
        parts[index] = Tensor.concatenated([parts[index], zeros], over: 0)
      }
    }
    let heads = parts.map {
      $0.reshaped($0.shape[0], batch, layer.numHeads, e / layer.numHeads).permuted(1, 2, 0, 3)
    }
    self.query = heads[0]
    offset = cache?.count ?? 0
    if let cache {
      (self.key, self.value) = cache.adding(keys: heads[1], values: heads[2])
    } else {
      (self.key, self.value) = (heads[1], heads[2])
    }
  }

  /// The projections, with as few products as there are different tensors.
  private static func projected(
    _ layer: MultiheadAttention, _ query: Tensor, _ key: Tensor?, _ value: Tensor?
  ) -> [Tensor] {
    let e = layer.embedDim
    let bias = layer.inProjBias?.value
    guard let weight = layer.inProjWeight?.value else {
      let biases = bias?.chunked(3)
      let inputs = [query, key ?? query, value ?? key ?? query]
      let weights = [layer.qProjWeight, layer.kProjWeight, layer.vProjWeight].compactMap { $0 }
      return zip(inputs, weights).enumerated().map { index, pair in
        Tensor.linear(pair.0, weight: pair.1.value, bias: biases?[index])
      }
    }
    func product(_ x: Tensor, _ first: Int, _ count: Int) -> [Tensor] {
      func rows(_ x: Tensor) -> Tensor {
        count == 3 ? x : x.narrowed(over: 0, from: first * e, count: count * e)
      }
      return Tensor.linear(x, weight: rows(weight), bias: bias.map(rows)).chunked(count, over: -1)
    }
    guard let key else { return product(query, 0, 3) }
    guard let value else { return product(query, 0, 1) + product(key, 1, 2) }
    return product(query, 0, 1) + product(key, 1, 1) + product(value, 2, 1)
  }
}
