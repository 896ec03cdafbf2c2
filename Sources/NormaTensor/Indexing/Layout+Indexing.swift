extension Layout {
  /// The layout of a view of the selected elements.
  func taking(
    _ indices: [Tensor.AxisIndex], _ call: String = "subscript"
  ) throws(TensorError) -> Layout {
    let indices = try Tensor.AxisIndex.complete(indices, for: shape, call: call)
    var (newShape, newStrides, newOffset) = ([Int](), [Int](), offset)
    var axis = 0
    for index in indices {
      if case .newAxis = index {
        newShape.append(1)
        newStrides.append(1)
        continue
      }
      let size = shape[axis]
      let (start, count, step) = try index.resolved(size, axis: axis, of: shape, call: call)
      newOffset += start * strides[axis]
      if let count {
        newShape.append(count)
        newStrides.append(count > 1 ? strides[axis] * step : strides[axis])
      }
      axis += 1
    }
    if newShape.count > Shape.mostAxes {
      throw TensorError(call, "\(newShape.count) axes; a tensor has at most \(Shape.mostAxes)")
    }
    return Layout(
      shape: newShape, strides: newStrides, offset: newShape.contains(0) ? 0 : newOffset)
  }
}

extension Tensor.AxisIndex {
  static let whole = Tensor.AxisIndex.slice(from: nil, upTo: nil, by: 1)

  /// Indices for all axes of a shape: whole slices replace the ellipsis, or missing indices at the
  /// end.
  static func complete(
    _ indices: [Tensor.AxisIndex], for shape: [Int], call: String
  ) throws(TensorError) -> [Tensor.AxisIndex] {
    let named = indices.reduce(0) { $0 + $1.axisCount }
    guard named <= shape.count else {
      throw TensorError(
        call, "\(named) indices for shape \(shape), which has \(shape.count) axes")
    }
    try demand(indices.count(where: \.isEllipsis) <= 1, call, "more than one ellipsis")
    var indices = indices
    let position = indices.firstIndex(where: \.isEllipsis) ?? indices.endIndex
    if position < indices.endIndex { indices.remove(at: position) }
    indices.insert(contentsOf: repeatElement(whole, count: shape.count - named), at: position)
    return indices
  }

  /// First element, number of elements (nil drops the axis) and step.
  fileprivate func resolved(
    _ size: Int, axis: Int, of shape: [Int], call: String
  ) throws(TensorError) -> (start: Int, count: Int?, step: Int) {
    switch self {
    case .element(let index):
      guard index >= -size && index < size else {
        throw TensorError(
          call,
          "index \(index) is out of range for axis \(axis) of shape \(shape); "
            + "valid indices are \(-size) ..< \(size)")
      }
      return (index < 0 ? index + size : index, nil, 1)
    case .range(let from, let upTo):
      let start = from < 0 ? from + size : from
      let end = upTo.map { $0 < 0 ? $0 + size : $0 } ?? size
      guard start >= 0, start <= end, end <= size else {
        throw TensorError(
          call,
          "range \(from) ..< \(upTo.map(String.init) ?? "end") is outside of axis \(axis) of shape "
            + "\(shape); an AxisSlice clamps its bounds")
      }
      return (start, end - start, 1)
    case .slice(let from, let upTo, let step):
      try demand(step > 0, call, "the step of a slice must be positive, got \(step)")
      func clamp(_ bound: Int) -> Int { min(max(bound < 0 ? bound + size : bound, 0), size) }
      let start = from.map(clamp) ?? 0
      let end = max(upTo.map(clamp) ?? size, start)
      return (start, end > start ? (end - start - 1) / step + 1 : 0, step)
    case .ellipsis, .newAxis, .tensor:
      return (0, size, 1)
    }
  }
}
