/// Euclidean distances of `float64` vectors whose squares leave the range: those of 1e200 are infinite and those of
/// 1e-200 are 0, which their distances are not.
struct DistanceRange {
  let a: Tensor, b: Tensor
  let batch: [Int]

  /// Computes those of these new distances of `a` and `b` again that may be wrong, and writes them over the others.
  ///
  /// - Cost: one trip over the distances, and the wrong ones once more, component by component.
  func correct(_ distances: Tensor) {
    let range = TermRange(power: 2)
    let isRight = (distances .>= range.lowest) .& (distances .<= range.highest)
    let wrong = isRight.logicalNot().reshaped([-1]).nonzero().array(of: Int.self)
    let (left, right) = (a.node.materialize(), b.node.materialize())
    let storage = distances.node.materialize()
    guard !wrong.isEmpty, ![left, right, storage].contains(where: \.isMissing) else { return }
    withExtendedLifetime((left, right, storage)) {
      let results = storage.base.assumingMemoryBound(to: Double.self)
      for place in wrong {
        results[place] = distance(
          at: place, left.base.assumingMemoryBound(to: Double.self),
          right.base.assumingMemoryBound(to: Double.self), or: results[place])
      }
    }
  }

  /// The distance at a position of the row-major result; the one that is there where it is 0, infinite or NaN.
  private func distance(
    at place: Int, _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>,
    or known: Double
  ) -> Double {
    let (rows, columns) = (a.shape[a.rank - 2], b.shape[b.rank - 2])
    let (row, column) = (place / columns % rows, place % columns)
    var (from, to) = (
      a.layout.offset + row * a.strides[a.rank - 2],
      b.layout.offset + column * b.strides[b.rank - 2]
    )
    var pair = place / columns / rows
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
