import NormaTensor

/// The convolution and the batch norm behind it as one convolution: norm(conv(x)) in evaluation.
///
///     let fused = try folded(conv, bn)
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
  _ conv: Conv, _ norm: BatchNorm
) throws(TensorError) -> Conv {
  try typed(conv.followed(by: ChannelMap(norm, call: call), call: call), as: Conv.self)
}

/// The batch norm and the convolution behind it as one convolution: conv(norm(x)) in evaluation.
///
/// With scale = γ / √(running variance + eps) and shift = β - running mean * scale of each input
/// channel, weight' = weight * scale and bias' = bias + Σ weight * shift over inputs and kernel.
///
/// A norm moves what it normalizes and not the padding behind it. So this is exact without padding,
/// with padding that repeats the input (`reflect`, `replicate`, `circular`), and where no channel is
/// moved; otherwise it is refused. See ``folded(_:_:)-(Conv,BatchNorm)`` for the rest.
/// - Throws: `TensorError`, also where padding makes it impossible.
public func folded<Conv: Convolution>(
  _ norm: BatchNorm, _ conv: Conv
) throws(TensorError) -> Conv {
  try typed(conv.preceded(by: ChannelMap(norm, call: call), call: call), as: Conv.self)
}

/// The transposed convolution and the batch norm behind it as one; see
/// ``folded(_:_:)-(Conv,BatchNorm)``. Groups are no obstacle.
/// PyTorch: `fuse_conv_bn_eval(conv, bn, transpose=True)`, for one group.
public func folded<Transposed: TransposedConvolution>(
  _ conv: Transposed, _ norm: BatchNorm
) throws(TensorError) -> Transposed {
  try typed(conv.followed(by: ChannelMap(norm, call: call), call: call), as: Transposed.self)
}

/// The batch norm and the transposed convolution behind it as one.
///
/// A transposed convolution's results rest on different parts of its kernel, and at the edges on
/// fewer. So this is exact for a kernel of one element and stride 1, and where no channel is moved;
/// otherwise it is refused.
/// - Throws: `TensorError`.
public func folded<Transposed: TransposedConvolution>(
  _ norm: BatchNorm, _ conv: Transposed
) throws(TensorError) -> Transposed {
  try typed(conv.preceded(by: ChannelMap(norm, call: call), call: call), as: Transposed.self)
}

/// The linear layer and the batch norm behind it as one, for inputs `[N, inputs]`; see
/// ``folded(_:_:)-(Conv,BatchNorm)``.
///
/// With further axes a linear layer's outputs are the last axis and the norm's channels axis 1: such a
/// pair must not be folded. PyTorch: `torch.nn.utils.fusion.fuse_linear_bn_eval`.
/// - Throws: `TensorError`.
public func folded(_ linear: Linear, _ norm: BatchNorm) throws(TensorError) -> Linear {
  try typed(linear.followed(by: ChannelMap(norm, call: call), call: call), as: Linear.self)
}

/// The batch norm and the linear layer behind it as one, for inputs `[N, inputs]`: always exact.
/// - Throws: `TensorError`.
public func folded(_ norm: BatchNorm, _ linear: Linear) throws(TensorError) -> Linear {
  try typed(
    linear.preceded(by: ChannelMap(norm, call: call), call: call), as: Linear.self)
}

private let call = "folded(_:_:)"

/// Layers of special kinds fold into plain ones.
private func typed<T>(
  _ layer: any FoldableLayer, as type: T.Type
) throws(TensorError) -> T {
  guard let layer = layer as? T else {
    throw TensorError(
      call, "\(T.self) folds into \(Swift.type(of: layer)); pass it as Convolution")
  }
  return layer
}
