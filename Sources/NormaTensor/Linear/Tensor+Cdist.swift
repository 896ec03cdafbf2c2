import NormaKernels

extension Tensor {
  /// The distance of every vector of this tensor to every vector of the other.
  ///
  /// result[..., i, j] = (Σₖ |self[..., i, k] - other[..., j, k]|ᵖ)^(1/p), for p ≥ 0, ∞ included;
  /// p = 0 counts the components that differ.
  ///
  /// - Shapes: `[..., P, M]` and `[..., R, M]` give `[..., P, R]`; the leading axes broadcast.
  /// - Edge cases: 0 where M is 0. The gradient is 0 where the distance is.
  /// - Accuracy: differences and sums in `float64`, rounded once (differences in the tensors' type
  ///   for p other than 0, 1, 2 or ∞), even if squares exceed the range of `float64`. Never
  ///   computed as |a|² + |b|² - 2ab, which loses near neighbours.
  /// - Cost: P R M differences, for p of 0, 1, 2 and ∞ in registers, eight or more per nanosecond
  ///   and thread with AVX-512; for other p powers, in one pass. Only the result is stored. The
  ///   gradient for p of 1 and 2 takes about as long again for each tensor; for other p it computes
  ///   the differences in one more pass.
  /// - PyTorch: `torch.cdist` with `donot_use_mm_for_euclid_dist`.
  public func cdist(
    _ other: Tensor, p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      if isWidened || other.isWidened {
        return widened.cdist(other.widened, p: p, file: file, line: line)
      }
      let call = "cdist(_:p:)"
      try demand(
        rank >= 2 && other.rank >= 2 && shape[rank - 1] == other.shape[other.rank - 1], call,
        "shapes \(shape) and \(other.shape) are not [..., P, M] and [..., R, M] with equal M")
      guard p >= 0 else { throw TensorError(call, "p must not be negative, got \(p)") }
      guard dtype == other.dtype, dtype.isFloatingPoint else {
        throw TensorError(
          call, "expected real numbers of one type, got \(dtype) and \(other.dtype)")
      }
      let batch = try Shape.broadcast(
        Array(shape.dropLast(2)), Array(other.shape.dropLast(2)), call: call)
      _ = try Shape.count(batch + [shape[rank - 2], other.shape[other.rank - 2]], call: call)
      guard let kind = Distances.Kind(p: p) else {
        let difference = Tensor.differences(self, other)
        let last = difference.rank - 1
        return try difference.wideNorm(p, over: [last], call: call).squeezed(last).cast(to: dtype)
      }
      return detached().distances(from: other.detached(), kind, batch)
        .recorded(call, from: [self, other], saving: [self, other], savesResult: true) { rule in
          Tensor.distanceGradients(rule, p, kind)
        }
    }
  }

  /// [..., i, j, k]: component k of vector i of `a` minus that of vector j of `b`.
  static func differences(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.unsqueezed(-2) - b.unsqueezed(-3)
  }

  private func distances(from other: Tensor, _ kind: Distances.Kind, _ batch: [Int]) -> Tensor {
    if dtype.isHalf {
      return cast(to: .float32).distances(from: other.cast(to: .float32), kind, batch)
        .cast(to: dtype)
    }
    let (rows, depth, columns) = (shape[rank - 2], shape[rank - 1], other.shape[other.rank - 2])
    let a = broadcast(to: batch + [rows, depth])
    let b = other.broadcast(to: batch + [columns, depth])
    let layout = Layout(contiguous: batch + [rows, columns])
    ExecutionLog.add(.distances, "distances", [a, b], into: layout.shape, dtype)
    let (dtype, threads) = (dtype, TensorThreads.count)
    let (aStrides, bStrides) = (a.strides, b.strides)
    let distances = Tensor.computed(dtype, layout, from: [a, b]) { at, result in
      if layout.count == 0 { return }
      Distances.run(
        dtype, kind, batch: batch, rows: rows, columns: columns, depth: depth, a: at[0],
        aStrides: aStrides, b: at[1], bStrides: bStrides, into: result, threads: threads)
    }
    if dtype == .float64, kind == .root, !distances.isPoisoned {
      DistanceRange(a: a, b: b, batch: batch).correct(distances)
    }
    return distances
  }
}
