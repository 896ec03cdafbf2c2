import NormaFiles
import NormaNN
import NormaTensor

/// A transformer for pictures, cut into squares that are its tokens.
///
/// - Shapes: pictures `[N, 3, size, size]`, result `[N, classes]`.
/// - Names of parameters are those of timm: `blocks.0.attn.qkv.weight`.
/// - Source: Dosovitskiy and others (2021).
public final class VisionTransformer: Module, Layer {
  /// The sizes of a network.
  public struct Options: Sendable, Hashable {
    /// The height and width of pictures.
    public var size = 224
    /// The height and width of the squares.
    public var patch = 16
    /// The number of features of a token: 192 for the tiny network, 384 for the small one, 768 for
    /// the base.
    public var width = 768
    /// The number of layers.
    public var layers = 12
    /// The number of attention heads.
    public var heads = 12
    /// The number of classes.
    public var classes = 1000

    /// The sizes of the base network.
    public init() {}
  }

  /// The sizes.
  public let options: Options
  private let clsToken: Parameter
  private let posEmbed: Parameter
  private let patchEmbed: PatchEmbedding
  private let blocks: [VisionBlock]
  private let norm: LayerNorm
  /// The linear map to classes.
  public let head: Linear

  /// A network with random weights.
  public init(_ options: Options = Options()) {
    self.options = options
    let patches = (options.size / options.patch) * (options.size / options.patch)
    clsToken = Parameter(.zeros(1, 1, options.width))
    posEmbed = Parameter(.normal([1, patches + 1, options.width], mean: 0, std: 0.02))
    patchEmbed = PatchEmbedding(options.width, options.patch)
    blocks = (0..<options.layers).map { _ in VisionBlock(options.width, options.heads) }
    norm = LayerNorm([options.width], eps: 1e-6)
    head = Linear(options.width, options.classes)
  }

  /// The network whose trained parameters are in a file of timm, in evaluation mode. Its sizes are
  /// those of the file, with 64 features in each head.
  public convenience init(contentsOf path: String) throws {
    let state = try StateFile(contentsOf: path).tensors()
    var options = Options()
    if let weight = state["patch_embed.proj.weight"], let positions = state["pos_embed"],
      let classes = state["head.bias"], weight.rank == 4, positions.rank == 3
    {
      (options.width, options.patch) = (weight.shape[0], weight.shape[2])
      let side = Int(Double(max(positions.shape[1] - 1, 0)).squareRoot().rounded())
      options.size = side * options.patch
      options.heads = max(options.width / 64, 1)
      options.classes = classes.count
      options.layers = state.keys.count { $0.hasSuffix(".attn.qkv.weight") }
    }
    self.init(options)
    try load(state)
    eval()
  }

  /// The score of each class.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let patches = patchEmbed(x)
    let first = clsToken.value.broadcast(to: [patches.shape[0], 1, options.width])
    let tokens = Tensor.concatenated([first, patches], over: 1) + posEmbed.value
    return head(norm(blocks.reduce(tokens) { $1($0) }).selected(over: 1, at: 0))
  }
}

private final class PatchEmbedding: Module {
  let proj: Conv2d

  init(_ width: Int, _ patch: Int) {
    proj = Conv2d(3, width, kernelSize: patch, stride: patch)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { proj(x).flattened(from: 2).permuted(0, 2, 1) }
}

private final class VisionBlock: Module {
  let norm1: LayerNorm
  let attn: VisionAttention
  let norm2: LayerNorm
  let mlp: VisionMaps

  init(_ width: Int, _ heads: Int) {
    (norm1, norm2) = (LayerNorm([width], eps: 1e-6), LayerNorm([width], eps: 1e-6))
    attn = VisionAttention(width, heads)
    mlp = VisionMaps(width)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x + attn(norm1(x))
    return y + mlp(norm2(y))
  }
}

private final class VisionAttention: Module {
  let qkv: Linear
  let proj: Linear
  let heads: Int

  init(_ width: Int, _ heads: Int) {
    (qkv, proj, self.heads) = (Linear(width, 3 * width), Linear(width, width), heads)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let parts = qkv(x).chunked(3, over: 2).map {
      $0.reshaped(x.shape.dropLast() + [heads, x.shape[2] / heads]).permuted(0, 2, 1, 3)
    }
    let mixed = scaledDotProductAttention(parts[0], parts[1], parts[2])
    return proj(mixed.permuted(0, 2, 1, 3).reshaped(x.shape))
  }
}

private final class VisionMaps: Module {
  let fc1: Linear
  let fc2: Linear

  init(_ width: Int) { (fc1, fc2) = (Linear(width, 4 * width), Linear(4 * width, width)) }

  func callAsFunction(_ x: Tensor) -> Tensor { fc2(fc1(x).gelu()) }
}
