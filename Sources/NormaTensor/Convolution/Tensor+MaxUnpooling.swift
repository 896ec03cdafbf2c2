// The way back from the largest elements of windows to where they stood.

/// Zeros with the values of `x` at `indices`, as ``maxPool2dWithIndices(_:kernelSize:stride:padding:dilation:ceilMode:file:line:)``
/// gave them.
///
/// - Shapes: `[N, C, H, W]`, or one sample without N; the indices have the shape of x.
/// - Parameters:
///   - x: values, of a real type.
///   - indices: for each value its position among the elements of an output plane, in row-major order.
///   - kernelSize: the pooling's window.
///   - stride: the pooling's stride; the kernel's size if left out.
///   - padding: the pooling's padding.
///   - outputSize: the size of the planes. (size - 1) stride - 2 padding + kernel if left out; pooling rounds sizes
///     down, so others less than a stride away may be meant.
///   - file: The caller's file, for the text of a mistake.
///   - line: The caller's line.
/// - Edge cases: of several values at one position, as windows that overlap give them, the last stays, in
///   row-major order, and gets the gradient, which in PyTorch all of them get. Positions outside of the plane are
///   refused.
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

/// Zeros with values `[N, C, L]` where they stood; see
/// ``maxUnpool2d(_:indices:kernelSize:stride:padding:outputSize:file:line:)``. PyTorch: `F.max_unpool1d`.
public func maxUnpool1d(
  _ x: Tensor, indices: Tensor, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, padding: some ExtentsConvertible = 0,
  outputSize: [Int]? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  maxUnpool(
    x, indices, 1, kernelSize.asExtents, stride?.asExtents, padding.asExtents, outputSize,
    "maxUnpool1d(_:indices:kernelSize:)", file, line)
}

/// Zeros with values `[N, C, D, H, W]` where they stood; see
/// ``maxUnpool2d(_:indices:kernelSize:stride:padding:outputSize:file:line:)``. PyTorch: `F.max_unpool3d`.
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
  checked(file: file, line: line, call: call) { () throws(TensorError) in
    if x.isPoisoned || indices.isPoisoned { return .poisoned }
    let batch = try Pooling.batch(x, space, call)
    guard indices.shape == x.shape, indices.dtype.isInteger else {
      throw TensorError(
        call,
        "indices of shape \(x.shape) and an integer type are needed, got \(indices.dtype) "
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
    let places = indices.asPositions.reshaped(values.shape)
    if values.count > 0 {
      let (least, greatest) = (
        places.min().item(as: Int.self), places.max().item(as: Int.self)
      )
      guard least >= 0, greatest < count else {
        throw TensorError(
          call,
          "indices from \(least) to \(greatest) do not lie in a plane of shape \(sizes); the output "
            + "size may be another")
      }
    }
    return Tensor.zeros([planes, count], dtype: x.dtype).scattered(places, values, over: 1)
      .reshaped(target)
  }
}

/// The sizes of the planes from which sizes were pooled.
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
    guard fits else {
      throw TensorError(
        call, "outputSize \(wanted) is not less than a stride, \(steps), away from \(result)")
    }
    result = wanted
  }
  guard result.allSatisfy({ $0 > 0 }) else {
    throw TensorError(call, "planes would have the shape \(result)")
  }
  return result
}
