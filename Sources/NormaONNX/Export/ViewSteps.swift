/// How the elements of a tensor lie in memory.
struct Arrangement: Hashable {
  var shape: [Int]
  var strides: [Int]
  var offset: Int

  /// Axes with several elements, from the slowest to the fastest, with neighbors that follow each
  /// other in memory merged: equal for reshaped views of each other.
  private var merged: [[Int]] {
    var axes: [[Int]] = []
    for axis in shape.indices where shape[axis] != 1 {
      if let last = axes.last, last[1] == strides[axis] * shape[axis] {
        axes[axes.count - 1] = [last[0] * shape[axis], strides[axis]]
      } else {
        axes.append([shape[axis], strides[axis]])
      }
    }
    return axes
  }

  func isReshaped(_ other: Arrangement) -> Bool {
    offset == other.offset && merged == other.merged
  }
}

/// A step from a tensor to a view of it, in the terms of ONNX.
enum ViewStep: Hashable {
  case reshape([Int])
  case transpose([Int])
  case expand([Int])
  /// From `starts` up to `ends`, every `steps`-th element, on these axes.
  case slice(axes: [Int], starts: [Int], ends: [Int], steps: [Int])

  /// A slice on the axes that it shortens; an end at the end of an axis is `Int.max`, so that it
  /// holds for any length.
  static func sliced(_ shape: [Int], _ starts: [Int], _ ends: [Int], _ steps: [Int]) -> ViewStep {
    let axes = shape.indices.filter { starts[$0] != 0 || ends[$0] < shape[$0] || steps[$0] != 1 }
    return .slice(
      axes: axes, starts: axes.map { starts[$0] },
      ends: axes.map { ends[$0] >= shape[$0] ? .max : ends[$0] }, steps: axes.map { steps[$0] })
  }
}

/// Finds the steps between two arrangements of the same memory: a view carries no record of how it
/// was made, and needs none.
struct ViewFinder {
  let base: Arrangement

  /// The steps to `view` if there is at most one kind of them; nil otherwise.
  func simpleSteps(to view: Arrangement) -> [ViewStep]? {
    if view == base { return [] }
    if view.shape.contains(0) || base.shape.contains(0) { return nil }
    if base.isReshaped(view) { return [.reshape(view.shape)] }
    return transposition(to: view) ?? expansion(to: view) ?? slice(to: view)
  }

  private func transposition(to view: Arrangement) -> [ViewStep]? {
    guard view.shape.count == base.shape.count, view.offset == base.offset else { return nil }
    var free = Array(base.shape.indices)
    var order: [Int] = []
    for axis in view.shape.indices {
      let place = free.firstIndex { other in
        base.shape[other] == view.shape[axis]
          && (base.shape[other] == 1 || base.strides[other] == view.strides[axis])
      }
      guard let place else { return nil }
      order.append(free.remove(at: place))
    }
    return [.transpose(order)]
  }

  private func expansion(to view: Arrangement) -> [ViewStep]? {
    let shift = view.shape.count - base.shape.count
    guard shift >= 0, view.offset == base.offset else { return nil }
    for axis in view.shape.indices {
      let (length, stride) = (view.shape[axis], view.strides[axis])
      let own = axis - shift
      let isSame =
        own >= 0 && base.shape[own] == length && (length == 1 || base.strides[own] == stride)
      let isNew = (own < 0 || base.shape[own] == 1) && (length == 1 || stride == 0)
      if !isSame && !isNew { return nil }
    }
    return [.expand(view.shape)]
  }

  private func slice(to view: Arrangement) -> [ViewStep]? {
    guard view.shape.count == base.shape.count, view.offset >= base.offset else { return nil }
    var (starts, ends) = (view.shape.map { _ in 0 }, base.shape)
    var steps = view.shape.map { _ in 1 }
    var rest = view.offset - base.offset
    for axis in base.shape.indices.sorted(by: { base.strides[$0] > base.strides[$1] }) {
      if base.shape[axis] > 1 {
        guard base.strides[axis] > 0 else {
          if view.shape[axis] != base.shape[axis] || view.strides[axis] != 0 { return nil }
          continue
        }
        starts[axis] = rest / base.strides[axis]
        rest %= base.strides[axis]
      }
      if view.shape[axis] > 1 {
        guard base.shape[axis] > 1, view.strides[axis] % base.strides[axis] == 0 else { return nil }
        steps[axis] = view.strides[axis] / base.strides[axis]
        if steps[axis] < 1 { return nil }
      }
      let last = starts[axis] + (view.shape[axis] - 1) * steps[axis]
      guard last < base.shape[axis] else { return nil }
      ends[axis] = last + steps[axis] >= base.shape[axis] ? base.shape[axis] : last + 1
    }
    return rest == 0 ? [.sliced(base.shape, starts, ends, steps)] : nil
  }

  /// The steps to any view whose elements are those of a block in some reshaped form: through the
  /// order in memory, one axis for each stride. `base` must be dense. Nil for views that overlap.
  func steps(to view: Arrangement) -> [ViewStep]? {
    if let simple = simpleSteps(to: view) { return simple }
    let total = base.shape.reduce(1, *)
    if total == 0 { return nil }
    var result: [ViewStep] = []
    let order = base.shape.indices.sorted { a, b in
      let (x, y) = (base.shape[a] == 1 ? Int.max : base.strides[a], base.strides[b])
      let z = base.shape[b] == 1 ? Int.max : y
      return x == z ? a < b : x > z
    }
    if order != Array(base.shape.indices) { result.append(.transpose(order)) }
    let axes = view.shape.indices.filter { view.shape[$0] > 1 && view.strides[$0] > 0 }
      .sorted { view.strides[$0] > view.strides[$1] }
    var (sizes, unit, units) = ([Int](), total, [Int]())
    for axis in axes {
      let stride = view.strides[axis]
      guard unit % stride == 0, stride < unit else { return nil }
      sizes.append(unit / stride)
      units.append(stride)
      unit = stride
    }
    if unit > 1 {
      sizes.append(unit)
      units.append(1)
    }
    result.append(.reshape(sizes))
    var (starts, ends, rest) = ([Int](), [Int](), view.offset - base.offset)
    for (place, size) in sizes.enumerated() {
      let start = rest / units[place]
      rest %= units[place]
      let count = place < axes.count ? view.shape[axes[place]] : 1
      guard start >= 0, start + count <= size else { return nil }
      starts.append(start)
      ends.append(start + count)
    }
    if starts.contains(where: { $0 != 0 }) || ends != sizes {
      result.append(.sliced(sizes, starts, ends, starts.map { _ in 1 }))
    }
    // The axes of the view, then the one of the rest, which has one element.
    let places = axes.indices.sorted { axes[$0] < axes[$1] } + (axes.count..<sizes.count)
    if places != Array(sizes.indices) { result.append(.transpose(places)) }
    let kept = view.shape.indices.map { view.strides[$0] > 0 ? view.shape[$0] : 1 }
    if case .reshape? = result.last { result.removeLast() }
    result.append(.reshape(kept))
    if kept != view.shape { result.append(.expand(view.shape)) }
    return result
  }
}
