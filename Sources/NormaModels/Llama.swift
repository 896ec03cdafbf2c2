import NormaFiles
import NormaNN
import NormaTensor

/// A decoder of Llama's kind: root mean square norms, rotary positions, gated linear maps, and
/// query heads that share key heads.
///
/// - Shapes: token numbers `[N, L]`; the result `[N, L, tokens]` has a score for each token that
///   may follow.
/// - Names of parameters are those of Hugging Face's files:
///   `model.layers.0.self_attn.q_proj.weight`.
/// - Source: Touvron and others (2023).
public final class Llama: Module {
  /// The sizes of a network, as in `config.json`.
  public struct Options: Sendable, Hashable {
    /// The number of features of a token.
    public var width = 4096
    /// The number of layers.
    public var layers = 32
    /// The number of attention heads.
    public var heads = 32
    /// The number of heads of keys and values.
    public var keyHeads = 32
    /// The number of features between the linear maps of a layer.
    public var innerWidth = 11_008
    /// The number of tokens in the vocabulary.
    public var tokens = 32_000
    /// The base of the positions' wavelengths.
    public var rotaryBase = 10_000.0
    /// Added to the mean squares of norms.
    public var normEps = 1e-6
    /// Whether scores come from the table of the tokens instead of a map of their own.
    public var tiesEmbeddings = false

    /// The sizes of the network of 7 billion parameters.
    public init() {}
  }

  /// The sizes.
  public let options: Options
  private let model: LlamaModel
  private let lmHead: Linear?

  /// A network with random weights.
  public init(_ options: Options = Options()) {
    self.options = options
    model = LlamaModel(options)
    lmHead = options.tiesEmbeddings ? nil : Linear(options.width, options.tokens, bias: false)
  }

  /// The network in a folder with `config.json` and `model.safetensors` or `pytorch_model.bin`, in
  /// evaluation mode. Scaled rotary positions are refused.
  public convenience init(contentsOf folder: String) throws {
    let config = try HubFolder(folder).config()
    var options = Options()
    options.width = try config.integer("hidden_size")
    options.layers = try config.integer("num_hidden_layers")
    options.heads = try config.integer("num_attention_heads")
    options.keyHeads = (try? config.integer("num_key_value_heads")) ?? options.heads
    options.innerWidth = try config.integer("intermediate_size")
    options.tokens = try config.integer("vocab_size")
    options.rotaryBase = config.number("rope_theta") ?? options.rotaryBase
    options.normEps = config.number("rms_norm_eps") ?? options.normEps
    options.tiesEmbeddings = config.json["tie_word_embeddings"]?.boolValue ?? false
    try config.require("hidden_act", among: ["silu"])
    if let scaling = config.json["rope_scaling"], !scaling.isNull {
      throw config.refusal("rope_scaling is not supported")
    }
    if options.width % options.heads != 0 || options.heads % options.keyHeads != 0 {
      throw config.refusal("the numbers of heads do not fit each other and hidden_size")
    }
    self.init(options)
    try loadAll(
      HubFolder(folder).state().filter { !$0.key.hasSuffix("rotary_emb.inv_freq") })
  }

  /// The scores of the next tokens. With caches, one for each layer, earlier tokens lie there and
  /// are not given again.
  public func callAsFunction(_ tokens: Tensor, caches: [KeyValueCache]? = nil) -> Tensor {
    let x = model(tokens, caches)
    return lmHead?(x) ?? x.matmul(model.embedTokens.weight.value.transposed())
  }

  /// Caches for a new text.
  public func makeCaches() -> [KeyValueCache] { model.layers.map { _ in KeyValueCache() } }

  /// The tokens, followed by the `count` most probable next ones, one after the other.
  public func continued(_ tokens: [Int], count: Int) -> [Int] {
    let caches = makeCaches()
    return continuation(of: tokens, count: count) { self($0, caches: caches) }
  }
}

private final class LlamaModel: Module {
  let embedTokens: Embedding
  let layers: [LlamaLayer]
  let norm: RMSNorm

  init(_ options: Llama.Options) {
    embedTokens = Embedding(options.tokens, options.width)
    layers = (0..<options.layers).map { _ in LlamaLayer(options) }
    norm = RMSNorm([options.width], eps: options.normEps)
  }

  func callAsFunction(_ tokens: Tensor, _ caches: [KeyValueCache]?) -> Tensor {
    let first = caches?.first?.count ?? 0
    var x = embedTokens(tokens)
    for (index, layer) in layers.enumerated() { x = layer(x, first, caches?[index]) }
    return norm(x)
  }
}
