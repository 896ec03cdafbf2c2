import NormaTensor

extension BatchNorm {
  /// The convolution and the batch norm behind it as one convolution: norm(conv(x)) in evaluation.
  ///
  ///     let fused = try bn.folded(intoPrevious: conv)
  ///
  /// With scale = γ / √(running variance + eps) of each output channel, weight' = weight * scale and
  /// bias' = (bias - running mean) * scale + β. The new layer always has a bias; it has the options,
  /// type and mode of the old one, and parameters of its own. Exact for every padding, stride and
  /// group.
  ///
  /// - Throws: `TensorError` where channels do not fit, where the norm has no running statistics or does
  ///   not normalize with them, or where a channel's scale or shift is not finite.
  /// - Accuracy: computed in `float64` and rounded once. In evaluation the bias carries the running mean:
  ///   where that is far from zero, digits are lost as they are in the unfolded layer.
  /// - Cost: the norm costs nothing any more: one read and one write less.
  /// - PyTorch: `torch.nn.utils.fusion.fuse_conv_bn_eval`.
  public func folded<Conv: Convolution>(
    intoPrevious conv: Conv
  ) throws(TensorError) -> Conv {
    try typed(
      conv.followed(by: ChannelMap(self, call: previous), call: previous), as: Conv.self,
      call: previous)
  }

  /// The batch norm and the convolution behind it as one convolution: conv(norm(x)) in evaluation.
  ///
  /// With scale = γ / √(running variance + eps) and shift = β - running mean * scale of each input
  /// channel, weight' = weight * scale and bias' = bias + Σ weight * shift over inputs and kernel.
  ///
  /// A norm moves what it normalizes and not the padding behind it. So this is exact without padding,
  /// with padding that repeats the input (`reflect`, `replicate`, `circular`), and where no channel is
  /// moved; otherwise it is refused. See ``folded(intoPrevious:)-(Conv)`` for the rest.
  /// - Throws: `TensorError`, also where padding makes it impossible.
  public func folded<Conv: Convolution>(
    intoNext conv: Conv
  ) throws(TensorError) -> Conv {
    try typed(
      conv.preceded(by: ChannelMap(self, call: next), call: next), as: Conv.self, call: next)
  }

  /// The transposed convolution and the batch norm behind it as one; see
  /// ``folded(intoPrevious:)-(Conv)``. Groups are no obstacle.
  /// PyTorch: `fuse_conv_bn_eval(conv, bn, transpose=True)`, for one group.
  public func folded<Transposed: TransposedConvolution>(
    intoPrevious conv: Transposed
  ) throws(TensorError) -> Transposed {
    try typed(
      conv.followed(by: ChannelMap(self, call: previous), call: previous), as: Transposed.self,
      call: previous)
  }

  /// The batch norm and the transposed convolution behind it as one.
  ///
  /// A transposed convolution's results rest on different parts of its kernel, and at the edges on
  /// fewer. So this is exact for a kernel of one element and stride 1, and where no channel is moved;
  /// otherwise it is refused.
  /// - Throws: `TensorError`.
  public func folded<Transposed: TransposedConvolution>(
    intoNext conv: Transposed
  ) throws(TensorError) -> Transposed {
    try typed(
      conv.preceded(by: ChannelMap(self, call: next), call: next), as: Transposed.self, call: next)
  }

  /// The linear layer and the batch norm behind it as one, for inputs `[N, inputs]`; see
  /// ``folded(intoPrevious:)-(Conv)``.
  ///
  /// With further axes a linear layer's outputs are the last axis and the norm's channels axis 1: such a
  /// pair must not be folded. PyTorch: `torch.nn.utils.fusion.fuse_linear_bn_eval`.
  /// - Throws: `TensorError`.
  public func folded(intoPrevious linear: Linear) throws(TensorError) -> Linear {
    try typed(
      linear.followed(by: ChannelMap(self, call: previous), call: previous), as: Linear.self,
      call: previous)
  }

  /// The batch norm and the linear layer behind it as one, for inputs `[N, inputs]`: always exact.
  /// - Throws: `TensorError`.
  public func folded(intoNext linear: Linear) throws(TensorError) -> Linear {
    try typed(
      linear.preceded(by: ChannelMap(self, call: next), call: next), as: Linear.self, call: next)
  }
}

private let previous = "folded(intoPrevious:)"
private let next = "folded(intoNext:)"

/// Layers of special kinds fold into plain ones.
private func typed<T>(
  _ layer: any FoldableLayer, as type: T.Type, call: String
) throws(TensorError) -> T {
  guard let layer = layer as? T else {
    throw TensorError(
      call, "\(T.self) folds into \(Swift.type(of: layer)); pass it as Convolution")
  }
  return layer
}
