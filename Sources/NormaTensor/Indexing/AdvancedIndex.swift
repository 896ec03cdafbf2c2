/// The elements selected by indices that include tensors, for one shape: first a view by the other
/// indices, then indices along the tensors' axes, which are merged into one.
struct AdvancedIndex {
  /// The view, or nil if it is the whole tensor.
  let window: Window?
  /// The indices, for the view as `[outer, size, inner]`.
  let axisIndices: AxisIndices
  /// The shape of the result.
  let shape: [Int]
  /// The shape of the view, and the order of its axes that makes those of the tensors adjacent.
  private let seen: [Int], order: [Int]

  /// A tensor among the indices.
  private struct Entry {
    /// Indices along the merged axes, from the front or, if `wraps`, also from the end.
    let indices: Tensor
    let wraps: Bool
    /// The axes of the view, and their total size.
    let axes: Range<Int>, size: Int
    /// The axis by the caller's numbering.
    let axis: Int
  }

  init(_ indices: [Tensor.AxisIndex], of shape: [Int], _ call: String) throws(TensorError) {
    let complete = try Tensor.AxisIndex.complete(indices, for: shape, call: call)
    var basic: [Tensor.AxisIndex] = []
    var entries: [Entry] = []
    var axis = 0
    var position = 0
    for index in complete {
      var width = 1
      switch index {
      case .tensor(let tensor) where tensor.dtype == .bool:
        // A Boolean without axes selects all or nothing, along a new axis.
        let mask = tensor.atLeast1D()
        let own = tensor.rank == 0 ? [1] : Array(shape[axis..<(axis + tensor.rank)])
        try demand(
          mask.shape == own, call,
          "a mask of shape \(mask.shape) does not fit shape \(shape) from axis \(axis) on")
        width = own.count
        basic += tensor.rank == 0 ? [.newAxis] : own.map { _ in .whole }
        entries.append(
          Entry(
            indices: try mask.trueIndices(call), wraps: false, axes: position..<(position + width),
            size: own.reduce(1, *), axis: axis))
        axis += tensor.rank
      case .tensor(let tensor):
        guard tensor.dtype.isInteger, tensor.dtype != .uint8 else {
          throw TensorError(
            call,
            "indices cannot be \(tensor.dtype): cast them to an integer type other than uint8, "
              + "which PyTorch takes for a mask, or to bool for a mask")
        }
        if tensor.rank == 0 {
          basic.append(.element(tensor.asPositions.item(as: Int.self)))
          width = 0
        } else {
          basic.append(.whole)
          entries.append(
            Entry(
              indices: tensor, wraps: true, axes: position..<(position + 1), size: shape[axis],
              axis: axis))
        }
        axis += 1
      case .newAxis: basic.append(index)
      case .element:
        basic.append(index)
        width = 0
        axis += 1
      default:
        basic.append(index)
        axis += 1
      }
      position += width
    }
    let view = try Layout(contiguous: shape).taking(basic, call)
    let parts = basic
    if basic.allSatisfy(\.isWhole) {
      window = nil
    } else {
      window = { (whole: Layout) throws(TensorError) in try whole.taking(parts, call) }
    }
    seen = view.shape
    let chosen = entries.flatMap { Array($0.axes) }
    let rest = seen.indices.filter { !chosen.contains($0) }
    // If no other axis is between them, the indexed axes stay where the tensors are.
    let isTogether = zip(chosen, chosen.dropFirst()).allSatisfy { $1 == $0 + 1 }
    let front = isTogether ? chosen.first ?? 0 : 0
    order = Array(rest.prefix(front)) + chosen + rest.dropFirst(front)
    let outer = rest.prefix(front).map { view.shape[$0] }
    let inner = rest.dropFirst(front).map { view.shape[$0] }
    let (combined, wraps) = try AdvancedIndex.combined(entries, of: shape, call)
    self.shape = outer + combined.shape + inner
    axisIndices = AxisIndices(
      combined.reshaped(1, combined.count, 1),
      narrow: [outer.reduce(1, *), combined.count, inner.reduce(1, *)],
      size: entries.reduce(1) { $0 * $1.size }, wraps: wraps, call: call,
      axis: entries.first?.axis ?? 0, shape: shape)
  }

  /// One tensor of indices along all merged axes.
  private static func combined(
    _ entries: [Entry], of shape: [Int], _ call: String
  ) throws(TensorError) -> (Tensor, wraps: Bool) {
    guard let first = entries.first else { return (Tensor([0]), false) }
    if entries.count == 1 { return (first.indices, first.wraps) }
    var common: [Int] = []
    for entry in entries {
      common = try Shape.broadcast(common, entry.indices.shape, call: call)
    }
    var position = Tensor(0).broadcast(to: common)
    for entry in entries {
      let indices = entry.indices.detached().asPositions
      try AxisIndices(
        indices.reshaped(1, indices.count, 1), narrow: [1, indices.count, 1], size: entry.size,
        wraps: entry.wraps, call: call, axis: entry.axis, shape: shape
      ).check()
      let front =
        entry.wraps ? Tensor.where(indices .< 0, indices + entry.size, indices) : indices
      position = position * entry.size + front
    }
    return (position.evaluated(), false)
  }

  /// A tensor of the shape as `[outer, size, inner]`.
  func wide(_ x: Tensor) -> Tensor {
    let view = checked { () throws(TensorError) in
      guard let window else { return x }
      return try x.seen(through: window, axisIndices.call)
    }
    return AdvancedIndex.permuted(view, order).reshaped(
      axisIndices.narrow[0], axisIndices.size, axisIndices.narrow[2])
  }

  /// The same view as a layout, if that needs no copy.
  func wide(_ layout: Layout) throws(TensorError) -> Layout? {
    let view = try window.map { window throws(TensorError) in try window(layout) } ?? layout
    return Layout(
      shape: order.map { view.shape[$0] }, strides: order.map { view.strides[$0] },
      offset: view.offset
    ).reshaped([axisIndices.narrow[0], axisIndices.size, axisIndices.narrow[2]])
  }

  /// The inverse of ``wide(_:)-(Tensor)``, to the view.
  func restored(_ x: Tensor) -> Tensor {
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return AdvancedIndex.permuted(x.reshaped(order.map { seen[$0] }), back)
  }

  private static func permuted(_ x: Tensor, _ order: [Int]) -> Tensor {
    order == Array(order.indices) ? x : x.permuted(order)
  }
}
