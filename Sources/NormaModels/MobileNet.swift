import NormaFiles
import NormaNN
import NormaTensor

/// MobileNet V2 and V3: networks for pictures out of blocks that widen, filter each channel by
/// itself and narrow again.
///
/// - Shapes: pictures `[N, 3, height, width]`, result `[N, classes]`.
/// - Names of parameters are those of torchvision: `features.1.conv.0.0.weight`,
///   `features.4.block.2.fc1.weight`.
/// - Source: Sandler and others (2018), Howard and others (2019).
public final class MobileNet: Module, Layer {
  /// The architecture.
  public enum Kind: Sendable, Hashable, CaseIterable {
    /// Version 2.
    case v2
    /// Version 3, large.
    case v3Large
    /// Version 3, small.
    case v3Small
  }

  private let features: Sequential
  private let classifier: Sequential

  /// A network with random weights; `width` multiplies the number of channels, rounded to multiples
  /// of 8.
  public init(_ kind: Kind = .v2, classes: Int = 1000, width: Double = 1) {
    func channels(_ count: Int) -> Int { rounded(Double(count) * width) }
    let blocks = MobileBlock.blocks(kind)
    let isV2 = kind == .v2
    var inputs = channels(isV2 ? 32 : 16)
    var layers: [any Layer] = [
      convolution(3, inputs, 3, stride: 2, isV2 ? .relu6 : .hardswish, isV2: isV2)
    ]
    for block in blocks {
      let outputs = channels(block.outputs)
      let inner = isV2 ? inputs * block.inner : channels(block.inner)
      layers.append(InvertedResidual(block, inputs, inner, outputs, isV2: isV2))
      inputs = outputs
    }
    let last = isV2 ? (width > 1 ? channels(1280) : 1280) : 6 * inputs
    layers.append(convolution(inputs, last, 1, isV2 ? .relu6 : .hardswish, isV2: isV2))
    features = Sequential(layers)
    if isV2 {
      classifier = Sequential(Dropout(0.2), Linear(last, classes))
    } else {
      let inner = channels(kind == .v3Large ? 1280 : 1024)
      classifier = Sequential(
        Linear(last, inner), Hardswish(), Dropout(0.2), Linear(inner, classes))
    }
  }

  /// The network whose trained parameters are in a file of torchvision, in evaluation mode. The
  /// number of classes is that of the file.
  public convenience init(_ kind: Kind, contentsOf path: String) throws {
    let state = try StateFile(contentsOf: path).tensors()
    let bias = state[kind == .v2 ? "classifier.1.bias" : "classifier.3.bias"]
    self.init(kind, classes: bias?.count ?? 1000)
    try load(state)
    eval()
  }

  /// The score of each class.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x).mean(over: 2, 3)) }
}

/// The nearest multiple of 8, at least 8 and not less than nine tenths.
private func rounded(_ channels: Double) -> Int {
  let nearest = max(8, Int(channels + 4) / 8 * 8)
  return Double(nearest) < 0.9 * channels ? nearest + 8 : nearest
}

/// A convolution without bias, a norm and an activation.
private func convolution(
  _ inputs: Int, _ outputs: Int, _ size: Int, stride: Int = 1, groups: Int = 1,
  _ activation: MobileActivation, isV2: Bool
) -> Sequential {
  Sequential(
    [
      Conv2d(
        inputs, outputs, kernelSize: size, stride: stride, padding: size / 2, groups: groups,
        bias: false), norm(outputs, isV2),
    ] + activation.layers)
}

private func norm(_ channels: Int, _ isV2: Bool) -> BatchNorm2d {
  isV2 ? BatchNorm2d(channels) : BatchNorm2d(channels, eps: 0.001, momentum: 0.01)
}

/// A block, with a sum around it where its shape stays.
private final class InvertedResidual: Module, Layer {
  let conv: Sequential?
  let block: Sequential?
  let isSum: Bool

  init(_ options: MobileBlock, _ inputs: Int, _ inner: Int, _ outputs: Int, isV2: Bool) {
    isSum = options.stride == 1 && inputs == outputs
    var layers: [any Layer] = []
    if inner != inputs {
      layers.append(convolution(inputs, inner, 1, options.activation, isV2: isV2))
    }
    layers.append(
      convolution(
        inner, inner, options.size, stride: options.stride, groups: inner, options.activation,
        isV2: isV2))
    if options.squeezes { layers.append(SqueezeExcitation(inner)) }
    if isV2 {
      layers += [Conv2d(inner, outputs, kernelSize: 1, bias: false), norm(outputs, true)]
    } else {
      layers.append(convolution(inner, outputs, 1, .none, isV2: false))
    }
    conv = isV2 ? Sequential(layers) : nil
    block = isV2 ? nil : Sequential(layers)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = conv?(x) ?? block?(x) ?? x
    return isSum ? x + y : y
  }
}

/// Factors for channels from the means of all channels.
private final class SqueezeExcitation: Module, Layer {
  let fc1: Conv2d
  let fc2: Conv2d

  init(_ channels: Int) {
    let inner = rounded(Double(channels / 4))
    fc1 = Conv2d(channels, inner, kernelSize: 1)
    fc2 = Conv2d(inner, channels, kernelSize: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    x * fc2(fc1(x.mean(over: 2, 3, keepDims: true)).relu()).hardsigmoid()
  }
}
