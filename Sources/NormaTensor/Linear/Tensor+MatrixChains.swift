// Products of several matrices.

extension Tensor {
  /// The product of several matrices in the order of least work.
  ///
  /// The first may be a vector (a row) and so may the last (a column); their axes are dropped from
  /// the result. Work is counted in multiplications and minimized over all ways to parenthesize. At
  /// least two tensors, all of the same type. PyTorch: `torch.linalg.multi_dot`.
  public static func multiDot(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if tensors.contains(where: \.isPoisoned) { return .poisoned }
      let call = "multiDot(_:)"
      guard tensors.count >= 2, let first = tensors.first, let last = tensors.last else {
        throw TensorError(call, "a product needs at least two tensors, got \(tensors.count)")
      }
      var matrices = tensors
      if first.rank == 1 { matrices[0] = first.unsqueezed(0) }
      if last.rank == 1 { matrices[tensors.count - 1] = last.unsqueezed(1) }
      if let wrong = matrices.first(where: { $0.rank != 2 }) {
        throw TensorError(
          call,
          "shape \(wrong.shape) is not a matrix; only the first and the last may be vectors"
        )
      }
      for (a, b) in zip(matrices, matrices.dropFirst()) {
        try requireFactors(a, b, call: call)
        guard a.shape[1] == b.shape[0] else {
          throw TensorError(call, "shapes \(a.shape) and \(b.shape) cannot be multiplied")
        }
      }
      let order = MatrixChain(sizes: [matrices[0].shape[0]] + matrices.map { $0.shape[1] })
      var result = order.product(of: matrices)
      if last.rank == 1 { result = result.squeezed(1) }
      if first.rank == 1 { result = result.squeezed(0) }
      return result
    }
  }

  /// A square matrix to the power of `exponent`; batches `[..., n, n]` too.
  ///
  /// The identity for 0. Negative exponents would need an inverse and are not allowed. Cost: at
  /// most 2 log₂ exponent products. PyTorch: `torch.linalg.matrix_power`.
  public func matrixPower(
    _ exponent: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "matrixPower(_:)"
      guard rank >= 2, shape[rank - 1] == shape[rank - 2] else {
        throw TensorError(call, "expected square matrices, got shape \(shape)")
      }
      guard exponent >= 0 else {
        throw TensorError(
          call, "exponent \(exponent) is negative; matrix inverses are not supported yet")
      }
      if exponent == 0 {
        let numbers = Tensor.arange(shape[rank - 1])
        let identity = (numbers.unsqueezed(1) .== numbers).cast(to: dtype)
        return identity.broadcast(to: shape).copied()
      }
      var (result, square, left): (Tensor?, Tensor, Int) = (nil, self, exponent)
      while true {
        if left & 1 == 1 { result = result.map { $0.matmul(square) } ?? square }
        left >>= 1
        guard left > 0 else { return result ?? square }
        square = square.matmul(square)
      }
    }
  }
}

/// How to parenthesize a product of matrices of `sizes[i]` by `sizes[i + 1]`: a pure value.
struct MatrixChain {
  /// The last product of matrices `i ... j` is split after matrix `cuts[i][j]`.
  private let cuts: [[Int]]
  /// The number of multiplications.
  let work: Double

  init(sizes: [Int]) {
    let count = sizes.count - 1
    var work = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    var cuts = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
    for length in 1..<max(count, 1) {
      for first in 0..<(count - length) {
        let last = first + length
        work[first][last] = .infinity
        for cut in first..<last {
          let own = Double(sizes[first]) * Double(sizes[cut + 1]) * Double(sizes[last + 1])
          let total = work[first][cut] + work[cut + 1][last] + own
          if total < work[first][last] {
            work[first][last] = total
            cuts[first][last] = cut
          }
        }
      }
    }
    self.cuts = cuts
    self.work = work[0][count - 1]
  }

  func product(of matrices: [Tensor]) -> Tensor { product(matrices, 0, matrices.count - 1) }

  private func product(_ matrices: [Tensor], _ first: Int, _ last: Int) -> Tensor {
    if first == last { return matrices[first] }
    let cut = cuts[first][last]
    return product(matrices, first, cut).matmul(product(matrices, cut + 1, last))
  }
}
