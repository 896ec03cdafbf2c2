import NormaTensor

/// An input's shape as a layer sees it: groups of channels are an axis of their own.
struct Frame: Hashable, Sendable {
  /// The user's shape.
  let outer: [Int]
  /// The layer's shape: `[N, groups, C / groups, ...]` with groups of channels, else the user's.
  let shape: [Int]
  /// The axes of `shape` that a statistic is taken over.
  let axes: [Int]
  /// The axes of `shape` along which weight and bias lie.
  let parameterAxes: [Int]
  /// The axis of the user's shape that holds the channels.
  let channelAxis: Int

  var isGrouped: Bool { shape.count != outer.count }
  /// The axes along which statistics differ.
  var kept: [Int] { shape.indices.filter { !axes.contains($0) } }
  /// The shape of a statistic, with 1 where it was taken.
  var statisticsShape: [Int] { shape.indices.map { axes.contains($0) ? 1 : shape[$0] } }
  /// The shape of weight and bias, with 1 along the other axes.
  var parameterShape: [Int] { shape.indices.map { parameterAxes.contains($0) ? shape[$0] : 1 } }
  /// The axes that a statistic is taken over, in the user's numbering.
  var outerAxes: [Int] { isGrouped ? [1] + axes.dropFirst().map { $0 - 1 } : axes }
  /// An axis along which the input can be cut without changing a statistic.
  var sliceAxis: Int? { kept.first }

  /// The number of values along some axes of a shape.
  static func count(_ axes: [Int], of shape: [Int]) -> Int {
    axes.reduce(1) { $0 * shape[$1] }
  }

  /// The number of values of a statistic.
  var count: Int { Self.count(axes, of: shape) }

  /// The same frame for a part of the input.
  func narrowed(to range: Range<Int>) -> Frame {
    guard let axis = sliceAxis else { return self }
    var part = shape
    part[axis] = range.count
    return Frame(
      outer: isGrouped ? [range.count] + outer.dropFirst() : part, shape: part, axes: axes,
      parameterAxes: parameterAxes, channelAxis: channelAxis)
  }

  /// A tensor of the user's shape, or one that broadcasts to it, in the layer's shape.
  func seen(_ tensor: Tensor) -> Tensor {
    let shape = [Int](repeating: 1, count: outer.count - tensor.shape.count) + tensor.shape
    guard isGrouped else { return tensor.reshaped(shape) }
    let channels = shape[1] == 1 ? [1, 1] : [self.shape[1], self.shape[2]]
    return tensor.reshaped([shape[0]] + channels + shape.dropFirst(2))
  }

  /// Axes of `shape` in the user's numbering: `(0, 2, 3)`, `(2, 3) and the channels of a group`.
  func words(_ axes: [Int]) -> String {
    guard isGrouped else { return list(axes) }
    let others = axes.filter { $0 != 1 && $0 != 2 }.map { $0 > 2 ? $0 - 1 : $0 }
    switch (axes.contains(1), axes.contains(2)) {
    case (true, true): return list((others + [1]).sorted())
    case (false, false): return list(others)
    case (false, true):
      let group = "the \(shape[2]) channels of a group"
      return others.isEmpty ? group : "\(list(others)) and \(group)"
    case (true, false):
      let group = "every \(ordinal(shape[2])) channel"
      return others.isEmpty ? group : "\(list(others)) and \(group)"
    }
  }
}

/// Values of a small tensor that broadcasts to the input.
struct Grid: Hashable {
  let shape: [Int]
  let values: [Double]

  var tensor: Tensor { Tensor(values, shape: shape) }

  func map(_ transform: (Double) -> Double) -> Grid {
    Grid(shape: shape, values: values.map(transform))
  }
}

/// An ordinal number: `1st`, `2nd`, `32nd`.
func ordinal(_ number: Int) -> String {
  let teen = 11...13 ~= number % 100
  let ending = teen ? "th" : [1: "st", 2: "nd", 3: "rd"][number % 10] ?? "th"
  return "\(number)\(ending)"
}
