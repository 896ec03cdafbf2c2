import NormaFiles
import NormaNN
import NormaTensor

/// ConvNeXt: a convolutional network for pictures built like a transformer.
///
/// - Shapes: pictures `[N, 3, height, width]`, result `[N, classes]`.
/// - Names of parameters are those of torchvision: `features.1.0.block.0.weight`.
/// - Source: Liu and others (2022).
public final class ConvNeXt: Module, Layer {
  /// The sizes of a network.
  public struct Options: Sendable, Hashable {
    /// The number of channels in each stage.
    public var widths: [Int]
    /// The number of blocks in each stage.
    public var blocks: [Int]

    /// A network of stages with these numbers of channels and blocks.
    public init(widths: [Int], blocks: [Int]) { (self.widths, self.blocks) = (widths, blocks) }

    /// 29 million parameters.
    public static let tiny = Options(widths: [96, 192, 384, 768], blocks: [3, 3, 9, 3])
    /// 50 million parameters.
    public static let small = Options(widths: [96, 192, 384, 768], blocks: [3, 3, 27, 3])
    /// 89 million parameters.
    public static let base = Options(widths: [128, 256, 512, 1024], blocks: [3, 3, 27, 3])
    /// 198 million parameters.
    public static let large = Options(widths: [192, 384, 768, 1536], blocks: [3, 3, 27, 3])
  }

  private let features: Sequential
  private let classifier: Sequential

  /// A network with random weights.
  public init(_ options: Options = .tiny, classes: Int = 1000) {
    var layers: [any Layer] = []
    var inputs = 3
    for (index, (width, blocks)) in zip(options.widths, options.blocks).enumerated() {
      layers.append(
        index == 0
          ? Sequential(Conv2d(inputs, width, kernelSize: 4, stride: 4), LayerNorm2d(width))
          : Sequential(LayerNorm2d(inputs), Conv2d(inputs, width, kernelSize: 2, stride: 2)))
      layers.append(Sequential((0..<blocks).map { _ in ConvNeXtBlock(width) }))
      inputs = width
    }
    features = Sequential(layers)
    classifier = Sequential(LayerNorm2d(inputs), Flatten(), Linear(inputs, classes))
  }

  /// The network whose trained parameters are in a file of torchvision, in evaluation mode. The
  /// number of classes is that of the file.
  public convenience init(_ options: Options, contentsOf path: String) throws {
    let state = try StateFile(contentsOf: path).tensors()
    self.init(options, classes: state["classifier.2.bias"]?.count ?? 1000)
    try load(state)
    eval()
  }

  /// The score of each class.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(features(x).mean(over: 2, 3, keepDims: true))
  }
}

/// A filter for each channel, a norm and two linear maps, scaled and added.
private final class ConvNeXtBlock: Module, Layer {
  let layerScale: Parameter
  let block: Sequential

  init(_ width: Int) {
    layerScale = Parameter(.full([width, 1, 1], 1e-6))
    block = Sequential(
      Conv2d(width, width, kernelSize: 7, padding: 3, groups: width), Permuted(0, 2, 3, 1),
      LayerNorm([width], eps: 1e-6), Linear(width, 4 * width), GELU(), Linear(4 * width, width),
      Permuted(0, 3, 1, 2))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x + layerScale.value * block(x) }
}

/// Another order of the axes.
private final class Permuted: Module, Layer {
  let order: [Int]

  init(_ order: Int...) { self.order = order }

  func callAsFunction(_ x: Tensor) -> Tensor { x.permuted(order) }
}
