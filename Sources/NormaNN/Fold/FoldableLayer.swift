import NormaTensor

/// A layer that mixes channels linearly, so that a map of its input or output channels can be
/// folded into its weight and bias.
protocol FoldableLayer: Layer {
  var weight: Parameter { get }
  var bias: Parameter? { get }
  /// The weight in `float64` as `[groups, a, b, taps]`, where a and b are a group's inputs and
  /// outputs, and which of these two axes holds the inputs.
  var grouped: (weight: Tensor, inputAxis: Int) { get }
  /// The reason why adding a constant to an input channel does not add the same constant to every
  /// result; nil if it does.
  var unevenShift: String? { get }
  /// A plain layer with the same options.
  func twin() -> any FoldableLayer
}

extension FoldableLayer {
  /// The layer followed by the map.
  func followed(by map: ChannelMap, call: String) throws(TensorError) -> any FoldableLayer {
    let (wide, inputAxis) = grouped
    let outputs = wide.shape[0] * wide.shape[3 - inputAxis]
    try checkChannels(map, outputs, "outputs", call)
    let scale = map.scale.reshaped(Self.shape(of: wide, keeping: 3 - inputAxis))
    let moved = bias.map { $0.value.detached().cast(to: .float64) * map.scale + map.shift }
    return twin(weight: wide * scale, bias: moved ?? map.shift)
  }

  /// The map followed by the layer.
  func preceded(by map: ChannelMap, call: String) throws(TensorError) -> any FoldableLayer {
    let (wide, inputAxis) = grouped
    try checkChannels(map, wide.shape[0] * wide.shape[inputAxis], "inputs", call)
    if let unevenShift, !map.keepsZero {
      throw TensorError(
        call,
        "\(unevenShift), where the normalization's shift is missing, which no bias can compensate")
    }
    let shape = Self.shape(of: wide, keeping: inputAxis)
    let through = (wide * map.shift.reshaped(shape)).sum(over: inputAxis, 3).reshaped(-1)
    let moved = bias.map { $0.value.detached().cast(to: .float64) + through }
    return twin(weight: wide * map.scale.reshaped(shape), bias: moved ?? through)
  }

  private func twin(weight: Tensor, bias: Tensor) -> any FoldableLayer {
    // The initial values are replaced, so their draws must not advance the caller's generator.
    let twin = withSeed(0) { self.twin() }
    let dtype = self.weight.dtype
    twin.weight.value = weight.reshaped(self.weight.shape).cast(to: dtype).evaluated()
    twin.bias?.value = bias.cast(to: dtype).evaluated()
    twin.weight.isFrozen = self.weight.isFrozen
    twin.bias?.isFrozen = self.weight.isFrozen
    twin.setOwnMode(isTraining)
    return twin
  }

  private func checkChannels(
    _ map: ChannelMap, _ channels: Int, _ name: String, _ call: String
  ) throws(TensorError) {
    if map.channels != channels {
      throw TensorError(
        call,
        "the normalization has \(map.channels) channels, the layer \(channels) \(name)")
    }
  }

  private static func shape(of weight: Tensor, keeping axis: Int) -> [Int] {
    weight.shape.indices.map { $0 == 0 || $0 == axis ? weight.shape[$0] : 1 }
  }
}

extension Linear: FoldableLayer {
  var grouped: (weight: Tensor, inputAxis: Int) {
    let wide = weight.value.detached().cast(to: .float64)
    return (wide.reshaped([1] + weight.shape + [1]), 2)
  }

  var unevenShift: String? { nil }

  func twin() -> any FoldableLayer {
    Linear(weight.shape[1], weight.shape[0], dtype: weight.dtype)
  }
}

extension Convolution: FoldableLayer {
  var grouped: (weight: Tensor, inputAxis: Int) {
    let wide = convolvingWeight.detached().cast(to: .float64)
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let taps = weight.shape.dropFirst(2).reduce(1, *)
    return (wide.reshaped(groups, outputs / groups, inputs, taps), 2)
  }

  var unevenShift: String? {
    guard case .constant = paddingMode else { return nil }
    let amounts = try? padding.amounts(
      kernel: Array(weight.shape.dropFirst(2)), stride: stride, dilation: dilation, call: "")
    return amounts?.allSatisfy { $0 == 0 } == true
      ? nil : "the convolution sees padding \(paddingMode == .zeros ? "of zeros " : "")at the edges"
  }

  func twin() -> any FoldableLayer {
    let (inputs, outputs) = (weight.shape[1] * groups, weight.shape[0])
    let kernel = Extents(Array(weight.shape.dropFirst(2)))
    switch space {
    case 1:
      return Conv1d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: groups, paddingMode: paddingMode, dtype: weight.dtype)
    case 2:
      return Conv2d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: groups, paddingMode: paddingMode, dtype: weight.dtype)
    default:
      return Conv3d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: groups, paddingMode: paddingMode, dtype: weight.dtype)
    }
  }
}

extension TransposedConvolution: FoldableLayer {
  var grouped: (weight: Tensor, inputAxis: Int) {
    let wide = weight.value.detached().cast(to: .float64)
    let (inputs, outputs) = (weight.shape[0], weight.shape[1])
    let taps = weight.shape.dropFirst(2).reduce(1, *)
    return (wide.reshaped(groups, inputs / groups, outputs, taps), 1)
  }

  /// Results depend on different taps, unless there is one tap and every result depends on it.
  var unevenShift: String? {
    let isEven =
      weight.shape.dropFirst(2).allSatisfy { $0 == 1 } && stride.values.allSatisfy { $0 == 1 }
      && outputPadding.values.allSatisfy { $0 == 0 }
    return isEven
      ? nil : "the transposed convolution has results that depend on a part of its kernel only"
  }

  func twin() -> any FoldableLayer {
    let (inputs, outputs) = (weight.shape[0], weight.shape[1] * groups)
    let kernel = Extents(Array(weight.shape.dropFirst(2)))
    switch space {
    case 1:
      return ConvTranspose1d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding,
        outputPadding: outputPadding, groups: groups, dilation: dilation, dtype: weight.dtype)
    case 2:
      return ConvTranspose2d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding,
        outputPadding: outputPadding, groups: groups, dilation: dilation, dtype: weight.dtype)
    default:
      return ConvTranspose3d(
        inputs, outputs, kernelSize: kernel, stride: stride, padding: padding,
        outputPadding: outputPadding, groups: groups, dilation: dilation, dtype: weight.dtype)
    }
  }
}
