/// The memory layout of a tensor: shape, strides in elements, and the offset of the first element.
///
/// Immutable and shared, so that passing a tensor costs two references.
package final class Layout: Sendable {
  package let shape: [Int]
  package let strides: [Int]
  package let offset: Int
  package let count: Int
  /// Row-major and without gaps.
  package let isContiguous: Bool
  /// Without gaps in some order of the axes.
  let isDense: Bool

  /// A row-major layout.
  convenience init(contiguous shape: [Int]) {
    var strides = [Int](repeating: 1, count: shape.count)
    var step = 1
    for axis in shape.indices.reversed() {
      strides[axis] = step
      step *= max(shape[axis], 1)
    }
    self.init(shape: shape, strides: strides, offset: 0)
  }

  init(shape: [Int], strides: [Int], offset: Int) {
    self.shape = shape
    self.strides = strides
    self.offset = offset
    count = shape.reduce(1, *)
    var step = 1
    var contiguous = true
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      if strides[axis] != step { contiguous = false }
      step *= shape[axis]
    }
    isContiguous = contiguous || count <= 1 && offset == 0
    isDense = contiguous || !Layout.repeats(shape, strides) && Layout.isDense(shape, strides)
  }

  /// Whether elements occur more than once along some axis.
  private static func repeats(_ shape: [Int], _ strides: [Int]) -> Bool {
    var repeats = false
    for axis in shape.indices {
      if shape[axis] == 0 { return false }
      if shape[axis] != 1 && strides[axis] == 0 { repeats = true }
    }
    return repeats
  }

  private static func isDense(_ shape: [Int], _ strides: [Int]) -> Bool {
    var step = 1
    for axis in Layout.order(shape, strides).reversed() where shape[axis] != 1 {
      if strides[axis] != step { return false }
      step *= shape[axis]
    }
    return true
  }

  /// The axes from the slowest in memory to the fastest.
  static func order(_ shape: [Int], _ strides: [Int]) -> [Int] {
    // Axes of one element, and those that repeat elements, have no order in memory and stay in
    // place.
    var isSorted = true
    var last = Int.max
    for axis in shape.indices where shape[axis] != 1 && strides[axis] != 0 {
      if strides[axis] > last { isSorted = false }
      last = strides[axis]
    }
    var order = Array(shape.indices)
    if isSorted { return order }
    let movable = shape.indices.filter { shape[$0] != 1 && strides[$0] != 0 }
    let sorted = movable.sorted { a, b in
      strides[a] == strides[b] ? a < b : strides[a] > strides[b]
    }
    for (index, axis) in zip(movable, sorted) { order[index] = axis }
    return order
  }

  /// A dense layout for the result of an operation on this operand: in this operand's memory order.
  func denseTwin(of shape: [Int]) -> Layout {
    if isContiguous || !isDense || shape.count != self.shape.count {
      return Layout(contiguous: shape)
    }
    return Layout.dense(shape, order: Layout.order(self.shape, strides))
  }

  /// A dense layout with the axes in the given memory order.
  static func dense(_ shape: [Int], order: [Int]) -> Layout {
    var strides = [Int](repeating: 1, count: shape.count)
    var step = 1
    for axis in order.reversed() {
      strides[axis] = step
      step *= max(shape[axis], 1)
    }
    return Layout(shape: shape, strides: strides, offset: 0)
  }

  /// The same elements in a larger shape; new and broadcast axes repeat them.
  func broadcast(to target: [Int]) -> Layout {
    let shift = target.count - shape.count
    let strides = target.indices.map { axis in
      axis < shift || shape[axis - shift] != target[axis] ? 0 : self.strides[axis - shift]
    }
    return Layout(shape: target, strides: strides, offset: offset)
  }

  func isSame(as other: Layout) -> Bool {
    self === other
      || shape == other.shape && strides == other.strides && offset == other.offset
  }
}
