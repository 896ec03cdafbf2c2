import NormaFiles
import NormaNN
import NormaTensor

/// Named layers in sequence, as described by a file.
final class DoctorNetwork: Module, Layer {
  private let layers: [(name: String, layer: any Layer)]

  /// Each layer of `layers` has a name, a kind of `torch.nn` and its options.
  init(_ description: JSON) throws {
    layers = try (description["layers"]?.arrayValue ?? []).map { item in
      guard let name = item["name"]?.stringValue, let kind = item["kind"]?.stringValue else {
        throw CaseObstacle.unreadable("a layer without name or kind")
      }
      let description = LayerDescription(kind: kind, options: item["options"] ?? .object([]))
      return (name, try description.layer())
    }
  }

  override var children: [(name: String, module: Module)] {
    layers.map { ($0.name, $0.layer) }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    layers.reduce(x) { $1.layer($0) }
  }
}

/// The description of one layer in a file.
private struct LayerDescription {
  let kind: String
  let options: JSON

  private func int(_ name: String) throws -> Int {
    guard let value = options[name]?.intValue else {
      throw CaseObstacle.unreadable("\(kind) without \(name)")
    }
    return value
  }

  private func flag(_ name: String, _ standard: Bool) -> Bool {
    options[name]?.boolValue ?? standard
  }

  private func number(_ name: String, _ standard: Double) -> Double {
    options[name]?.doubleValue ?? standard
  }

  /// One number or one for each axis; nil if it is not given.
  private func extents(_ name: String) -> Extents? {
    guard let value = options[name] else { return nil }
    if let one = value.intValue { return Extents([one]) }
    return value.arrayValue.map { Extents($0.compactMap(\.intValue)) }
  }

  private var momentum: Momentum {
    options["momentum"]?.isNull == true ? .cumulative : .pytorch(number("momentum", 0.1))
  }

  func layer() throws -> any Layer {
    if kind.hasPrefix("BatchNorm") { return try batchNorm() }
    if kind.hasPrefix("Conv") { return try convolution() }
    if kind.contains("Pool") { return try pooling() }
    switch kind {
    case "Linear":
      return Linear(try int("in_features"), try int("out_features"), bias: flag("bias", true))
    case "Flatten": return Flatten()
    case "Identity": return Identity()
    case "ReLU": return ReLU()
    case "ReLU6": return ReLU6()
    case "LeakyReLU": return LeakyReLU(slope: number("negative_slope", 0.01))
    case "GELU": return GELU(approximatingByTanh: options["approximate"]?.stringValue == "tanh")
    case "SiLU": return SiLU()
    case "Sigmoid": return Sigmoid()
    case "Tanh": return Tanh()
    case "Dropout": return Dropout(number("p", 0.5))
    case "Dropout2d": return Dropout2d(number("p", 0.5))
    default: throw CaseObstacle.unsupported(kind)
    }
  }

  private func batchNorm() throws -> any Layer {
    let features = try int("num_features")
    let (eps, affine, bias) = (number("eps", 1e-5), flag("affine", true), flag("bias", true))
    let tracks = flag("track_running_stats", true)
    switch kind {
    case "BatchNorm1d":
      return BatchNorm1d(
        features, eps: eps, momentum: momentum, affine: affine, bias: bias,
        trackRunningStats: tracks)
    case "BatchNorm2d":
      return BatchNorm2d(
        features, eps: eps, momentum: momentum, affine: affine, bias: bias,
        trackRunningStats: tracks)
    case "BatchNorm3d":
      return BatchNorm3d(
        features, eps: eps, momentum: momentum, affine: affine, bias: bias,
        trackRunningStats: tracks)
    default: throw CaseObstacle.unsupported(kind)
    }
  }

  private func convolution() throws -> any Layer {
    let (inputs, outputs) = (try int("in_channels"), try int("out_channels"))
    guard let kernel = extents("kernel_size") else {
      throw CaseObstacle.unreadable("\(kind) without kernel_size")
    }
    let (stride, dilation) = (extents("stride") ?? 1, extents("dilation") ?? 1)
    let padding = ConvolutionPadding(extents("padding") ?? 0)
    let groups = options["groups"]?.intValue ?? 1
    switch kind {
    case "Conv1d":
      return Conv1d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: groups, bias: flag("bias", true))
    case "Conv2d":
      return Conv2d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: groups, bias: flag("bias", true))
    default: throw CaseObstacle.unsupported(kind)
    }
  }

  private func pooling() throws -> any Layer {
    let size = extents("kernel_size") ?? 2
    let (stride, padding) = (extents("stride"), extents("padding") ?? 0)
    switch kind {
    case "MaxPool1d": return MaxPool1d(kernelSize: size, stride: stride, padding: padding)
    case "MaxPool2d": return MaxPool2d(kernelSize: size, stride: stride, padding: padding)
    case "AvgPool1d": return AvgPool1d(kernelSize: size, stride: stride, padding: padding)
    case "AvgPool2d": return AvgPool2d(kernelSize: size, stride: stride, padding: padding)
    case "AdaptiveAvgPool1d": return AdaptiveAvgPool1d(outputSize)
    case "AdaptiveAvgPool2d": return AdaptiveAvgPool2d(outputSize)
    default: throw CaseObstacle.unsupported(kind)
    }
  }

  private var outputSize: AdaptiveSize {
    AdaptiveSize(extents("output_size")?.values.map { $0 } ?? [1])
  }
}
