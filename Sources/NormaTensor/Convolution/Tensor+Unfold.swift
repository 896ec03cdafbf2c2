import NormaKernels

/// The positions of the patches of
/// ``Tensor/unfold(_:kernelSize:dilation:padding:stride:file:line:)``.
private struct Patches {
  let kernel: [Int], counts: [Int], maps: [AxisMap]

  init(
    _ space: [Int], _ kernel: Extents, _ dilation: Extents, _ padding: Extents, _ stride: Extents,
    _ call: String
  ) throws(TensorError) {
    let kernel = try kernel.expanded(2, atLeast: 1, "kernelSize", call: call)
    let dilation = try dilation.expanded(2, atLeast: 1, "dilation", call: call)
    let padding = try padding.expanded(2, atLeast: 0, "padding", call: call)
    let stride = try stride.expanded(2, atLeast: 1, "stride", call: call)
    let counts = (0..<2).map { axis -> Int in
      let reach = dilation[axis] * (kernel[axis] - 1) + 1
      let room = space[axis] + 2 * padding[axis] - reach
      return room < 0 ? 0 : room / stride[axis] + 1
    }
    guard counts.allSatisfy({ $0 > 0 }), space.allSatisfy({ $0 > 0 }) else {
      throw TensorError(call, "patches of \(kernel) do not fit into \(space)")
    }
    for axis in 0..<2 {
      let (product, overflow) = kernel[axis].multipliedReportingOverflow(by: counts[axis])
      try Shape.results([overflow ? .max : product], call: call)
    }
    maps = (0..<2).map { axis in
      let count = counts[axis]
      return AxisMap(inputs: space[axis], outputs: kernel[axis] * count) { output in
        let index =
          output % count * stride[axis] + output / count * dilation[axis] - padding[axis]
        return index >= 0 && index < space[axis] ? [AxisMap.Tap(index)] : []
      }
    }
    (self.kernel, self.counts) = (kernel, counts)
  }
}

extension Tensor {
  /// The patches of `[N, C, H, W]` (or without N) as columns: `[N, C * KH * KW, patches]`, with
  /// zeros as padding.
  ///
  /// Cost: two reads and writes of as many elements as the result has, and one copy.
  /// PyTorch: `F.unfold`.
  public static func unfold(
    _ x: Tensor, kernelSize: some ExtentsConvertible, dilation: some ExtentsConvertible = 1,
    padding: some ExtentsConvertible = 0,
    stride: some ExtentsConvertible = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(x, file: file, line: line) { () throws(TensorError) in
      let call = "unfold(_:kernelSize:)"
      let batch = try Pooling.batch(x, 2, call)
      let (n, channels) = (batch.shape[0], batch.shape[1])
      let patches = try Patches(
        Array(batch.shape.suffix(2)), kernelSize.asExtents, dilation.asExtents, padding.asExtents,
        stride.asExtents, call)
      let (k, m) = (patches.kernel, patches.counts)
      let result = Pooling.mean(batch, patches.maps, call)
        .reshaped(n, channels, k[0], m[0], k[1], m[1]).permuted(0, 1, 2, 4, 3, 5)
        .reshaped(n, channels * k[0] * k[1], m[0] * m[1])
      return x.rank == 4 ? result : result.squeezed(0)
    }
  }

  /// The inverse of ``Tensor/unfold(_:kernelSize:dilation:padding:stride:file:line:)``: sums the
  /// values of overlapping patches in an image of `outputSize`.
  /// PyTorch: `F.fold`.
  public static func fold(
    _ x: Tensor, outputSize: some ExtentsConvertible, kernelSize: some ExtentsConvertible,
    dilation: some ExtentsConvertible = 1,
    padding: some ExtentsConvertible = 0, stride: some ExtentsConvertible = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(x, file: file, line: line) { () throws(TensorError) in
      let call = "fold(_:outputSize:kernelSize:)"
      let batch = try Pooling.batch(x, 1, call)
      let size = try outputSize.asExtents.expanded(2, atLeast: 1, "outputSize", call: call)
      let patches = try Patches(
        size, kernelSize.asExtents, dilation.asExtents, padding.asExtents, stride.asExtents, call)
      let (k, m) = (patches.kernel, patches.counts)
      let area = k[0] * k[1]
      try demand(
        batch.shape[1] % area == 0 && batch.shape[2] == m[0] * m[1], call,
        "shape \(x.shape) does not hold \(m[0] * m[1]) patches of \(k) for an image of \(size)")
      let (n, channels) = (batch.shape[0], batch.shape[1] / area)
      let rows = batch.reshaped(n, channels, k[0], k[1], m[0], m[1]).permuted(0, 1, 2, 4, 3, 5)
        .reshaped(n, channels, k[0] * m[0], k[1] * m[1])
      let result = Pooling.mean(rows, patches.maps.map(\.transposed), call)
      return x.rank == 3 ? result : result.squeezed(0)
    }
  }
}
