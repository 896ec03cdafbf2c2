import NormaTensor

/// Attention of several heads: each compares its own projections of queries and keys, and the
/// weighted values of all heads are projected together.
///
/// - Shapes: query `[L, N, E]`, key `[S, N, kdim]`, value `[S, N, vdim]`, result `[L, N, E]`; with
///   `batchFirst` `[N, L, E]` and so on; without a batch `[L, E]` and so on. E is `embedDim`, and
///   each head has E / heads features.
/// - Masks mean what they mean in PyTorch's layer: Booleans are true where attention is *not*
///   allowed, the opposite of
///   ``scaledDotProductAttention(_:_:_:mask:dropout:isCausal:scale:enableGQA:file:line:)``; numbers
///   are added to the scores.
/// - Edge cases: where a query may attend to no key, its attention is 0; PyTorch gives NaN.
/// - Cost: the projections of queries, keys and values are one product where they are the same
///   tensor. Returned weights take L S numbers for each head.
/// - Initial parameters are PyTorch's, bit for bit: Xavier uniform projections and biases 0.
/// - PyTorch: `nn.MultiheadAttention`. Source: Vaswani and others (2017).
public final class MultiheadAttention: Module {
  /// The number of features of queries and results.
  public let embedDim: Int
  /// The number of heads.
  public let numHeads: Int
  /// The probability with which a weight is dropped in training.
  public let dropout: Double
  /// Whether the batch is the first axis.
  public let batchFirst: Bool
  /// Whether a key and a value of zeros are added to each sequence.
  public let addZeroAttn: Bool
  /// `[3 E, E]`, for queries, keys and values; nil if keys or values have a size of their own.
  public let inProjWeight: Parameter?
  /// `[E, E]`, `[E, kdim]` and `[E, vdim]`; nil if they are one.
  public let qProjWeight: Parameter?
  /// See ``qProjWeight``.
  public let kProjWeight: Parameter?
  /// See ``qProjWeight``.
  public let vProjWeight: Parameter?
  /// `[3 E]`; nil without `bias`.
  public let inProjBias: Parameter?
  /// `[1, 1, E]`: a key that is added to each sequence, with `addBiasKV`.
  public let biasK: Parameter?
  /// `[1, 1, E]`: the value of that key.
  public let biasV: Parameter?
  /// The projection of the results of all heads.
  public let outProj: Linear

  /// Attention with PyTorch's defaults.
  public init(
    _ embedDim: Int, _ numHeads: Int, dropout: Double = 0, bias: Bool = true,
    addBiasKV: Bool = false, addZeroAttn: Bool = false, kdim: Int? = nil, vdim: Int? = nil,
    batchFirst: Bool = false, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let options = LayerOptions(layer: MultiheadAttention.self, file: file, line: line)
    let e = options.size(embedDim, "embedDim", atLeast: 1)
    let heads = options.size(numHeads, "numHeads", atLeast: 1)
    if e % heads != 0 { options.refuse("embedDim \(e) is not a multiple of numHeads \(heads)") }
    if !(0...1).contains(dropout) {
      options.refuse("dropout must be a probability in 0...1, got \(dropout)")
    }
    let (k, v) = (options.size(kdim ?? e, "kdim"), options.size(vdim ?? e, "vdim"))
    (self.embedDim, self.numHeads, self.dropout) = (e, heads, dropout)
    (self.batchFirst, self.addZeroAttn) = (batchFirst, addZeroAttn)
    // PyTorch draws the output's projection first.
    outProj = Linear(e, e, bias: bias, dtype: dtype)
    outProj.bias?.value = .zeros(e, dtype: dtype)
    func draw(_ rows: Int, _ columns: Int) -> Parameter {
      Parameter(.xavierUniform([rows, columns], dtype: dtype))
    }
    let isOne = k == e && v == e
    inProjWeight = isOne ? draw(3 * e, e) : nil
    qProjWeight = isOne ? nil : draw(e, e)
    kProjWeight = isOne ? nil : draw(e, k)
    vProjWeight = isOne ? nil : draw(e, v)
    inProjBias = bias ? Parameter(.zeros(3 * e, dtype: dtype)) : nil
    biasK = addBiasKV ? Parameter(.xavierNormal([1, 1, e], dtype: dtype)) : nil
    biasV = addBiasKV ? Parameter(.xavierNormal([1, 1, e], dtype: dtype)) : nil
  }

  public override var optionsDescription: String {
    OptionText(embedDim, numHeads).with("dropout", dropout, unless: 0)
      .with("bias", inProjBias != nil, unless: true)
      .with("addBiasKV", biasK != nil, unless: false)
      .with("addZeroAttn", addZeroAttn, unless: false)
      .with("kdim", kProjWeight?.shape[1] as Any).with("vdim", vProjWeight?.shape[1] as Any)
      .with("batchFirst", batchFirst, unless: false)
      .with("dtype", outProj.weight.dtype, unless: .float32).text
  }

  /// The result for each query, and the weights of the keys.
  ///
  /// - Parameters:
  ///   - query: the queries.
  ///   - key: the keys; the queries by default.
  ///   - value: the values; the keys by default.
  ///   - keyPaddingMask: `[N, S]`, or `[S]` without a batch: keys that nothing may attend to.
  ///   - needsWeights: whether to return the weights, which costs memory and time.
  ///   - mask: `[L, S]`, or `[N heads, L, S]`.
  ///   - averagesWeights: whether to return the mean of the weights of all heads `[N, L, S]`
  ///     instead of `[N, heads, L, S]`.
  ///   - isCausal: each query attends only to keys up to its own position; with a `cache`, those
  ///     before it lie there. Unlike PyTorch's it needs no mask.
  ///   - cache: keys and values of earlier calls, to which those of this one are added.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  public func callAsFunction(
    _ query: Tensor, _ key: Tensor? = nil, _ value: Tensor? = nil, keyPaddingMask: Tensor? = nil,
    needsWeights: Bool = true, mask: Tensor? = nil, averagesWeights: Bool = true,
    isCausal: Bool = false, cache: KeyValueCache? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (output: Tensor, weights: Tensor?) {
    var weights: Tensor?
    let output = checked(file: file, line: line, call: "MultiheadAttention(_:_:_:)") {
      () throws(TensorError) in
      let all = [query, key, value, keyPaddingMask, mask]
      if all.contains(where: { $0?.isPoisoned ?? false }) { return .poisoned }
      let heads = try AttentionHeads(self, query, key, value, cache)
      let scoreMask = try AttentionMask(
        mask, keyPaddingMask, isCausal: isCausal, heads, numHeads: numHeads,
        added: (biasK == nil ? 0 : 1) + (addZeroAttn ? 1 : 0))
      let p = isTraining ? dropout : 0
      var mixed: Tensor
      if needsWeights {
        var all = try scoreMask.weights(heads.query, heads.key)
        all = Tensor.dropout(all, p: p)
        mixed = all.matmul(heads.value)
        if averagesWeights { all = all.mean(over: 1) }
        weights = heads.isSingle ? all.squeezed(0) : all
      } else {
        mixed = scaledDotProductAttention(
          heads.query, heads.key, heads.value, mask: scoreMask.tensor, dropout: p,
          isCausal: scoreMask.isCausal)
      }
      // [N, heads, L, D] to the query's form.
      mixed = mixed.permuted(batchFirst && !heads.isSingle ? [0, 2, 1, 3] : [2, 0, 1, 3])
      return outProj(mixed.reshaped(query.shape), file: file, line: line)
    }
    return (output.observed(by: self, of: query, file, line), weights)
  }
}
