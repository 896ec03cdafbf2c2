extension ReferenceTensor {
  /// The same elements in order, in another shape.
  package func reshaped(_ shape: [Int]) -> ReferenceTensor {
    ReferenceTensor(shape: shape, values: values)
  }

  /// Axis `i` of the result is axis `axes[i]` of this tensor.
  package func permuted(_ axes: [Int]) -> ReferenceTensor {
    let axes = axes.map(axis)
    demand(Set(axes).count == rank, "\(axes) is not a permutation of \(rank) axes")
    let (result, own) = (axes.map { shape[$0] }, strides(of: shape))
    return gathered(result, positions(of: result, strides: axes.map { own[$0] }))
  }

  /// The elements at `start`, `start + step` and so on below `end` along one axis.
  package func sliced(
    _ axis: Int, from start: Int = 0, to end: Int? = nil, by step: Int = 1
  ) -> ReferenceTensor {
    let axis = self.axis(axis)
    let taken = Array(stride(from: start, to: end ?? shape[axis], by: step))
    var (result, own) = (shape, strides(of: shape))
    let first = (taken.first ?? 0) * own[axis]
    result[axis] = taken.count
    own[axis] *= step
    return gathered(result, positions(of: result, strides: own, from: first))
  }

  /// The tensor repeated along missing axes and along axes of extent 1.
  package func broadcast(to target: [Int]) -> ReferenceTensor {
    let missing = target.count - rank
    demand(missing >= 0, "\(shape) has more axes than \(target)")
    for (own, wanted) in zip(shape, target.dropFirst(missing)) {
      demand(own == wanted || own == 1, "\(shape) does not broadcast to \(target)")
    }
    if shape == target { return self }
    let own = zip(shape, strides(of: shape)).map { $0 == 1 ? 0 : $1 }
    let all = [Int](repeating: 0, count: missing) + own
    return gathered(target, positions(of: target, strides: all))
  }
}

/// The shape that both shapes broadcast to, aligned at the last axis.
package func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int] {
  let rank = max(a.count, b.count)
  let a = [Int](repeating: 1, count: rank - a.count) + a
  let b = [Int](repeating: 1, count: rank - b.count) + b
  return zip(a, b).map { x, y in
    demand(x == y || x == 1 || y == 1, "\(a) and \(b) do not broadcast")
    return x == 1 ? y : x
  }
}
