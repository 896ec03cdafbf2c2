import NormaFiles
import NormaNN
import NormaTensor

/// GPT-2: a decoder that predicts the next token of a text.
///
/// - Shapes: token numbers `[N, L]`; the result `[N, L, tokens]` has a score for each token that
///   may follow.
/// - Names of parameters are those of Hugging Face's files, `h.0.attn.c_attn.weight`; matrices of
///   attention and linear maps are `[inputs, outputs]` there.
/// - Source: Radford and others (2019).
public final class GPT2: Module {
  /// The sizes of a network, as in `config.json`.
  public struct Options: Sendable, Hashable {
    /// The number of features of a token.
    public var width = 768
    /// The number of layers.
    public var layers = 12
    /// The number of attention heads.
    public var heads = 12
    /// The number of tokens in the vocabulary.
    public var tokens = 50_257
    /// The number of positions.
    public var positions = 1024
    /// Added to the variances of layer norms.
    public var layerNormEps = 1e-5

    /// The sizes of the smallest network.
    public init() {}
  }

  /// The sizes.
  public let options: Options
  private let wte: Embedding
  private let wpe: LearnedPositionalEmbedding
  private let h: [GPT2Block]
  private let lnF: LayerNorm

  /// A network with random weights.
  public init(_ options: Options = Options()) {
    self.options = options
    wte = Embedding(options.tokens, options.width)
    wpe = LearnedPositionalEmbedding(options.positions, options.width)
    h = (0..<options.layers).map { _ in GPT2Block(options) }
    lnF = LayerNorm([options.width], eps: options.layerNormEps)
  }

  /// The network in a folder with `config.json` and `model.safetensors` or `pytorch_model.bin`, in
  /// evaluation mode.
  public convenience init(contentsOf folder: String) throws {
    let config = try HubFolder(folder).config()
    var options = Options()
    options.width = try config.integer("n_embd")
    options.layers = try config.integer("n_layer")
    options.heads = try config.integer("n_head")
    options.tokens = try config.integer("vocab_size")
    options.positions = try config.integer("n_positions")
    options.layerNormEps = config.number("layer_norm_epsilon") ?? options.layerNormEps
    try config.require("activation_function", among: ["gelu_new"])
    if options.width % options.heads != 0 {
      throw config.refusal("n_embd \(options.width) is not a multiple of n_head \(options.heads)")
    }
    self.init(options)
    try loadAll(HubFolder(folder).state(), strippingPrefix: "transformer.")
  }

  /// The scores of the next tokens. With caches, one for each layer, earlier tokens lie there and
  /// are not given again. `headMask` multiplies the weights of each attention head, `[heads]` or
  /// `[layers, heads]`; Hugging Face's `head_mask`.
  public func callAsFunction(
    _ tokens: Tensor, caches: [KeyValueCache]? = nil, headMask: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: "GPT2(_:)") { () throws(TensorError) in
      let heads = try HeadMask(
        headMask, layers: options.layers, heads: options.heads, call: "GPT2(_:)")
      var x = wpe(wte(tokens), offset: caches?.first?.count ?? 0)
      for (index, block) in h.enumerated() { x = block(x, caches?[index], heads[index]) }
      return lnF(x).matmul(wte.weight.value.transposed())
    }
  }

  /// Caches for a new text.
  public func makeCaches() -> [KeyValueCache] { h.map { _ in KeyValueCache() } }

  /// The `count` most probable next tokens, one after the other.
  public func continued(_ tokens: [Int], count: Int) -> [Int] {
    let caches = makeCaches()
    return continuation(of: tokens, count: count) { self($0, caches: caches) }
  }
}

/// Attention and two linear maps, each with a norm before and a sum around it.
private final class GPT2Block: Module {
  let ln1: LayerNorm
  let attn: GPT2Attention
  let ln2: LayerNorm
  let mlp: GPT2Maps

  override class var stateNames: [String: String] { ["ln1": "ln_1", "ln2": "ln_2"] }

  init(_ options: GPT2.Options) {
    ln1 = LayerNorm([options.width], eps: options.layerNormEps)
    ln2 = LayerNorm([options.width], eps: options.layerNormEps)
    attn = GPT2Attention(options)
    mlp = GPT2Maps(options.width)
  }

  func callAsFunction(_ x: Tensor, _ cache: KeyValueCache?, _ headFactors: Tensor?) -> Tensor {
    let y = x + attn(ln1(x), cache, headFactors)
    return y + mlp(ln2(y))
  }
}

private final class GPT2Attention: Module {
  let cAttn: TransposedLinear
  let cProj: TransposedLinear
  let heads: Int

  init(_ options: GPT2.Options) {
    cAttn = TransposedLinear(options.width, 3 * options.width)
    cProj = TransposedLinear(options.width, options.width)
    heads = options.heads
  }

  func callAsFunction(_ x: Tensor, _ cache: KeyValueCache?, _ headFactors: Tensor?) -> Tensor {
    let parts = cAttn(x).chunked(3, over: 2).map {
      $0.reshaped(x.shape.dropLast() + [heads, x.shape[2] / heads]).permuted(0, 2, 1, 3)
    }
    var mixed = causalAttention(parts[0], parts[1], parts[2], cache)
    if let headFactors { mixed = mixed * headFactors }
    return cProj(mixed.permuted(0, 2, 1, 3).reshaped(x.shape))
  }
}

private final class GPT2Maps: Module {
  let cFc: TransposedLinear
  let cProj: TransposedLinear

  init(_ width: Int) {
    cFc = TransposedLinear(width, 4 * width)
    cProj = TransposedLinear(4 * width, width)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { cProj(cFc(x).gelu(approximatingByTanh: true)) }
}
