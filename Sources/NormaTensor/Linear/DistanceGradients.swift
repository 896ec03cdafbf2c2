import NormaKernels

// Gradients of `cdist`. They recompute the differences, which would take more memory than all else.

extension Tensor {
  /// The gradients of the distances between two saved tensors.
  static func distanceGradients(
    _ rule: Backward, _ p: Double, _ kind: Distances.Kind
  ) -> [Tensor?] {
    let (a, b) = (rule.saved[0], rule.saved[1])
    let upstream = rule.upstream.cast(to: .float64)
    let norm = rule.result.cast(to: .float64)
    if (kind == .root || kind == .sum) && !rule.isRecording {
      let weights = kind == .sum ? upstream : Tensor.where(norm .== 0, 0.0, upstream / norm)
      return [
        rule.whenNeeded(0) { a.slopes(from: b, weights, kind) },
        rule.whenNeeded(1) { b.slopes(from: a, weights.transposed(), kind) },
      ]
    }
    // The differences are pending: their slopes and the sums over vectors take one pass.
    let difference = Tensor.differences(a.cast(to: .float64), b.cast(to: .float64))
    let last = difference.rank - 1
    // The largest difference is searched for by value, so it must not be rounded.
    let exact =
      kind == .largest && difference.shape[last] > 0
      ? difference.abs().max(over: last, keepDims: true) : norm.unsqueezed(last)
    let slopes = difference.normSlopes(
      p, norm: exact, upstream: upstream.unsqueezed(last), over: [last])
    return [
      rule.whenNeeded(0) { slopes.sum(over: last - 1) },
      rule.whenNeeded(1) { -slopes.sum(over: last - 2) },
    ]
  }

  /// Σⱼ weights[..., i, j] (self[..., i, k] - other[..., j, k]), or of the signs of the
  /// differences.
  private func slopes(from other: Tensor, _ weights: Tensor, _ kind: Distances.Kind) -> Tensor {
    if dtype.isHalf {
      return cast(to: .float32).slopes(from: other.cast(to: .float32), weights, kind)
    }
    let (rows, depth, columns) = (shape[rank - 2], shape[rank - 1], other.shape[other.rank - 2])
    let batch = Array(weights.shape.dropLast(2))
    let a = detached().broadcast(to: batch + [rows, depth])
    let b = other.detached().broadcast(to: batch + [columns, depth])
    let shares = weights.detached()
    let layout = Layout(contiguous: batch + [rows, depth])
    ExecutionLog.add(
      .distances, "slopes of distances", [a, b, shares], into: layout.shape, dtype)
    let (dtype, threads) = (dtype, TensorThreads.count)
    let strides = [a, b, shares].map(\.strides)
    return .computed(dtype, layout, from: [a, b, shares]) { at, result in
      if layout.count == 0 { return }
      Distances.runSlopes(
        dtype, kind, batch: batch, rows: rows, columns: columns, depth: depth, a: at[0],
        aStrides: strides[0], b: at[1], bStrides: strides[1], weights: at[2],
        weightStrides: strides[2], into: result, threads: threads)
    }
  }
}
