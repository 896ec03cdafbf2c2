import NormaKernels

// Maxima of windows, for batches `[N, C, space...]` or samples without N. They run eagerly;
// channels-last memory order is preserved.

/// The maximum of each window of `[N, C, H, W]`, or of one sample without N.
///
/// y[n, c, i, j] = max x[n, c, i stride + a dilation - padding, ...] over a and b in the kernel;
/// padding counts as -inf. An axis has ⌊(size + 2 padding - dilation (kernel - 1) - 1) / stride⌋ +
/// 1 results, rounded up with `ceilMode`, where the last window must begin inside the input or the
/// padding before it. The stride defaults to the kernel size. NaN if the window contains one. The
/// gradient goes to the first of equal elements. A window entirely in the padding, which only a
/// dilation makes possible, has the maximum -inf and no gradient. Real types. Cost: one read and
/// one write; with gradients, also one write of the indices.
/// PyTorch: `F.max_pool2d`.
public func maxPool2d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  maxPool(
    x, space: 2, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents, ceilMode: ceilMode,
    needsIndices: false, call: "maxPool2d(_:kernelSize:)", file: file, line: line
  ).values
}

/// ``maxPool2d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)`` with the index of each
/// maximum in row-major order among the spatial elements, as `int64`; -1 for a window without an
/// element, for which PyTorch gives an index outside of the input.
/// PyTorch: `F.max_pool2d(return_indices=True)`.
public func maxPool2dWithIndices(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  maxPool(
    x, space: 2, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents,
    ceilMode: ceilMode, call: "maxPool2d(_:kernelSize:)", file: file, line: line)
}

/// The maximum of each window of `[N, C, L]`; see
/// ``maxPool2d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)``.
/// PyTorch: `F.max_pool1d`.
public func maxPool1d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  maxPool(
    x, space: 1, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents, ceilMode: ceilMode,
    needsIndices: false, call: "maxPool1d(_:kernelSize:)", file: file, line: line
  ).values
}

/// ``maxPool1d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)`` with the index of each
/// maximum in row-major order among the spatial elements, as `int64`.
/// PyTorch: `F.max_pool1d(return_indices=True)`.
public func maxPool1dWithIndices(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  maxPool(
    x, space: 1, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents,
    ceilMode: ceilMode, call: "maxPool1d(_:kernelSize:)", file: file, line: line)
}

/// The maximum of each window of `[N, C, D, H, W]`; see
/// ``maxPool2d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)``.
/// PyTorch: `F.max_pool3d`.
public func maxPool3d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  maxPool(
    x, space: 3, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents, ceilMode: ceilMode,
    needsIndices: false, call: "maxPool3d(_:kernelSize:)", file: file, line: line
  ).values
}

/// ``maxPool3d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)`` with the index of each
/// maximum in row-major order among the spatial elements, as `int64`.
/// PyTorch: `F.max_pool3d(return_indices=True)`.
public func maxPool3dWithIndices(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  dilation: some ExtentsConvertible = 1, ceilMode: Bool = false, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  maxPool(
    x, space: 3, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, dilation: dilation.asExtents,
    ceilMode: ceilMode, call: "maxPool3d(_:kernelSize:)", file: file, line: line)
}

/// The maximum of each of `outputSize` windows that divide the axes evenly.
///
/// Window i of m over n elements covers ⌊i n / m⌋ ..< ⌈(i + 1) n / m⌉. Shapes `[N, C, H, W]`, or
/// without N.
/// PyTorch: `F.adaptive_max_pool2d`.
public func adaptiveMaxPool2d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveMaxPool(
    x, space: 2, outputSize: outputSize.asAdaptiveSize, needsIndices: false,
    call: "adaptiveMaxPool2d(_:outputSize:)", file: file, line: line
  ).values
}

/// ``adaptiveMaxPool2d(_:outputSize:file:line:)`` with the indices of the maxima among the spatial
/// elements, as `int64`.
/// PyTorch: `F.adaptive_max_pool2d(return_indices=True)`.
public func adaptiveMaxPool2dWithIndices(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  adaptiveMaxPool(
    x, space: 2, outputSize: outputSize.asAdaptiveSize, call: "adaptiveMaxPool2d(_:outputSize:)",
    file: file,
    line: line)
}

