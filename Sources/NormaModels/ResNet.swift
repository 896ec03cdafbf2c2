import NormaFiles
import NormaNN
import NormaTensor

/// Residual networks for pictures, with 18 to 152 layers.
///
/// - Shapes: pictures `[N, 3, height, width]`, result `[N, classes]`.
/// - Names of parameters are those of torchvision and timm: `layer1.0.conv1.weight`,
///   `layer2.0.downsample.1.running_mean`, `fc.weight`. Strides of bottlenecks lie on the 3 x 3
///   convolutions, as there.
/// - Source: He and others (2016).
public final class ResNet: Module, Layer {
  /// The number of layers.
  public enum Depth: Int, Sendable, Hashable, CaseIterable {
    /// 18 layers in basic blocks.
    case resNet18 = 18
    /// 34 layers in basic blocks.
    case resNet34 = 34
    /// 50 layers in bottlenecks.
    case resNet50 = 50
    /// 101 layers in bottlenecks.
    case resNet101 = 101
    /// 152 layers in bottlenecks.
    case resNet152 = 152

    /// The number of blocks in each of the four stages.
    var blocks: [Int] {
      switch self {
      case .resNet18: [2, 2, 2, 2]
      case .resNet34, .resNet50: [3, 4, 6, 3]
      case .resNet101: [3, 4, 23, 3]
      case .resNet152: [3, 8, 36, 3]
      }
    }

    var isBottleneck: Bool { rawValue >= 50 }
  }

  private let conv1: Conv2d
  private let bn1: BatchNorm2d
  private let layer1: Sequential
  private let layer2: Sequential
  private let layer3: Sequential
  private let layer4: Sequential
  /// The linear map to classes.
  public let fc: Linear

  /// A network with random weights, drawn as torchvision draws them.
  public init(_ depth: Depth, classes: Int = 1000, channels: Int = 3, width: Int = 64) {
    conv1 = Conv2d(channels, width, kernelSize: 7, stride: 2, padding: 3, bias: false)
    bn1 = BatchNorm2d(width)
    var inputs = width
    func stage(_ index: Int) -> Sequential {
      let inner = width << index
      return Sequential(
        (0..<depth.blocks[index]).map { number in
          let block = ResidualBlock(
            inputs, inner, stride: number == 0 && index > 0 ? 2 : 1,
            isBottleneck: depth.isBottleneck)
          inputs = block.outputs
          return block
        })
    }
    (layer1, layer2, layer3, layer4) = (stage(0), stage(1), stage(2), stage(3))
    fc = Linear(inputs, classes)
    super.init()
    for case let convolution as Conv2d in namedModules.map(\.module) {
      let weight = convolution.weight
      weight.value = .kaimingNormal(weight.shape, mode: .fanOut, nonlinearity: .relu)
    }
  }

  /// The network whose trained parameters are in a file of torchvision or timm, in evaluation mode.
  /// The number of classes is that of the file.
  public convenience init(_ depth: Depth, contentsOf path: String) throws {
    let state = try StateFile(contentsOf: path).tensors()
    self.init(
      depth, classes: state["fc.weight"]?.shape.first ?? 1000,
      channels: state["conv1.weight"]?.shape.dropFirst().first ?? 3)
    try load(state)
    eval()
  }

  /// What the last stage finds in pictures: `[N, features, height / 32, width / 32]`.
  public func features(_ x: Tensor) -> Tensor {
    let start = maxPool2d(bn1(conv1(x)).relu(), kernelSize: 3, stride: 2, padding: 1)
    return layer4(layer3(layer2(layer1(start))))
  }

  /// The score of each class.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    fc(features(x).mean(over: 2, 3))
  }
}

/// Two convolutions, or three with a narrow one in the middle, with a sum around them.
private final class ResidualBlock: Module, Layer {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let conv3: Conv2d?
  let bn3: BatchNorm2d?
  let downsample: Sequential?
  /// The number of channels of the result.
  let outputs: Int

  init(_ inputs: Int, _ width: Int, stride: Int, isBottleneck: Bool) {
    outputs = isBottleneck ? 4 * width : width
    conv1 =
      isBottleneck
      ? Conv2d(inputs, width, kernelSize: 1, bias: false)
      : Conv2d(inputs, width, kernelSize: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(width)
    conv2 = Conv2d(
      width, width, kernelSize: 3, stride: isBottleneck ? stride : 1, padding: 1, bias: false)
    bn2 = BatchNorm2d(width)
    conv3 = isBottleneck ? Conv2d(width, outputs, kernelSize: 1, bias: false) : nil
    bn3 = isBottleneck ? BatchNorm2d(outputs) : nil
    downsample =
      stride != 1 || inputs != outputs
      ? Sequential(
        Conv2d(inputs, outputs, kernelSize: 1, stride: stride, bias: false),
        BatchNorm2d(outputs)) : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var y = bn2(conv2(bn1(conv1(x)).relu()))
    if let conv3, let bn3 { y = bn3(conv3(y.relu())) }
    return (y + (downsample?(x) ?? x)).relu()
  }
}
