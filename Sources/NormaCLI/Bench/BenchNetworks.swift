import Norma

// Common networks with torchvision's structure. Benchmarks/network_rows.py has the same in PyTorch.

/// ResNet-18 for images `[N, 3, H, W]`.
final class ResNet18: Module, Layer {
  private let conv1 = Conv2d(3, 64, kernelSize: 7, stride: 2, padding: 3, bias: false)
  private let bn1 = BatchNorm2d(64)
  private let pool = MaxPool2d(kernelSize: 3, stride: 2, padding: 1)
  private let layers: Sequential
  private let fc = Linear(512, 1000)

  override init() {
    let widths = [64, 64, 128, 256, 512]
    layers = Sequential(
      (1...4).flatMap { stage -> [any Layer] in
        [
          ResidualBlock(
            widths[stage - 1], widths[stage], stride: stage == 1 ? 1 : 2, momentum: 0.1),
          ResidualBlock(widths[stage], widths[stage], stride: 1, momentum: 0.1),
        ]
      })
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(layers(pool(bn1(conv1(x)).relu())).mean(over: 2, 3))
  }
}

/// MobileNet-v2 for images `[N, 3, H, W]`.
final class MobileNetV2: Module, Layer {
  private let features: Sequential
  private let classifier = Linear(1280, 1000)

  override init() {
    var layers: [any Layer] = [convolution(3, 32, kernelSize: 3, stride: 2)]
    var inputs = 32
    let stages = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
      (6, 320, 1, 1),
    ]
    for (expansion, outputs, count, stride) in stages {
      for index in 0..<count {
        layers.append(
          InvertedResidual(
            inputs, outputs, stride: index == 0 ? stride : 1, expansion: expansion))
        inputs = outputs
      }
    }
    layers.append(convolution(inputs, 1280, kernelSize: 1))
    features = Sequential(layers)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(features(x).mean(over: 2, 3))
  }
}

/// Expands the channels, with a depthwise convolution in the middle.
private final class InvertedResidual: Module, Layer {
  private let conv: Sequential
  private let isResidual: Bool

  init(_ inputs: Int, _ outputs: Int, stride: Int, expansion: Int) {
    let hidden = inputs * expansion
    var layers: [any Layer] = expansion == 1 ? [] : [convolution(inputs, hidden, kernelSize: 1)]
    layers += [
      convolution(hidden, hidden, kernelSize: 3, stride: stride, groups: hidden),
      Conv2d(hidden, outputs, kernelSize: 1, bias: false), BatchNorm2d(outputs),
    ]
    conv = Sequential(layers)
    isResidual = stride == 1 && inputs == outputs
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    isResidual ? x + conv(x) : conv(x)
  }
}

/// A convolution, batch norm and ReLU6.
private func convolution(
  _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, groups: Int = 1
) -> Sequential {
  Sequential(
    Conv2d(
      inputs, outputs, kernelSize: kernelSize, stride: stride, padding: (kernelSize - 1) / 2,
      groups: groups, bias: false),
    BatchNorm2d(outputs), ReLU6())
}