/// Maxima of `outputSize` windows of `[N, C, L]`; see
/// ``adaptiveMaxPool2d(_:outputSize:file:line:)``.
/// PyTorch: `F.adaptive_max_pool1d`.
public func adaptiveMaxPool1d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveMaxPool(
    x, space: 1, outputSize: outputSize.asAdaptiveSize, needsIndices: false,
    call: "adaptiveMaxPool1d(_:outputSize:)", file: file, line: line
  ).values
}

/// ``adaptiveMaxPool1d(_:outputSize:file:line:)`` with the indices of the maxima among the spatial
/// elements, as `int64`.
/// PyTorch: `F.adaptive_max_pool1d(return_indices=True)`.
public func adaptiveMaxPool1dWithIndices(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  adaptiveMaxPool(
    x, space: 1, outputSize: outputSize.asAdaptiveSize, call: "adaptiveMaxPool1d(_:outputSize:)",
    file: file,
    line: line)
}

/// Maxima of `outputSize` windows of `[N, C, D, H, W]`; see
/// ``adaptiveMaxPool2d(_:outputSize:file:line:)``.
/// PyTorch: `F.adaptive_max_pool3d`.
public func adaptiveMaxPool3d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveMaxPool(
    x, space: 3, outputSize: outputSize.asAdaptiveSize, needsIndices: false,
    call: "adaptiveMaxPool3d(_:outputSize:)", file: file, line: line
  ).values
}

/// ``adaptiveMaxPool3d(_:outputSize:file:line:)`` with the indices of the maxima among the spatial
/// elements, as `int64`.
/// PyTorch: `F.adaptive_max_pool3d(return_indices=True)`.
public func adaptiveMaxPool3dWithIndices(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> (values: Tensor, indices: Tensor) {
  adaptiveMaxPool(
    x, space: 3, outputSize: outputSize.asAdaptiveSize, call: "adaptiveMaxPool3d(_:outputSize:)",
    file: file,
    line: line)
}

/// Maxima over `space` axes, and their indices if they are needed; a poisoned tensor otherwise.
package func maxPool(
  _ x: Tensor, space: Int, kernelSize: Extents, stride: Extents?, padding: Extents,
  dilation: Extents, ceilMode: Bool, needsIndices: Bool = true, call: String, file: StaticString,
  line: UInt
) -> (values: Tensor, indices: Tensor) {
  maxPooled(x, space, needsIndices, call, file, line) { sizes throws(TensorError) in
    let shape = try PoolingShape(
      sizes, kernel: kernelSize, stride: stride, padding: padding, dilation: dilation,
      ceilMode: ceilMode, call: call)
    return sizes.indices.map(shape.windows)
  }
}

/// Maxima of evenly divided axes, and their indices as ``maxPool``.
package func adaptiveMaxPool(
  _ x: Tensor, space: Int, outputSize: AdaptiveSize, needsIndices: Bool = true, call: String,
  file: StaticString, line: UInt
) -> (values: Tensor, indices: Tensor) {
  maxPooled(x, space, needsIndices, call, file, line) { sizes throws(TensorError) in
    let outputs = try outputSize.expanded(sizes, call: call)
    return zip(sizes, outputs).map { AdaptiveWindows(inputs: $0, outputs: $1).windows }
  }
}

/// Checks the input, takes the maxima over the windows that `axes` gives for its spatial axes, and
/// reports mistakes.
@inline(never)
private func maxPooled(
  _ x: Tensor, _ space: Int, _ needsIndices: Bool, _ call: String, _ file: StaticString,
  _ line: UInt,
  _ axes: (_ space: [Int]) throws(TensorError) -> [WindowAxis]
) -> (values: Tensor, indices: Tensor) {
  var indices = Tensor.poisoned
  let values = checked(x, file: file, line: line, call: call) { () throws(TensorError) in
    let x = space == 3 ? x.widened : x
    let batch = try Pooling.batch(x, space, call)
    let axes = try axes(Array(batch.shape.dropFirst(2)))
    let (values, found) = try Pooling.max(batch, axes, needsIndices: needsIndices, call)
    if let found {
      indices = x.rank == batch.rank ? found.cast(to: .int64) : found.cast(to: .int64).squeezed(0)
    }
    return x.rank == batch.rank ? values : values.squeezed(0)
  }
  return (values, indices)
}
