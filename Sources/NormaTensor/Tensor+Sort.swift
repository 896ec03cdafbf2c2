import NormaKernels

// Order along an axis. These run at once; values go back to where they came from in gradients.

extension Tensor {
  /// The elements along an axis in order, and where they were. Stable; NaN counts as the largest.
  ///
  /// PyTorch: `torch.sort(stable=True)`.
  public func sorted(
    over axis: Int = -1, descending: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    ranked(axis, nil, descending, file, line, "sorted(over:descending:)")
  }

  /// Where the elements along an axis stand in order. PyTorch: `torch.argsort(stable=True)`.
  public func argsorted(
    over axis: Int = -1, descending: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    ranked(axis, nil, descending, file, line, "argsorted(over:descending:)").indices
  }

  /// The `count` largest elements along an axis, or the smallest, in order, and where they were.
  ///
  /// Of equal elements the first count. PyTorch: `torch.topk`.
  public func topK(
    _ count: Int, over axis: Int = -1, largest: Bool = true, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    ranked(axis, count, largest, file, line, "topK(_:over:)")
  }

  private func ranked(
    _ axis: Int, _ count: Int?, _ descending: Bool, _ file: StaticString, _ line: UInt,
    _ call: String
  ) -> (values: Tensor, indices: Tensor) {
    do throws(TensorError) {
      if isPoisoned { return (self, self) }
      let front = try Shape.axis(axis, of: shape, call: call)
      if rank == 0 {
        let one = unsqueezed(0).ranked(0, count, descending, file, line, call)
        if one.values.isPoisoned || count == 0 { return one }
        return (one.values.squeezed(0), one.indices.squeezed(0))
      }
      let size = shape[front]
      guard count.map({ (0...size).contains($0) }) ?? true else {
        throw TensorError(
          call, "\(count ?? 0) elements are wanted of axis \(axis) of shape \(shape)")
      }
      let wanted = count ?? size
      let indices = order(front, wanted, descending)
      return (gathered(over: front, indices, file: file, line: line), indices)
    } catch {
      report(error, file: file, line: line)
      return (.poisoned, .poisoned)
    }
  }

  /// The places of the first `wanted` elements along an axis in order.
  private func order(_ axis: Int, _ wanted: Int, _ descending: Bool) -> Tensor {
    let size = shape[axis]
    let order = Array(shape.indices.filter { $0 != axis }) + [axis]
    let rows = detached().permuted(order)
    var places: [Int64] = []
    let count = size == 0 ? 0 : rows.count / size
    places.reserveCapacity(count * wanted)
    if dtype.isFloatingPoint {
      let values = rows.array(of: Double.self)
      for row in 0..<count {
        let part = values[(row * size)..<((row + 1) * size)]
        places += Tensor.ranking(part, wanted) { a, b in
          descending ? !(a <= b) && !b.isNaN : !(b <= a) && !a.isNaN
        }
      }
    } else {
      let values = rows.array(of: Int64.self)
      for row in 0..<count {
        let part = values[(row * size)..<((row + 1) * size)]
        places += Tensor.ranking(part, wanted) { a, b in descending ? a > b : a < b }
      }
    }
    var target = order.map { shape[$0] }
    target[target.count - 1] = wanted
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return Tensor(places, shape: target).permuted(back)
  }

  private static func ranking<T>(
    _ values: ArraySlice<T>, _ wanted: Int, _ precedes: (T, T) -> Bool
  ) -> ArraySlice<Int64> {
    let start = values.startIndex
    // The standard library's sort is stable.
    let order = (0..<Int64(values.count)).sorted {
      precedes(values[start + Int($0)], values[start + Int($1)])
    }
    return order.prefix(wanted)
  }
}
