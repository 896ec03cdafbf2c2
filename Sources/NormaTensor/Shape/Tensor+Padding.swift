/// The values around a padded tensor.
public enum PaddingMode: Sendable, Hashable {
  /// A number. PyTorch: `constant`.
  case constant(Double)
  /// The elements mirrored at the first and last one, which are not repeated.
  case reflect
  /// The first and last elements.
  case replicate
  /// The elements from the other end.
  case circular

  /// Zeros.
  public static var zeros: PaddingMode { .constant(0) }

  /// The index of the element that is used for an index outside of an axis.
  func source(_ position: Int, in size: Int) -> Int {
    switch self {
    case .constant: position
    case .reflect:
      position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position
    case .replicate: min(max(position, 0), size - 1)
    case .circular: (position % size + size) % size
    }
  }
}

extension Tensor {
  /// Adds elements around the last axes: `amounts` are those before and after the last axis, then
  /// before and after the one before it, and so on; negative amounts remove elements.
  ///
  /// Constants work for all types and any number of axes; the other modes pad only the spatial axes
  /// of `[N, C, space...]` or `[C, space...]`, `reflect` by less than the size of an axis and
  /// `circular` by at most that. Cost: one read and one write, in the other modes for each axis.
  /// PyTorch: `F.pad(x, amounts, mode, value)`.
  public func padded(
    _ amounts: [Int], mode: PaddingMode = .zeros, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      if isWidened && (mode == .replicate || mode == .reflect && amounts.count <= 4) {
        return widened.padded(amounts, mode: mode, file: file, line: line)
      }
      let call = "padded(_:mode:)"
      guard amounts.count % 2 == 0, amounts.count <= 2 * rank else {
        throw TensorError(
          call, "\(amounts.count) amounts for shape \(shape): two for each axis, last axis first")
      }
      var (before, after) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
      for pair in 0..<amounts.count / 2 {
        before[rank - 1 - pair] = amounts[2 * pair]
        after[rank - 1 - pair] = amounts[2 * pair + 1]
      }
      var target = shape
      for axis in shape.indices {
        target[axis] = try Shape.sum([shape[axis], before[axis], after[axis]], call: call)
      }
      if let axis = target.firstIndex(where: { $0 < 0 }) {
        throw TensorError(call, "axis \(axis) of \(shape) would have \(target[axis]) elements")
      }
      try Shape.room(target, dtype, call: call)
      if case .constant(let value) = mode {
        try Scalar(value).require(dtype, call)
        return placed(in: target, before, after, value)
      }
      try checkPadding(mode, amounts, target, call)
      if target == shape && amounts.allSatisfy({ $0 == 0 }) { return self }
      if count == 0 { return emptyResult(target, call) }
      var result = self
      for axis in shape.indices where before[axis] != 0 || after[axis] != 0 {
        let size = shape[axis]
        result = result.picked(
          axis, (0..<target[axis]).map { mode.source($0 - before[axis], in: size) })
      }
      return result
    }
  }

  /// Checks the modes that repeat elements; the first amounts are for the last axis.
  private func checkPadding(
    _ mode: PaddingMode, _ amounts: [Int], _ target: [Int], _ call: String
  ) throws(TensorError) {
    let axes = amounts.count / 2
    guard rank == axes + 1 || rank == axes + 2 else {
      throw TensorError(
        call,
        "\(mode) pads the spatial axes of [N, C, space...] or [C, space...]: \(amounts.count) "
          + "amounts do not fit shape \(shape)")
    }
    let space = Array(shape.suffix(axes).reversed())
    guard !target.suffix(axes).contains(0), !space.contains(0) else {
      throw TensorError(call, "shape \(shape) padded by \(amounts) has no elements")
    }
    for (index, amount) in amounts.enumerated() {
      let size = space[index / 2]
      if mode == .reflect && amount >= size || mode == .circular && amount > size {
        throw TensorError(
          call,
          "\(mode) by \(amount) needs an axis of at least \(amount + (mode == .reflect ? 1 : 0)) "
            + "elements; shape \(shape) has \(size)")
      }
    }
  }

  /// Part of these values inside a larger shape.
  private func placed(
    in target: [Int], _ before: [Int], _ after: [Int], _ value: Double
  ) -> Tensor {
    var part = self
    if shape.indices.contains(where: { before[$0] < 0 || after[$0] < 0 }) {
      part = taking(
        shape.indices.map { axis in
          let first = -Swift.max(Swift.min(before[axis], 0), -shape[axis])
          let last = Swift.max(shape[axis] + Swift.min(after[axis], 0), first)
          return AxisSlice(from: first, to: last)
        })
    }
    if part.shape == target { return part }
    // If more is removed than the axis has, nothing is left but padding.
    let inside = shape.indices.map { axis in
      let first = Swift.min(Swift.max(before[axis], 0), target[axis])
      return AxisSlice(from: first, to: first + part.shape[axis])
    }
    return part.spread(over: target, at: inside, filling: value)
  }
}
