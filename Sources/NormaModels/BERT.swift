import NormaFiles
import NormaNN
import NormaTensor

/// BERT: a transformer encoder for text, and sentence encoders of its kind, such as MiniLM.
///
/// - Shapes: token numbers `[N, L]`; the result has `[N, L, width]`.
/// - Names of parameters are those of Hugging Face's files:
///   `encoder.layer.0.attention.self.query.weight`.
/// - Source: Devlin and others (2019).
public final class BERT: Module {
  /// The sizes of a network, as in `config.json`.
  public struct Options: Sendable, Hashable {
    /// The number of features of a token.
    public var width = 768
    /// The number of layers.
    public var layers = 12
    /// The number of attention heads.
    public var heads = 12
    /// The number of features between the linear maps of a layer.
    public var innerWidth = 3072
    /// The number of tokens in the vocabulary.
    public var tokens = 30_522
    /// The number of positions.
    public var positions = 512
    /// The number of kinds of tokens: first and second sentence.
    public var tokenTypes = 2
    /// Added to the variances of layer norms.
    public var layerNormEps = 1e-12
    /// The probability with which elements are dropped in training.
    public var dropout = 0.1

    /// The sizes of BERT base.
    public init() {}
  }

  /// The sizes.
  public let options: Options
  private let embeddings: BERTEmbeddings
  private let encoder: BERTEncoder
  private let pooler: BERTDense?

  /// A network with random weights; `hasPooler` adds a map of the first token for classification.
  public init(_ options: Options = Options(), hasPooler: Bool = true) {
    self.options = options
    embeddings = BERTEmbeddings(options)
    encoder = BERTEncoder(options)
    pooler = hasPooler ? BERTDense(options.width, options.width) : nil
  }

  /// The network in a folder with `config.json` and `model.safetensors` or `pytorch_model.bin`, as
  /// Hugging Face's programs write it, in evaluation mode.
  ///
  /// A prefix `bert.` of names and parameters of tasks (`cls.`, `classifier.`) are left out.
  public convenience init(contentsOf folder: String) throws {
    let options = try Options(config: HubFolder(folder))
    let state = try HubFolder(folder).state()
    let prefix = state.keys.contains { $0.hasPrefix("bert.") } ? "bert." : ""
    self.init(options, hasPooler: state["\(prefix)pooler.dense.weight"] != nil)
    try loadAll(state, strippingPrefix: prefix)
  }

  /// The result for each token.
  ///
  /// - Parameters:
  ///   - tokens: the numbers of the tokens `[N, L]`.
  ///   - mask: `[N, L]`, 0 or false where there is padding.
  ///   - types: 0 for tokens of the first sentence and 1 for those of the second; all 0 by default.
  ///   - headMask: what the weights of each attention head are multiplied by, `[heads]` or
  ///     `[layers, heads]`; Hugging Face's `head_mask`.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  public func callAsFunction(
    _ tokens: Tensor, mask: Tensor? = nil, types: Tensor? = nil, headMask: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: "BERT(_:)") { () throws(TensorError) in
      encoder(
        embeddings(tokens, types), mask.map { ($0 .!= 0).unsqueezed(1).unsqueezed(1) },
        try HeadMask(headMask, layers: options.layers, heads: options.heads, call: "BERT(_:)"))
    }
  }

  /// The first token's result after the pooler: tanh of a linear map, `[N, width]`; nil without
  /// one.
  public func pooled(_ result: Tensor) -> Tensor? {
    pooler.map { $0.dense(result.selected(over: 1, at: 0)).tanh() }
  }

  /// Vectors of length 1 for sentences, `[N, width]`: the mean of the results of the tokens that
  /// are no padding. The product of two is the cosine of their angle.
  public func sentenceVectors(_ tokens: Tensor, mask: Tensor) -> Tensor {
    let weights = (mask .!= 0).cast(to: .float32).unsqueezed(2)
    let result = self(tokens, mask: mask)
    let mean = (result * weights).sum(over: 1) / weights.sum(over: 1).clamped(min: 1e-9)
    return Tensor.normalize(mean)
  }
}

extension BERT.Options {
  /// The sizes in a folder's `config.json`.
  init(config folder: HubFolder) throws {
    let config = try folder.config()
    self.init()
    width = try config.integer("hidden_size")
    layers = try config.integer("num_hidden_layers")
    heads = try config.integer("num_attention_heads")
    innerWidth = try config.integer("intermediate_size")
    tokens = try config.integer("vocab_size")
    positions = try config.integer("max_position_embeddings")
    tokenTypes = try config.integer("type_vocab_size")
    layerNormEps = config.number("layer_norm_eps") ?? layerNormEps
    dropout = config.number("hidden_dropout_prob") ?? dropout
    try config.require("hidden_act", among: ["gelu"])
    if width % max(heads, 1) != 0 {
      throw config.refusal("hidden_size \(width) is not a multiple of \(heads) heads")
    }
  }
}
