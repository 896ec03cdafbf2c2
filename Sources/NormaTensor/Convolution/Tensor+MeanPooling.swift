import NormaKernels

// Means of windows, for batches `[N, C, space...]` or samples without N. They run eagerly; the
// memory order is preserved.

/// The mean of each window of `[N, C, H, W]`, or of one sample without N.
///
/// y[n, c, i, j] = Σ x[n, c, i stride + a - padding, ...] / count over a and b in the kernel, with
/// zeros as padding. `countIncludePad` counts these zeros, `divisorOverride` replaces the count.
/// Sizes are those of ``maxPool2d(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)``. Sums
/// run in double along one axis after the other, rounded after each. Real types. Cost: a read and a
/// write for each axis, smaller for each further axis.
/// PyTorch: `F.avg_pool2d`.
public func avgPool2d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  avgPool(
    x, space: 2, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, ceilMode: ceilMode,
    countIncludePad: countIncludePad, divisorOverride: divisorOverride,
    call: "avgPool2d(_:kernelSize:)", file: file, line: line)
}

/// The mean of each window of `[N, C, L]`; see
/// ``avgPool2d(_:kernelSize:stride:padding:ceilMode:countIncludePad:divisorOverride:file:line:)``.
/// PyTorch: `F.avg_pool1d`.
public func avgPool1d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  ceilMode: Bool = false, countIncludePad: Bool = true,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  avgPool(
    x, space: 1, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, ceilMode: ceilMode,
    countIncludePad: countIncludePad, divisorOverride: nil,
    call: "avgPool1d(_:kernelSize:)", file: file, line: line)
}

/// The mean of each window of `[N, C, D, H, W]`; see
/// ``avgPool2d(_:kernelSize:stride:padding:ceilMode:countIncludePad:divisorOverride:file:line:)``.
/// PyTorch: `F.avg_pool3d`.
public func avgPool3d(
  _ x: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  avgPool(
    x, space: 3, kernelSize: kernelSize.asExtents, stride: stride?.asExtents,
    padding: padding.asExtents, ceilMode: ceilMode,
    countIncludePad: countIncludePad, divisorOverride: divisorOverride,
    call: "avgPool3d(_:kernelSize:)", file: file, line: line)
}

/// The mean of each of `outputSize` windows that divide the axes evenly.
///
/// Window i of m over n elements covers ⌊i n / m⌋ ..< ⌈(i + 1) n / m⌉. Size 1 is the mean over all
/// spatial elements, a pending reduction that is fused with its input. Shapes `[N, C, H, W]`, or
/// without N.
/// PyTorch: `F.adaptive_avg_pool2d`.
public func adaptiveAvgPool2d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveAvgPool(
    x, space: 2, outputSize: outputSize.asAdaptiveSize, call: "adaptiveAvgPool2d(_:outputSize:)",
    file: file,
    line: line)
}

/// Means of `outputSize` windows of `[N, C, L]`; see
/// ``adaptiveAvgPool2d(_:outputSize:file:line:)``. PyTorch: `F.adaptive_avg_pool1d`.
public func adaptiveAvgPool1d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveAvgPool(
    x, space: 1, outputSize: outputSize.asAdaptiveSize, call: "adaptiveAvgPool1d(_:outputSize:)",
    file: file,
    line: line)
}

/// Means of `outputSize` windows of `[N, C, D, H, W]`; see
/// ``adaptiveAvgPool2d(_:outputSize:file:line:)``. PyTorch: `F.adaptive_avg_pool3d`.
public func adaptiveAvgPool3d(
  _ x: Tensor, outputSize: some AdaptiveSizeConvertible, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  adaptiveAvgPool(
    x, space: 3, outputSize: outputSize.asAdaptiveSize, call: "adaptiveAvgPool3d(_:outputSize:)",
    file: file,
    line: line)
}

/// Means of windows over `space` axes.
package func avgPool(
  _ x: Tensor, space: Int, kernelSize: Extents, stride: Extents?, padding: Extents,
  ceilMode: Bool, countIncludePad: Bool, divisorOverride: Int?, call: String,
  file: StaticString, line: UInt
) -> Tensor {
  meanPooled(x, space, call, file, line) { sizes throws(TensorError) in
    let shape = try PoolingShape(
      sizes, kernel: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, call: call)
    try shape.checkTerms(call: call)
    guard let divisorOverride else {
      return sizes.indices.map { shape.means($0, countsPadding: countIncludePad) }
    }
    guard divisorOverride != 0 else { throw TensorError(call, "divisorOverride must not be 0") }
    return sizes.indices.map { axis in
      shape.sums(axis, factor: axis == 0 ? 1 / Double(divisorOverride) : 1)
    }
  }
}

/// Means of evenly divided axes.
package func adaptiveAvgPool(
  _ x: Tensor, space: Int, outputSize: AdaptiveSize, call: String, file: StaticString, line: UInt
) -> Tensor {
  meanPooled(x, space, call, file, line) { sizes throws(TensorError) in
    let outputs = try outputSize.expanded(sizes, call: call)
    if outputs.allSatisfy({ $0 == 1 }), x.count > 0 { return nil }
    let windows = zip(sizes, outputs).map { AdaptiveWindows(inputs: $0, outputs: $1) }
    for axis in windows { try axis.checkTerms(call: call) }
    return windows.map(\.means)
  }
}

/// Checks the input, takes the means that `maps` gives for its spatial axes (nil: those over all of
/// them), and reports mistakes.
private func meanPooled(
  _ x: Tensor, _ space: Int, _ call: String, _ file: StaticString, _ line: UInt,
  _ maps: (_ space: [Int]) throws(TensorError) -> [AxisMap]?
) -> Tensor {
  checked(x, file: file, line: line, call: call) { () throws(TensorError) in
    let x = space == 3 ? x.widened : x
    let batch = try Pooling.batch(x, space, call)
    guard let maps = try maps(Array(batch.shape.dropFirst(2))) else {
      return x.mean(over: Array((x.rank - space)..<x.rank), keepDims: true)
    }
    let result = Pooling.mean(batch, maps, call)
    return x.rank == batch.rank ? result : result.squeezed(0)
  }
}
