extension ReferenceTensor {
  /// The same elements in order, in another shape.
  package func reshaped(_ shape: [Int]) -> ReferenceTensor {
    ReferenceTensor(shape: shape, values: values)
  }

  /// Axis `i` of the result is axis `axes[i]` of this tensor.
  package func permuted(_ axes: [Int]) -> ReferenceTensor {
    let axes = axes.map(axis)
    demand(Set(axes).count == rank, "\(axes) is not a permutation of \(rank) axes")
    return ReferenceTensor(shape: axes.map { shape[$0] }) { index in
      var source = index
      for (i, axis) in axes.enumerated() { source[axis] = index[i] }
      return self[source]
    }
  }

  /// The elements at `start`, `start + step` and so on below `end` along one axis.
  package func sliced(
    _ axis: Int, from start: Int = 0, to end: Int? = nil, by step: Int = 1
  ) -> ReferenceTensor {
    let axis = self.axis(axis)
    let taken = Array(stride(from: start, to: end ?? shape[axis], by: step))
    var result = shape
    result[axis] = taken.count
    return ReferenceTensor(shape: result) { index in
      var source = index
      source[axis] = taken[index[axis]]
      return self[source]
    }
  }

  /// The tensor repeated along missing axes and along axes of extent 1.
  package func broadcast(to target: [Int]) -> ReferenceTensor {
    let missing = target.count - rank
    demand(missing >= 0, "\(shape) has more axes than \(target)")
    for (own, wanted) in zip(shape, target.dropFirst(missing)) {
      demand(own == wanted || own == 1, "\(shape) does not broadcast to \(target)")
    }
    return ReferenceTensor(shape: target) { index in
      self[zip(index.dropFirst(missing), shape).map { $1 == 1 ? 0 : $0 }]
    }
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
