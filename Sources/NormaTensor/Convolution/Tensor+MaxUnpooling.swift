// The inverse of max pooling: puts maxima back where they came from.

/// Zeros with the values of `x` at `indices`, as returned by
/// ``maxPool2dWithIndices(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)``.
///
/// - Shapes: `[N, C, H, W]`, or one sample without N; the indices have the shape of x.
/// - Parameters:
///   - x: values, of a real type.
///   - indices: the index of each value among the elements of an output plane, in row-major order.
///   - kernelSize: the pooling's window.
///   - stride: the pooling's stride; the kernel size by default.
///   - padding: the pooling's padding.
///   - outputSize: the size of the planes; (size - 1) stride - 2 padding + kernel by default.
///     Pooling rounds sizes down, so the original may have been larger by less than a stride.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Edge cases: if several values have the same index, as overlapping windows produce, the last
///   one in row-major order is kept and gets the gradient, which in PyTorch all of them get.
///   Indices outside of the plane are errors.
/// - Cost: one read, and one write of the result.
/// - PyTorch: `F.max_unpool2d`.
public func maxUnpool2d(
  _ x: Tensor, indices: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  outputSize: [Int]? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  maxUnpool(
    x, indices, 2, kernelSize.asExtents, stride?.asExtents, padding.asExtents, outputSize,
    "maxUnpool2d(_:indices:kernelSize:)", file, line)
}

/// Zeros with values `[N, C, L]` put back where they came from; see
/// ``maxUnpool2d(_:indices:kernelSize:stride:padding:outputSize:file:line:)``.
/// PyTorch: `F.max_unpool1d`.
public func maxUnpool1d(
  _ x: Tensor, indices: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  outputSize: [Int]? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  maxUnpool(
    x, indices, 1, kernelSize.asExtents, stride?.asExtents, padding.asExtents, outputSize,
    "maxUnpool1d(_:indices:kernelSize:)", file, line)
}

/// Zeros with values `[N, C, D, H, W]` put back where they came from; see
/// ``maxUnpool2d(_:indices:kernelSize:stride:padding:outputSize:file:line:)``.
/// PyTorch: `F.max_unpool3d`.
public func maxUnpool3d(
  _ x: Tensor, indices: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  outputSize: [Int]? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  maxUnpool(
    x, indices, 3, kernelSize.asExtents, stride?.asExtents, padding.asExtents, outputSize,
    "maxUnpool3d(_:indices:kernelSize:)", file, line)
}

private func maxUnpool(
  _ x: Tensor, _ indices: Tensor, _ space: Int, _ kernel: Extents, _ stride: Extents?,
  _ padding: Extents, _ wanted: [Int]?, _ call: String, _ file: StaticString, _ line: UInt
) -> Tensor {
  checked(x, indices, file: file, line: line, call: call) { () throws(TensorError) in
    let batch = try Pooling.batch(x, space, call)
    guard indices.shape == x.shape, indices.dtype.isInteger else {
      throw TensorError(
        call,
        "expected indices of shape \(x.shape) and an integer type, got \(indices.dtype) "
          + "\(indices.shape)")
    }
    let sizes = try unpooledSizes(
      Array(batch.shape.dropFirst(2)),
      kernel.expanded(space, atLeast: 1, "kernelSize", call: call),
      (stride ?? kernel).expanded(space, atLeast: 1, "stride", call: call),
      padding.expanded(space, atLeast: 0, "padding", call: call), wanted, call)
    let (planes, count) = (batch.shape[0] * batch.shape[1], try Shape.count(sizes, call: call))
    let target = Array(x.shape.dropLast(space)) + sizes
    _ = try Shape.count(target, call: call)
    let values = batch.reshaped([planes, batch.shape.dropFirst(2).reduce(1, *)])
    let positions = indices.asPositions.reshaped(values.shape)
    if values.count > 0 {
      let (least, greatest) = (
        positions.min().item(as: Int.self), positions.max().item(as: Int.self)
      )
      guard least >= 0, greatest < count else {
        throw TensorError(
          call,
          "indices range from \(least) to \(greatest), outside of a plane of shape \(sizes); "
            + "outputSize may be wrong")
      }
    }
    return Tensor.zeros([planes, count], dtype: x.dtype).scattered(positions, values, over: 1)
      .reshaped(target)
  }
}

/// The sizes of the planes before pooling.
private func unpooledSizes(
  _ sizes: [Int], _ kernel: [Int], _ steps: [Int], _ padding: [Int], _ wanted: [Int]?,
  _ call: String
) throws(TensorError) -> [Int] {
  var result: [Int] = []
  for axis in sizes.indices {
    let (product, overflow) = (sizes[axis] - 1).multipliedReportingOverflow(by: steps[axis])
    guard !overflow, product < Int.max / 4 else {
      throw TensorError(call, "an axis of \(sizes[axis]) becomes longer than memory can hold")
    }
    result.append(product - 2 * padding[axis] + kernel[axis])
  }
  if let wanted {
    let fits =
      wanted.count == sizes.count
      && wanted.indices.allSatisfy {
        wanted[$0] > result[$0] - steps[$0] && wanted[$0] < result[$0] + steps[$0]
      }
    try demand(
      fits, call, "outputSize \(wanted) differs from \(result) by a stride, \(steps), or more")
    result = wanted
  }
  try demand(result.allSatisfy({ $0 > 0 }), call, "planes would have the shape \(result)")
  return result
}
