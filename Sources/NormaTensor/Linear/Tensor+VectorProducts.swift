import NormaValues

// Products of vectors. Sums of products are pending reductions, carried in `float64` for real
// numbers and in `int64` for integers; outer products are pending instructions. All of them fuse
// with the operations before and after.

extension Tensor {
  /// Σ aᵢ bᵢ of two vectors of equal length and type, as a scalar.
  ///
  /// 0 for empty vectors. Real numbers are multiplied and added in `float64` and rounded once;
  /// integers wrap. Cost: one pass over both. PyTorch: `torch.dot`, `torch.vdot`.
  public func dot(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      guard rank == 1, shape == other.shape else {
        throw TensorError(
          "dot(_:)",
          "shapes \(shape) and \(other.shape) are not two vectors of equal length; matmul, inner "
            + "and vecdot accept more axes")
      }
      return try productSum(other, over: [0], call: "dot(_:)")
    }
  }

  /// Σ a b over one axis of two tensors of equal type, which broadcast.
  ///
  /// The axis is counted in the common shape, and has the same size in both. Real numbers are
  /// multiplied and added in `float64` and rounded once; integers wrap; 0 for an empty axis. Cost:
  /// one pass over both; products are not stored. PyTorch: `torch.linalg.vecdot`.
  public func vecdot(
    _ other: Tensor, over axis: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let call = "vecdot(_:over:)"
      let common = try Shape.broadcast(shape, other.shape, call: call)
      guard rank > 0, other.rank > 0 else {
        throw TensorError(call, "shapes \(shape) and \(other.shape): both need at least one axis")
      }
      let front = try Shape.axis(axis, of: common, call: call)
      let fromEnd = front - common.count
      guard rank + fromEnd >= 0, other.rank + fromEnd >= 0,
        shape[rank + fromEnd] == other.shape[other.rank + fromEnd]
      else {
        throw TensorError(
          call, "axis \(axis) has different sizes in shapes \(shape) and \(other.shape)")
      }
      return try productSum(other, over: [front], call: call)
    }
  }

  /// Σ a b over axes of the common shape, counted from the front.
  func productSum(
    _ other: Tensor, over axes: [Int], call: String
  ) throws(TensorError) -> Tensor {
    try Tensor.requireFactors(self, other, call: call)
    // Two `float32` numbers have an exact product in `float64`.
    guard dtype.isFloatingPoint, !axes.isEmpty else {
      let wide: DType = dtype.isFloatingPoint ? .float64 : .int64
      let product = try Tensor.binary(
        .multiply, cast(to: wide), other.cast(to: wide), call: call, gradient: .product)
      return product.sum(over: axes).cast(to: dtype)
    }
    let whole = try Shape.broadcast(shape, other.shape, call: call)
    let kept = Shape.reduced(whole, over: axes, keepDims: true)
    let (a, b) = (detached().broadcast(to: whole), other.detached().broadcast(to: whole))
    let product =
      b.layout.isContiguous
      ? a.reducedAtOnce(.centeredSum, over: axes, keepDims: false, to: dtype, with: b) : nil
    let sum =
      product
      ?? Tensor.centeredProducts(a, b, over: axes).cast(to: dtype)
      .reshaped(Shape.reduced(whole, over: axes, keepDims: false))
    return sum.recorded(call, from: [self, other], saving: [self, other]) { rule in
      let upstream = rule.upstream.reshaped(kept)
      return [
        rule.whenNeeded(0) { upstream * rule.saved[1] },
        rule.whenNeeded(1) { upstream * rule.saved[0] },
      ]
    }
  }

  /// Σ a b in `float64`, over axes that keep size 1, in one pass that stores no products. The
  /// reduction is a centered sum with the center 0: Σ (a - 0) b.
  private static func centeredProducts(_ a: Tensor, _ b: Tensor, over axes: [Int]) -> Tensor {
    for factor in [a, b] where factor.node.depth >= Limits.depthLimit { factor.evaluated() }
    let zero = Center.zeros(Shape.reduced(a.shape, over: axes, keepDims: true), .float64)
    return ReductionGroup(
      source: a, companion: b,
      center: Tensor(node: zero.node, layout: zero.layout.broadcast(to: a.shape)),
      axes: axes
    ).tensor(.centeredSum)
  }

  /// Factors of a product must have the same type, other than bool.
  static func requireFactors(_ a: Tensor, _ b: Tensor, call: String) throws(TensorError) {
    try demand(a.dtype == b.dtype, call, "\(a.dtype) and \(b.dtype) differ; cast one of them")
    try demand(a.dtype != .bool, call, "Booleans have no product; cast(to: .float32) first")
  }

  /// The products aᵢ bⱼ of all pairs from two vectors, `[n]` and `[m]`, as `[n, m]`.
  ///
  /// Types promote as in `a * b`. Cost: pending; one write. PyTorch: `torch.outer`.
  public func outer(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      try demand(
        rank == 1 && other.rank == 1, "outer(_:)",
        "shapes \(shape) and \(other.shape) are not two vectors; use flattened()")
      return unsqueezed(1) * other
    }
  }

  /// Σ over the last axes: `[..., k]` and `[..., k]` give the leading axes of both, this tensor's
  /// first; a scalar multiplies.
  ///
  /// Equal types. Two vectors are a ``dot(_:file:line:)``, anything else one matrix product.
  /// PyTorch: `torch.inner`.
  public func inner(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      try Tensor.requireFactors(self, other, call: "inner(_:)")
      if rank == 0 || other.rank == 0 { return self * other }
      guard shape[rank - 1] == other.shape[other.rank - 1] else {
        throw TensorError(
          "inner(_:)", "the last axes of shapes \(shape) and \(other.shape) differ")
      }
      return try contracted(
        [rank - 1], with: other, over: [other.rank - 1], call: "inner(_:)")
    }
  }

  /// The Kronecker product: every element of `self` times all of `other`.
  ///
  /// result[i₀ m₀ + j₀, i₁ m₁ + j₁, ...] = self[i₀, i₁, ...] other[j₀, j₁, ...], with m the shape
  /// of `other`; missing leading axes count as 1. Types promote as in `a * b`. Cost: one write.
  /// PyTorch: `torch.kron`.
  public func kron(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let axes = Swift.max(rank, other.rank)
      let own = [Int](repeating: 1, count: axes - rank) + shape
      let inside = [Int](repeating: 1, count: axes - other.rank) + other.shape
      let sizes = zip(own, inside).map { ($0, $1) }
      _ = try Shape.count(own + inside, call: "kron(_:)")
      let product =
        reshaped(own.flatMap { [$0, 1] }) * other.reshaped(inside.flatMap { [1, $0] })
      return product.reshaped(sizes.map { $0 * $1 })
    }
  }

  /// The cross product a × b along an axis of size 3; shapes broadcast.
  ///
  /// (a₁ b₂ - a₂ b₁, a₂ b₀ - a₀ b₂, a₀ b₁ - a₁ b₀). Types promote as in `a * b`. Cost: pending; a
  /// program for each component, joined by one write. PyTorch: `torch.linalg.cross`.
  public func cross(
    _ other: Tensor, over axis: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let call = "cross(_:over:)"
      let common = try Shape.broadcast(shape, other.shape, call: call)
      let front = try Shape.axis(axis, of: common, call: call)
      let fromEnd = front - common.count
      func size(_ tensor: Tensor) -> Int {
        tensor.rank + fromEnd >= 0 ? tensor.shape[tensor.rank + fromEnd] : 0
      }
      guard size(self) == 3, size(other) == 3 else {
        throw TensorError(
          call, "axis \(axis) of shapes \(shape) and \(other.shape) does not have size 3 in both")
      }
      let (a, b) = (unbound(over: rank + fromEnd), other.unbound(over: other.rank + fromEnd))
      return .stacked(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]],
        over: front)
    }
  }
}
