import NormaTensor

/// Group normalization as a pure function: splits the channels in axis 1 into `groups` parts and
/// normalizes each with its own mean and variance.
///
/// The formula, edge cases and cost are those of ``GroupNorm``; `weight` and `bias` have the shape
/// `[C]`. PyTorch: `torch.nn.functional.group_norm`.
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try groupNorm(
      x, groups: groups, weight: weight, bias: bias, eps: eps, call: "groupNorm(_:groups:)"
    ).output
  }
}

/// The normalized tensor and the statistics that normalized it, `[N, groups, 1...]`.
package func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor?, bias: Tensor?, eps: Double, call: String
) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics?) {
  if x.isPoisoned { return (x, nil) }
  let parts = try GroupedChannels(x, groups, weight: weight, bias: bias, call: call)
  if x.count == groups {
    throw TensorError(
      call, "shape \(x.shape) has one value in each of \(groups) groups, which has no variance")
  }
  let (output, statistics) = try parts.input.normalized(
    over: parts.axes, eps: eps, weight: parts.weight, bias: parts.bias, call: call)
  return (output.reshaped(x.shape), statistics)
}

/// An input and its parameters with the channels as two axes: the groups, and the channels of a
/// group.
struct GroupedChannels {
  let input: Tensor
  let weight: Tensor?, bias: Tensor?
  /// The axes of a group's statistics.
  let axes: [Int]
  /// The number of channels in a group.
  let size: Int

  init(
    _ x: Tensor, _ groups: Int, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) {
    guard x.rank >= 2 else {
      throw TensorError(call, "expected a batch with channels in axis 1, got shape \(x.shape)")
    }
    try requireReal(x, call: call)
    let channels = x.shape[1]
    try requireGroups(groups, channels, call: call)
    try requireChannels(channels, ["weight": weight, "bias": bias], call: call)
    size = channels / groups
    let rest = x.shape.dropFirst(2)
    input = x.reshaped([x.shape[0], groups, size] + rest)
    let shape = [1, groups, size] + rest.map { _ in 1 }
    (self.weight, self.bias) = (weight?.reshaped(shape), bias?.reshaped(shape))
    axes = Array(2..<input.rank)
  }
}

/// Reports a number of groups that does not divide the channels.
func requireGroups(_ groups: Int, _ channels: Int, call: String) throws(TensorError) {
  guard groups > 0, channels % groups == 0 else {
    throw TensorError(
      call, "\(channels) channels do not divide into \(groups) groups of equal size")
  }
}

/// Group normalization: normalizes groups of channels of every sample with their own mean and
/// variance.
///
/// y = (x - mean) / √(variance + eps) * weight + bias, with mean and variance, divided by n, over
/// the channels of a group and all axes after them; weight and bias are per channel. The same in
/// training and evaluation, and independent of the batch. One group is layer norm over channels and
/// space; as many groups as channels is instance norm.
///
/// - Shapes: input and output `[N, C, ...]`; weight and bias `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: a constant group gives exactly the bias; an empty batch gives an empty result; one
///   sample with one value per group is an error, as in PyTorch.
/// - Accuracy: as ``BatchNorm``; the mean is carried in two numbers.
/// - Cost: one read and one write if groups are contiguous in memory and take at most 4 MiB, and
///   there are at least twice as many as threads; otherwise, as with channels last, one more read.
///   Operations that follow the layer take another pass over memory.
/// - PyTorch: `torch.nn.GroupNorm`. Flax's eps is 1e-6, Keras' 1e-3, and both have 32 groups by
///   default; MLX groups channels otherwise unless `pytorch_compatible`.
/// - Source: Wu and He, "Group Normalization" (2018).
public final class GroupNorm: Module, PlacedLayer {
  /// The number of groups.
  public let groups: Int
  /// The number of channels.
  public let channels: Int
  /// Added to the variance under the square root.
  public let eps: Double
  /// The scale γ of each channel, initially 1; nil without `affine`.
  public let weight: Parameter?
  /// The shift β of each channel, initially 0; nil without `affine` or `bias`.
  public let bias: Parameter?

  /// A layer for `channels` channels in `groups` groups, with PyTorch's defaults.
  /// PyTorch: `nn.GroupNorm(groups, channels)`.
  public init(
    _ groups: Int, _ channels: Int, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: GroupNorm.self, file: file, line: line)
    let channels = options.size(channels, "channels")
    self.groups = groups
    self.channels = channels
    self.eps = options.eps(eps)
    weight = affine ? Parameter(.ones(channels, dtype: dtype)) : nil
    self.bias = affine && bias ? Parameter(.zeros(channels, dtype: dtype)) : nil
    do throws(TensorError) {
      try requireGroups(groups, channels, call: "GroupNorm(_:_:)")
    } catch {
      report(error, file: file, line: line)
    }
  }

  public override var optionsDescription: String {
    OptionText(groups, channels).with("eps", eps).with("affine", weight != nil, unless: true)
      .with("bias", bias != nil, unless: weight != nil).text
  }

  /// Normalizes every sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in
      try groupNorm(
        x, groups: groups, weight: weight?.value, bias: bias?.value, eps: eps,
        call: "GroupNorm(_:)"
      ).output
    }.observed(by: self, of: x, file, line)
  }
}
