// Gathering along an axis by a tensor of indices with as many axes. These run eagerly.

extension Tensor {
  /// y[i, j, k] = x[i, indices[i, j, k], k] for axis 1, and likewise for other axes.
  ///
  /// `indices` are not negative and have as many axes as the tensor; no axis but `axis` is longer
  /// than the tensor's. Cost: one read and one write of the gathered elements. The gradient sums,
  /// in order and in `float64`, over elements that were gathered several times.
  /// PyTorch: `torch.gather`.
  public func gathered(
    _ indices: Tensor, over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try gathered(axis, indices, wraps: false, "gathered(_:over:)")
    }
  }

  /// The elements at `indices` along an axis, whose other axes broadcast with the tensor's;
  /// negative indices count from the end. Without an axis, the indices count all elements in
  /// row-major order.
  ///
  /// Accepts the results of `argsorted` and `argmax(keepDims: true)`. PyTorch:
  /// `torch.take_along_dim`.
  public func takenAlong(
    _ indices: Tensor, over axis: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, indices, file: file, line: line) { () throws(TensorError) in
      let call = "takenAlong(_:over:)"
      guard let axis else {
        return try flattened().gathered(0, indices.flattened(), wraps: true, call)
      }
      let front = try Shape.axis(axis, of: shape, call: call)
      guard indices.rank == rank else {
        throw TensorError(
          call,
          "indices of shape \(indices.shape) do not fit shape \(shape): the number of axes must be "
            + "the same")
      }
      if rank == 0 { return try gathered(0, indices, wraps: true, call) }
      var (own, other) = (shape, indices.shape)
      (own[front], other[front]) = (1, 1)
      var common = try Shape.broadcast(own, other, call: call)
      common[front] = shape[front]
      let x = broadcast(to: common)
      common[front] = indices.shape[front]
      return try x.gathered(axis, indices.broadcast(to: common), wraps: true, call)
    }
  }

  private func gathered(
    _ axis: Int, _ indices: Tensor, wraps: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned || indices.isPoisoned { return .poisoned }
    try AxisIndices.integers(indices, call)
    // Nothing is gathered, but the history is kept.
    if indices.count == 0 {
      _ = try Shape.axis(axis, of: shape, call: call)
      return flattened().narrowed(0, 0, 0).reshaped(indices.shape)
    }
    let frame = try GatherFrame(self, axis, indices, wraps: wraps, call)
    return try frame.wide(self).picked(frame.axisIndices).reshaped(indices.shape)
  }
}

/// The part of a tensor that a tensor of indices can reach along an axis, as
/// `[outer, size, inner]`.
struct GatherFrame {
  let axisIndices: AxisIndices
  /// The sizes of the reachable part; a scalar counts as a vector.
  let region: [Int]
  private let axis: Int

  init(
    _ x: Tensor, _ axis: Int, _ indices: Tensor, wraps: Bool = false, _ call: String
  ) throws(TensorError) {
    try AxisIndices.integers(indices, call)
    // A scalar counts as a vector of one element.
    let own = x.shape.isEmpty ? [1] : x.shape
    let given = indices.shape.isEmpty ? [1] : indices.shape
    let front = try Shape.axis(axis, of: own, call: call)
    guard given.count == own.count,
      own.indices.allSatisfy({ $0 == front || given[$0] <= own[$0] })
    else {
      throw TensorError(
        call,
        "indices of shape \(indices.shape) do not fit shape \(x.shape): the number of axes must be "
          + "the same, and only axis \(axis) may be longer")
    }
    self.axis = front
    var region = given
    region[front] = own[front]
    self.region = region
    let narrow = [
      given[..<front].reduce(1, *), given[front], given[(front + 1)...].reduce(1, *),
    ]
    axisIndices = AxisIndices(
      indices.reshaped(narrow), narrow: narrow, size: own[front], wraps: wraps, call: call,
      axis: axis, shape: x.shape)
  }

  /// The slices of the reachable part.
  var slices: [any TensorIndex] { region.map { AxisSlice(to: $0) } }

  /// The reachable part of the tensor.
  func part(_ x: Tensor) -> Tensor {
    let x = x.atLeast1D()
    return x.shape == region ? x : x.taking(slices)
  }

  /// The reachable part as `[outer, size, inner]`.
  func wide(_ x: Tensor) -> Tensor {
    part(x).reshaped(axisIndices.narrow[0], region[axis], axisIndices.narrow[2])
  }
}
