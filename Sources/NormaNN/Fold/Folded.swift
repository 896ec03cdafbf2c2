import NormaTensor

extension BatchNorm {
  /// Folds this batch norm into the convolution before it: norm(conv(x)) in evaluation.
  ///
  ///     let fused = try bn.folded(intoPrevious: conv)
  ///
  /// With scale = γ / √(running variance + eps) of each output channel, weight' = weight * scale
  /// and bias' = (bias - running mean) * scale + β. The new layer always has a bias; it has the
  /// options, type and mode of the old one, and parameters of its own. Exact for every padding,
  /// stride and number of groups.
  ///
  /// - Throws: `TensorError` if channels do not match, if the norm has no running statistics
  ///   or does not normalize with them, or if a channel's scale or shift is not finite.
  /// - Accuracy: computed in `float64` and rounded once. The bias contains the running mean in
  ///   evaluation: where that is far from zero, digits are lost as they are in the unfolded layer.
  /// - Cost: the norm is free afterwards, which saves one read and one write.
  /// - PyTorch: `torch.nn.utils.fusion.fuse_conv_bn_eval`.
  public func folded<Conv: Convolution>(
    intoPrevious conv: Conv
  ) throws(TensorError) -> Conv {
    try typed(
      conv.followed(by: ChannelMap(self, call: previous), call: previous), as: Conv.self,
      call: previous)
  }

  /// Folds this batch norm into the convolution after it: conv(norm(x)) in evaluation.
  ///
  /// With scale = γ / √(running variance + eps) and shift = β - running mean * scale of each input
  /// channel, weight' = weight * scale and bias' = bias + Σ weight * shift over inputs and kernel.
  ///
  /// A norm shifts its input, but not the padding that the convolution adds afterwards. So folding
  /// is exact without padding, with padding that repeats the input (`reflect`, `replicate`,
  /// `circular`), and if no channel is shifted; otherwise it is an error. See
  /// ``folded(intoPrevious:)-(Conv)`` for the rest.
  /// - Throws: `TensorError`, including if padding makes folding impossible.
  public func folded<Conv: Convolution>(
    intoNext conv: Conv
  ) throws(TensorError) -> Conv {
    try typed(
      conv.preceded(by: ChannelMap(self, call: next), call: next), as: Conv.self, call: next)
  }

  /// Folds this batch norm into the transposed convolution before it, for any number of groups; see
  /// ``folded(intoPrevious:)-(Conv)``. PyTorch: `fuse_conv_bn_eval(conv, bn, transpose=True)`, for
  /// one group.
  public func folded<Transposed: TransposedConvolution>(
    intoPrevious conv: Transposed
  ) throws(TensorError) -> Transposed {
    try typed(
      conv.followed(by: ChannelMap(self, call: previous), call: previous), as: Transposed.self,
      call: previous)
  }

  /// Folds this batch norm into the transposed convolution after it.
  ///
  /// The results of a transposed convolution depend on different parts of its kernel, and at the
  /// edges on fewer elements. So folding is exact for a kernel of one element and stride 1, and
  /// if no channel is shifted; otherwise it is an error.
  /// - Throws: `TensorError`.
  public func folded<Transposed: TransposedConvolution>(
    intoNext conv: Transposed
  ) throws(TensorError) -> Transposed {
    try typed(
      conv.preceded(by: ChannelMap(self, call: next), call: next), as: Transposed.self, call: next)
  }

  /// Folds this batch norm into the linear layer before it, for inputs `[N, inputs]`; see
  /// ``folded(intoPrevious:)-(Conv)``.
  ///
  /// With further axes, a linear layer's outputs are the last axis but the norm's channels are axis
  /// 1: such a pair must not be folded. PyTorch: `torch.nn.utils.fusion.fuse_linear_bn_eval`.
  /// - Throws: `TensorError`.
  public func folded(intoPrevious linear: Linear) throws(TensorError) -> Linear {
    try typed(
      linear.followed(by: ChannelMap(self, call: previous), call: previous), as: Linear.self,
      call: previous)
  }

  /// Folds this batch norm into the linear layer after it, for inputs `[N, inputs]`; always exact.
  /// - Throws: `TensorError`.
  public func folded(intoNext linear: Linear) throws(TensorError) -> Linear {
    try typed(
      linear.preceded(by: ChannelMap(self, call: next), call: next), as: Linear.self, call: next)
  }
}

private let previous = "folded(intoPrevious:)"
private let next = "folded(intoNext:)"

/// Layers of special kinds fold into plain layers.
private func typed<T>(
  _ layer: any FoldableLayer, as type: T.Type, call: String
) throws(TensorError) -> T {
  guard let layer = layer as? T else {
    throw TensorError(
      call, "\(T.self) folds into \(Swift.type(of: layer)); pass it as Convolution")
  }
  return layer
}
