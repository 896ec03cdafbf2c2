/// Euclidean distances of `float64` vectors whose squares overflow or underflow: squares of 1e200
/// are infinite and those of 1e-200 are 0, although the distances are not.
struct DistanceRange {
  let a: Tensor, b: Tensor
  let batch: [Int]

  /// Recomputes those of the new distances of `a` and `b` that may be wrong, and overwrites them.
  ///
  /// - Cost: one pass over the distances; the wrong ones are recomputed component by component.
  func correct(_ distances: Tensor) {
    let range = TermRange(power: 2)
    let isRight = (distances .>= range.lowest) .& (distances .<= range.highest)
    let wrong = isRight.logicalNot().reshaped([-1]).nonzero().array(of: Int.self)
    let (left, right) = (a.node.materialize(), b.node.materialize())
    let storage = distances.node.materialize()
    guard !wrong.isEmpty, ![left, right, storage].contains(where: \.isMissing) else { return }
    withExtendedLifetime((left, right, storage)) {
      let results = storage.base.assumingMemoryBound(to: Double.self)
      for index in wrong {
        results[index] = distance(
          at: index, left.base.assumingMemoryBound(to: Double.self),
          right.base.assumingMemoryBound(to: Double.self), or: results[index])
      }
    }
  }

  /// The distance at an index of the row-major result; recomputed only if it is 0, infinite or NaN.
  private func distance(
    at index: Int, _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>,
    or known: Double
  ) -> Double {
    let (rows, columns) = (a.shape[a.rank - 2], b.shape[b.rank - 2])
    let (row, column) = (index / columns % rows, index % columns)
    var (from, to) = (
      a.layout.offset + row * a.strides[a.rank - 2],
      b.layout.offset + column * b.strides[b.rank - 2]
    )
    var pair = index / columns / rows
    for axis in batch.indices.reversed() {
      from += pair % batch[axis] * a.strides[axis]
      to += pair % batch[axis] * b.strides[axis]
      pair /= batch[axis]
    }
    let (stepA, stepB) = (a.strides[a.rank - 1], b.strides[b.rank - 1])
    let depth = a.shape[a.rank - 1]
    var largest = 0.0
    for k in 0..<depth {
      let size = (left[from + k * stepA] - right[to + k * stepB]).magnitude
      if size.isNaN { return known }
      largest = max(largest, size)
    }
    guard largest > 0, largest.isFinite else { return known }
    let scale = powerToOne(largest)
    var sum = 0.0
    for k in 0..<depth {
      let difference = (left[from + k * stepA] - right[to + k * stepB]) * scale
      sum += difference * difference
    }
    return sum.squareRoot() / scale
  }
}
