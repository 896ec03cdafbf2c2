// Convolutions of batches `[N, C, space...]`, or of one sample without N. `float32`, and `bfloat16`
// where oneDNN is faster with it, run through oneDNN with channels last in memory, which is also
// the order of the results. They stay pending, so that operations after them find the results in
// cache. Other half types are computed in `float32`. `float64`, and builds without oneDNN, use
// slices and matrix products, eagerly.

/// The convolution (cross-correlation) of `[N, C, L]` with `[outputs, C / groups, K]`; see
/// ``conv2d(_:weight:bias:stride:padding:dilation:groups:file:line:)``. PyTorch: `F.conv1d`.
public func conv1d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolve(
      x, weight, bias, 1, stride.asExtents, padding.asPadding, dilation.asExtents, groups,
      call: "conv1d(_:weight:)")
  }
}

/// The convolution (cross-correlation) of `[N, C, H, W]` with `[outputs, C / groups, KH, KW]`.
///
/// y[n, o, i, j] = bias[o] + Σ x[n, c, i stride + a dilation - padding, ...] weight[o, c, a, b]
/// over the channels of the output's group and the kernel; zeros outside of the input. An axis of
/// the result has ⌊(size + 2 padding - dilation (K - 1) - 1) / stride⌋ + 1 elements.
///
/// Source and weight have the same type. `float32` sums are oneDNN's, whose last bits may depend on
/// the number of threads. Kernels larger than the padded input and mismatched channels are errors.
/// Cost: as oneDNN needs; an input that is not channels last is copied once, and weights that are
/// used again are also kept in oneDNN's order, which takes their memory a second time. Elementwise
/// operations that follow, such as evaluated batch norm, ReLU and a residual sum, take no pass over
/// memory of their own.
/// PyTorch: `F.conv2d`.
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolve(
      x, weight, bias, 2, stride.asExtents, padding.asPadding, dilation.asExtents, groups,
      call: "conv2d(_:weight:)")
  }
}

/// The convolution of volumes `[N, C, D, H, W]`; see
/// ``conv2d(_:weight:bias:stride:padding:dilation:groups:file:line:)``. PyTorch: `F.conv3d`.
public func conv3d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolve(
      x, weight, bias, 3, stride.asExtents, padding.asPadding, dilation.asExtents, groups,
      call: "conv3d(_:weight:)")
  }
}

/// The transposed convolution of `[N, C, L]` with `[C, outputs / groups, K]`; see
/// ``convTranspose2d(_:weight:bias:stride:padding:outputPadding:groups:dilation:file:line:)``.
/// PyTorch: `F.conv_transpose1d`.
public func convTranspose1d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some ExtentsConvertible = 0,
  outputPadding: some ExtentsConvertible = 0, groups: Int = 1,
  dilation: some ExtentsConvertible = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolveTransposed(
      x, weight, bias, 1, stride.asExtents, padding.asExtents, outputPadding.asExtents, groups,
      dilation.asExtents,
      call: "convTranspose1d(_:weight:)")
  }
}

/// The transposed convolution of `[N, C, H, W]` with `[C, outputs / groups, KH, KW]`: the gradient
/// of a convolution with respect to its input, used as a forward operation.
///
/// An axis of the result has (size - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1
/// elements.
/// PyTorch: `F.conv_transpose2d`.
public func convTranspose2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some ExtentsConvertible = 0,
  outputPadding: some ExtentsConvertible = 0, groups: Int = 1,
  dilation: some ExtentsConvertible = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolveTransposed(
      x, weight, bias, 2, stride.asExtents, padding.asExtents, outputPadding.asExtents, groups,
      dilation.asExtents,
      call: "convTranspose2d(_:weight:)")
  }
}

/// The transposed convolution of volumes `[N, C, D, H, W]`; see
/// ``convTranspose2d(_:weight:bias:stride:padding:outputPadding:groups:dilation:file:line:)``.
/// PyTorch: `F.conv_transpose3d`.
public func convTranspose3d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: some ExtentsConvertible = 1,
  padding: some ExtentsConvertible = 0,
  outputPadding: some ExtentsConvertible = 0, groups: Int = 1,
  dilation: some ExtentsConvertible = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try convolveTransposed(
      x, weight, bias, 3, stride.asExtents, padding.asExtents, outputPadding.asExtents, groups,
      dilation.asExtents,
      call: "convTranspose3d(_:weight:)")
  }
}

/// A convolution over `space` axes, of a batch or of one sample.
package func convolve(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ space: Int, _ stride: Extents,
  _ padding: ConvolutionPadding, _ dilation: Extents, _ groups: Int, call: String
) throws(TensorError) -> Tensor {
  try overBatch(x, weight, bias, space, call) { (x, weight, bias) throws(TensorError) in
    let shape = try ConvolutionShape(
      source: x.shape, weights: weight.shape, stride: stride, padding: padding,
      dilation: dilation, groups: groups, call: call)
    try checkBias(bias, weight.shape[0], call)
    return try Convolution.forward(x, weight, bias, shape, call: call)
  }
}

/// A transposed convolution over `space` axes, of a batch or of one sample.
package func convolveTransposed(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ space: Int, _ stride: Extents,
  _ padding: Extents, _ outputPadding: Extents, _ groups: Int, _ dilation: Extents, call: String
) throws(TensorError) -> Tensor {
  try overBatch(x, weight, bias, space, call) { (x, weight, bias) throws(TensorError) in
    let shape = try ConvolutionShape(
      transposed: x.shape, weights: weight.shape, stride: stride, padding: padding,
      outputPadding: outputPadding, dilation: dilation, groups: groups, call: call)
    try checkBias(bias, shape.source[1], call)
    return try Convolution.sourceGradient(x, weight, shape, call: call).adding(bias: bias)
  }
}

/// Applies `rule` to a batch, or to one sample as a batch, in the type of ``autocast(_:_:)``.
private func overBatch(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ space: Int, _ call: String,
  _ rule: (Tensor, Tensor, Tensor?) throws(TensorError) -> Tensor
) throws(TensorError) -> Tensor {
  if x.isPoisoned || weight.isPoisoned || bias?.isPoisoned == true { return .poisoned }
  let (x, weight, bias) = (x.narrowed, weight.narrowed, bias?.narrowed)
  return try Autocast.off { () throws(TensorError) in
    let result = try rule(try x.asBatch(space, call), weight, bias)
    return x.rank == space + 1 ? result.squeezed(0) : result
  }
}

extension Tensor {
  /// `[N, C, space...]`: this tensor, or a single sample as a batch of one.
  func asBatch(_ space: Int, _ call: String) throws(TensorError) -> Tensor {
    guard rank == space + 1 || rank == space + 2 else {
      throw TensorError(
        call,
        "expected \(space + 2) axes (N, C and \(space) spatial), or \(space + 1) without N; got "
          + "shape \(shape)")
    }
    return rank == space + 2 ? self : unsqueezed(0)
  }
}

private func checkBias(_ bias: Tensor?, _ channels: Int, _ call: String) throws(TensorError) {
  if let bias, bias.shape != [channels] {
    throw TensorError(
      call, "the bias has shape \(bias.shape); there are \(channels) output channels")
  }
}
