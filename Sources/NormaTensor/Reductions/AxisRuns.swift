import NormaValues

/// A stored tensor as `[outer, size, inner]` around one axis, in its memory order: what loops along
/// an axis need to know of a layout.
struct AxisRuns {
  let outer: Int, size: Int, inner: Int
  let dtype: DType
  private let shape: [Int]
  /// The axes from the slowest in memory to the fastest.
  let order: [Int]
  private let storage: Storage
  private let offset: Int
  private let axis: Int

  /// The runs along an axis of a tensor that has axes; copied if there are gaps.
  ///
  /// - Parameter order: the memory order, slowest axis first; the tensor's own if nil.
  init(_ tensor: Tensor, _ axis: Int, order wanted: [Int]? = nil) {
    var source = tensor.detached()
    if let wanted {
      let target = Layout.dense(source.shape, order: wanted)
      if source.strides != target.strides { source = source.copied(to: target) }
    } else if !source.layout.isDense {
      source = source.contiguous()
    }
    let order = wanted ?? source.memoryOrder
    let index = order.firstIndex(of: axis) ?? 0
    shape = source.shape
    (self.axis, self.order) = (axis, order)
    outer = order[..<index].reduce(1) { $0 * source.shape[$1] }
    size = source.shape[axis]
    inner = order[(index + 1)...].reduce(1) { $0 * source.shape[$1] }
    dtype = source.dtype
    storage = source.node.materialize()
    offset = source.layout.offset * dtype.byteCount
  }

  /// The first element. Valid as long as this value is.
  var base: UnsafeRawPointer { UnsafeRawPointer(storage.base + offset) }

  var threads: Int { TensorThreads.count }

  /// A tensor in the same memory order with `size` elements along the axis, written by `fill`.
  func result(
    _ dtype: DType, size: Int? = nil, fill: (UnsafeMutableRawPointer) -> Void
  ) -> Tensor {
    var target = shape
    target[axis] = size ?? self.size
    let layout = Layout.dense(target, order: order)
    guard !self.storage.isMissing, let storage = Storage.roomOrReport(layout, dtype) else {
      return .poisoned
    }
    if layout.count > 0 { withExtendedLifetime(self.storage) { fill(storage.base) } }
    return Tensor(stored: storage, dtype, layout)
  }

  /// Values and `int64` indices in the same memory order.
  func pair(
    _ dtype: DType, size: Int? = nil,
    fill: (UnsafeMutableRawPointer, UnsafeMutablePointer<Int64>) -> Void
  ) -> (values: Tensor, indices: Tensor) {
    var indices: Tensor?
    let values = result(dtype, size: size) { values in
      indices = result(.int64, size: size) { fill(values, $0.assumingMemoryBound(to: Int64.self)) }
    }
    // If there was memory only for the values, there is no result.
    if values.isPoisoned || indices?.isPoisoned ?? false { return (.poisoned, .poisoned) }
    return (values, indices ?? result(.int64, size: size) { _ in })
  }

  /// The axes from the slowest in memory to the fastest, except that the axis is last: contiguous
  /// chains.
  static func axisLast(_ tensor: Tensor, _ axis: Int) -> [Int] {
    let order = Layout.order(tensor.shape, tensor.strides)
    return order.filter { $0 != axis } + [axis]
  }
}

extension Tensor {
  /// Calls `body` with this tensor and an axis counted from the front; a scalar counts as a row of
  /// one.
  func along(
    _ axis: Int, call: String, _ body: (Tensor, Int) throws(TensorError) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let front = try Shape.axis(axis, of: shape, call: call)
    return rank == 0 ? try body(reshaped([1]), 0).reshaped([]) : try body(self, front)
  }

  /// The same for values and indices.
  @inline(never)
  func pairs(
    _ axis: Int, keepDims: Bool = true, call: String, file: StaticString, line: UInt,
    _ body: (Tensor, Int) throws(TensorError) -> (values: Tensor, indices: Tensor)
  ) -> (values: Tensor, indices: Tensor) {
    checked(
      file: file, line: line, call: call, else: (.poisoned, .poisoned)
    ) { () throws(TensorError) in
      if isPoisoned { return (self, self) }
      let front = try Shape.axis(axis, of: shape, call: call)
      if rank > 0 {
        let pair = try body(self, front)
        return keepDims ? pair : (pair.values.squeezed(front), pair.indices.squeezed(front))
      }
      let row = try body(reshaped([1]), 0)
      if row.values.count != 1 { return row }
      return (row.values.reshaped([]), row.indices.reshaped([]))
    }
  }

  /// A view with the given axes, counted from the front, merged into one at the end.
  func joinedLast(_ axes: [Int]) -> Tensor {
    let kept = shape.indices.filter { !axes.contains($0) }
    let size = axes.reduce(1) { $0 * shape[$1] }
    return permuted(kept + axes).reshaped(kept.map { shape[$0] } + [size])
  }

  /// The inverse: the last axis split into `axes` of `shape`, and all put back.
  func divided(into axes: [Int], of shape: [Int]) -> Tensor {
    let order = shape.indices.filter { !axes.contains($0) } + axes
    let back = shape.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return reshaped(order.map { shape[$0] }).permuted(back)
  }

  /// Values that were selected from `source` at `indices` along an axis, which has size 1 or is
  /// dropped: the gradient is scattered back.
  func picked(from source: Tensor, _ axis: Int, at indices: Tensor, call: String) -> Tensor {
    let size = source.shape[axis]
    let kept = Shape.reduced(source.shape, over: [axis], keepDims: true)
    let tail = [Int](repeating: 1, count: source.rank - axis - 1)
    return recorded(call, from: [source], saving: [indices.reshaped(kept)]) { rule in
      let isPicked = rule.saved[0] .== Tensor.arange(size).reshaped([size] + tail)
      return [Tensor.where(isPicked, rule.upstream.reshaped(kept), 0)]
    }
  }

  /// The previous element of each along an axis, or the next one for -1; `value` at the end.
  func shifted(_ axis: Int, by step: Int, filling value: Double) -> Tensor {
    let size = shape[axis]
    if size == 0 { return self }
    var end = shape
    end[axis] = 1
    let rest = narrowed(over: axis, from: step > 0 ? 0 : 1, count: size - 1)
    let fill = Tensor.full(end, value, dtype: dtype)
    return .concatenated(step > 0 ? [fill, rest] : [rest, fill], over: axis)
  }
}
