import NormaNN
import NormaTensor

/// Embeddings of tokens, positions and kinds of tokens, added and normalized.
final class BERTEmbeddings: Module {
  let wordEmbeddings: Embedding
  let positionEmbeddings: LearnedPositionalEmbedding
  let tokenTypeEmbeddings: Embedding
  let layerNorm: LayerNorm
  let dropout: Dropout

  override class var stateNames: [String: String] { ["layerNorm": "LayerNorm"] }

  init(_ options: BERT.Options) {
    wordEmbeddings = Embedding(options.tokens, options.width)
    positionEmbeddings = LearnedPositionalEmbedding(options.positions, options.width)
    tokenTypeEmbeddings = Embedding(options.tokenTypes, options.width)
    layerNorm = LayerNorm([options.width], eps: options.layerNormEps)
    dropout = Dropout(options.dropout)
  }

  func callAsFunction(_ tokens: Tensor, _ types: Tensor?) -> Tensor {
    let kinds = types ?? Tensor.zeros([1, 1], dtype: .int64)
    let sum = positionEmbeddings(wordEmbeddings(tokens) + tokenTypeEmbeddings(kinds))
    return dropout(layerNorm(sum))
  }
}

/// All layers.
final class BERTEncoder: Module {
  let layer: [BERTLayer]

  init(_ options: BERT.Options) { layer = (0..<options.layers).map { _ in BERTLayer(options) } }

  func callAsFunction(_ x: Tensor, _ mask: Tensor?, _ heads: HeadMask) -> Tensor {
    layer.enumerated().reduce(x) { $1.element($0, mask, heads[$1.offset]) }
  }
}

/// Attention and two linear maps, each followed by a sum and a norm.
final class BERTLayer: Module {
  let attention: BERTAttention
  let intermediate: BERTDense
  let output: BERTOutput

  init(_ options: BERT.Options) {
    attention = BERTAttention(options)
    intermediate = BERTDense(options.width, options.innerWidth)
    output = BERTOutput(options.innerWidth, options)
  }

  func callAsFunction(_ x: Tensor, _ mask: Tensor?, _ headFactors: Tensor?) -> Tensor {
    let y = attention(x, mask, headFactors)
    return output(intermediate.dense(y).gelu(), y)
  }
}

/// Attention of all heads, its projection, a sum and a norm.
final class BERTAttention: Module {
  let own: BERTProjections
  let output: BERTOutput
  let heads: Int

  override class var stateNames: [String: String] { ["own": "self"] }

  init(_ options: BERT.Options) {
    own = BERTProjections(options.width)
    output = BERTOutput(options.width, options)
    heads = options.heads
  }

  func callAsFunction(_ x: Tensor, _ mask: Tensor?, _ headFactors: Tensor?) -> Tensor {
    func split(_ x: Tensor) -> Tensor {
      x.reshaped(x.shape.dropLast() + [heads, x.shape[2] / heads]).permuted(0, 2, 1, 3)
    }
    var mixed = scaledDotProductAttention(
      split(own.query(x)), split(own.key(x)), split(own.value(x)), mask: mask)
    if let headFactors { mixed = mixed * headFactors }
    return output(mixed.permuted(0, 2, 1, 3).reshaped(x.shape), x)
  }
}

/// The projections of queries, keys and values.
final class BERTProjections: Module {
  let query: Linear
  let key: Linear
  let value: Linear

  init(_ width: Int) {
    (query, key, value) = (Linear(width, width), Linear(width, width), Linear(width, width))
  }
}

/// A linear map.
final class BERTDense: Module {
  let dense: Linear

  init(_ inputs: Int, _ outputs: Int) { dense = Linear(inputs, outputs) }
}

/// A linear map, a sum and a norm.
final class BERTOutput: Module {
  let dense: Linear
  let layerNorm: LayerNorm
  let dropout: Dropout

  override class var stateNames: [String: String] { ["layerNorm": "LayerNorm"] }

  init(_ inputs: Int, _ options: BERT.Options) {
    dense = Linear(inputs, options.width)
    layerNorm = LayerNorm([options.width], eps: options.layerNormEps)
    dropout = Dropout(options.dropout)
  }

  func callAsFunction(_ x: Tensor, _ sum: Tensor) -> Tensor { layerNorm(dropout(dense(x)) + sum) }
}
