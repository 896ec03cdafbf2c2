// β c + α a b, for the kinds of products that PyTorch has names for. The product runs eagerly, the
// sum is pending. `beta: 0` ignores c, including its NaN and infinities.

extension Tensor {
  /// β self + α a b for matrices `[m, k]` and `[k, n]`; self broadcasts to `[m, n]`.
  ///
  /// Equal types. For integers α and β must be integers. Accuracy: the product as in
  /// ``matmul(_:file:line:)``, then two products and a sum, each rounded. PyTorch: `torch.addmm`.
  public func addmm(
    _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    added(a, b, (2, 2), beta, alpha, "addmm(_:_:)", file, line) { $0.matmul($1) }
  }

  /// β self + α a v for a matrix `[m, k]` and a vector `[k]`; self broadcasts to `[m]`.
  ///
  /// See ``addmm(_:_:beta:alpha:file:line:)``. PyTorch: `torch.addmv`.
  public func addmv(
    _ a: Tensor, _ v: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    added(a, v, (2, 1), beta, alpha, "addmv(_:_:)", file, line) { $0.matmul($1) }
  }

  /// β self + α v wᵀ for vectors `[m]` and `[n]`; self broadcasts to `[m, n]`. Pending.
  ///
  /// See ``addmm(_:_:beta:alpha:file:line:)``. PyTorch: `torch.addr`.
  public func addr(
    _ v: Tensor, _ w: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    added(v, w, (1, 1), beta, alpha, "addr(_:_:)", file, line) { $0.outer($1) }
  }

  /// β self + α a b for batches `[n, m, k]` and `[n, k, p]`; self broadcasts to `[n, m, p]`.
  ///
  /// See ``addmm(_:_:beta:alpha:file:line:)``. PyTorch: `torch.baddbmm`.
  public func baddbmm(
    _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    added(a, b, (3, 3), beta, alpha, "baddbmm(_:_:)", file, line) { $0.matmul($1) }
  }

  /// β self + α Σ aₙ bₙ over the batch, for `[n, m, k]` and `[n, k, p]`; self broadcasts to
  /// `[m, p]`.
  ///
  /// One product with the batch as part of the summed axis, for which `a` is copied. See
  /// ``addmm(_:_:beta:alpha:file:line:)``. PyTorch: `torch.addbmm`.
  public func addbmm(
    _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    added(a, b, (3, 3), beta, alpha, "addbmm(_:_:)", file, line) { a, b in
      let (n, m, k, p) = (a.shape[0], a.shape[1], a.shape[2], b.shape[2])
      return a.permuted(1, 0, 2).reshaped([m, n * k]).matmul(b.reshaped([n * k, p]))
    }
  }

  @inline(never)
  private func added(
    _ a: Tensor, _ b: Tensor, _ ranks: (Int, Int), _ beta: Double, _ alpha: Double,
    _ call: String, _ file: StaticString, _ line: UInt, _ product: (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      if isPoisoned || a.isPoisoned || b.isPoisoned { return .poisoned }
      if Autocast.type != nil {
        // PyTorch's list contains only products of matrices.
        let (x, y, z) = ranks.1 > 1 ? (narrowed, a.narrowed, b.narrowed) : (self, a, b)
        return try Autocast.off { () throws(TensorError) in
          x.added(y, z, ranks, beta, alpha, call, file, line, product)
        }
      }
      try demand(
        a.rank == ranks.0 && b.rank == ranks.1, call,
        "factors of shapes \(a.shape) and \(b.shape) do not have \(ranks.0) and \(ranks.1) axes")
      let meets = ranks.1 == 1 ? b.shape[0] : b.shape[b.rank - 2]
      try demand(
        (ranks.0 == 1 || a.shape[a.rank - 1] == meets) && (ranks.0 < 3 || a.shape[0] == b.shape[0]),
        call, "shapes \(a.shape) and \(b.shape) cannot be multiplied")
      try Tensor.requireFactors(a, b, call: call)
      guard dtype == a.dtype else {
        throw TensorError(call, "\(dtype) and products of \(a.dtype) differ; cast one of them")
      }
      let result = try product(a, b).scaled(by: alpha, "alpha", call: call)
      let stretched = try Shape.broadcast(shape, result.shape, call: call)
      guard stretched == result.shape else {
        throw TensorError(
          call, "shape \(shape) does not broadcast to that of the product, \(result.shape)")
      }
      if beta == 0 { return result }
      return try scaled(by: beta, "beta", call: call) + result
    }
  }

  /// The product with a number, which must be an integer if the elements are.
  private func scaled(
    by factor: Double, _ name: String, call: String
  ) throws(TensorError) -> Tensor {
    if factor == 1 { return self }
    if dtype.isFloatingPoint { return self * factor }
    guard let whole = Int64(exactly: factor) else {
      throw TensorError(call, "\(name) must be an integer for \(dtype), got \(factor)")
    }
    return self * Tensor(whole).cast(to: dtype)
  }
}
