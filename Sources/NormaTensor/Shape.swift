import NormaValues

/// Shape arithmetic: pure functions that throw an error if shapes do not fit.
package enum Shape {
  /// The number of elements; throws if a size is negative or the product overflows.
  package static func count(_ shape: [Int], call: String) throws(TensorError) -> Int {
    if shape.count > mostAxes {
      throw TensorError(call, "\(shape.count) axes; a tensor has at most \(mostAxes)")
    }
    var count = 1
    for size in shape where size != 0 {
      if size < 0 { throw TensorError(call, "size \(size) in shape \(shape) is negative") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow || product > Int.max / 16 {
        throw TensorError(call, "shape \(shape) has more elements than memory can hold")
      }
      count = product
    }
    return shape.contains(0) ? 0 : count
  }

  /// The sum of sizes; throws if it overflows.
  static func sum(_ sizes: [Int], call: String) throws(TensorError) -> Int {
    var sum = 0
    for size in sizes {
      let (next, overflow) = sum.addingReportingOverflow(size)
      if overflow { throw TensorError(call, "sizes \(sizes) add up to more than memory can hold") }
      sum = next
    }
    return sum
  }

  /// Throws if a tensor would be split into an unreasonable number of parts.
  static func parts(_ count: Int, call: String) throws(TensorError) {
    if count > 1 << 24 { throw TensorError(call, "\(count) parts are more than memory can hold") }
  }

  /// The largest kernels, strides and paddings, so that their products do not overflow.
  static let longestWindow = 1 << 30

  /// Throws if an axis of results, each of which has a list of sources, would be too long.
  static func results(_ sizes: [Int], call: String) throws(TensorError) {
    if let wrong = sizes.first(where: { $0 > 1 << 26 }) {
      throw TensorError(call, "an axis of \(wrong) results is longer than \(1 << 26)")
    }
  }

  /// Throws if indices along spatial axes do not fit 32 bits.
  static func space(_ sizes: [Int], call: String) throws(TensorError) {
    if let wrong = sizes.first(where: { $0 >= Int(Int32.max) }) {
      throw TensorError(call, "an axis of \(wrong) elements is longer than \(Int32.max - 1)")
    }
  }

  /// Throws if sums along an axis have too many terms in all, or an axis has too many elements,
  /// each of which has a list of sums.
  static func terms(_ count: Int, of inputs: Int, call: String) throws(TensorError) {
    if max(count, inputs) > 1 << 28 {
      throw TensorError(
        call,
        "windows over an axis of \(inputs) with \(count) terms in all are more than \(1 << 28)")
    }
  }

  /// Throws if there is no memory for a result, before any work is done.
  static func room(_ shape: [Int], _ dtype: DType, call: String) throws(TensorError) {
    let count = try count(shape, call: call)
    if count < 1 << 28 { return }
    _ = try Storage.room(Layout(contiguous: shape), dtype, call)
  }

  /// The largest number of axes, as in PyTorch.
  package static let mostAxes = 64

  /// The axis counted from the front.
  package static func axis(_ axis: Int, of shape: [Int], call: String) throws(TensorError) -> Int {
    // A tensor without dimensions accepts 0 and -1, as in PyTorch.
    let rank = max(shape.count, 1)
    guard axis >= -rank && axis < rank else {
      throw TensorError(
        call,
        "axis \(axis) is out of range for shape \(shape); valid axes are \(-rank) ..< \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Sorted axes from the front; nil means all, an empty list none.
  package static func axes(_ axes: [Int]?, of shape: [Int], call: String) throws(TensorError)
    -> [Int]
  {
    guard let axes else { return Array(shape.indices) }
    var result: [Int] = []
    for axis in axes {
      let front = try Shape.axis(axis, of: shape, call: call)
      if result.contains(front) {
        throw TensorError(call, "axis \(axis) appears twice in \(axes)")
      }
      result.append(front)
    }
    return shape.isEmpty ? [] : result.sorted()
  }

  /// The common shape of two operands: sizes are equal, or one of them is 1 or missing.
  package static func broadcast(
    _ a: [Int], _ b: [Int], call: String
  ) throws(TensorError) -> [Int] {
    if a == b { return a }
    let (long, short) = a.count >= b.count ? (a, b) : (b, a)
    var result = long
    let shift = long.count - short.count
    for (index, size) in short.enumerated() where size != long[index + shift] {
      if long[index + shift] == 1 {
        result[index + shift] = size
      } else if size != 1 {
        throw TensorError(
          call,
          "shapes \(a) and \(b) do not broadcast: sizes \(long[index + shift]) and \(size) at axis "
            + "\(index + shift - long.count) differ and neither is 1")
      }
    }
    return result
  }

  /// The target of a reshape, with the one -1 in it filled in.
  static func reshape(_ shape: [Int], to target: [Int], call: String) throws(TensorError) -> [Int] {
    let count = try Shape.count(shape, call: call)
    var (result, open) = (target, -1)
    for axis in target.indices where target[axis] < 0 {
      guard target[axis] == -1 else {
        throw TensorError(
          call, "size \(target[axis]) in \(target) is negative; only one -1 is allowed")
      }
      if open >= 0 { throw TensorError(call, "more than one -1 in \(target)") }
      (open, result[axis]) = (axis, 1)
    }
    let known = try Shape.count(result, call: call)
    if open >= 0 {
      guard known > 0, count % known == 0 else {
        throw TensorError(
          call, "\(count) elements of shape \(shape) do not divide into \(target)")
      }
      result[open] = count / known
    } else if known != count {
      throw TensorError(
        call, "shape \(shape) has \(count) elements, but \(target) would have \(known)")
    }
    return result
  }

  /// The shape after a reduction.
  package static func reduced(_ shape: [Int], over axes: [Int], keepDims: Bool) -> [Int] {
    if keepDims {
      return shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    }
    return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
  }
}

extension Tensor {
  /// The axes that `over: Int...` refers to: all if none are named.
  func named(_ axes: [Int]) -> [Int] { axes.isEmpty ? Array(shape.indices) : axes }
}
