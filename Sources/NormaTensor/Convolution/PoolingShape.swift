import NormaKernels

/// The positions of a pooling's windows along the spatial axes: a pure value.
struct PoolingShape: Sendable {
  let kernel: [Int], stride: [Int], padding: [Int], dilation: [Int]
  let inputs: [Int]
  private(set) var outputs: [Int] = []

  /// - Throws: for sizes that PyTorch rejects as well: padding above half of the kernel, no result.
  init(
    _ inputs: [Int], kernel: Extents, stride: Extents?, padding: Extents, dilation: Extents = 1,
    ceilMode: Bool, call: String
  ) throws(TensorError) {
    let space = inputs.count
    self.inputs = inputs
    self.kernel = try kernel.expanded(space, atLeast: 1, "kernelSize", call: call)
    // An empty list means no stride, as in PyTorch.
    let given = stride.flatMap { $0.values.isEmpty ? nil : $0 }
    self.stride = try (given ?? kernel).expanded(space, atLeast: 1, "stride", call: call)
    self.padding = try padding.expanded(space, atLeast: 0, "padding", call: call)
    self.dilation = try dilation.expanded(space, atLeast: 1, "dilation", call: call)
    if inputs.contains(0) {
      throw TensorError(call, "the input has no spatial elements: \(inputs)")
    }
    for axis in 0..<space {
      let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
      guard self.padding[axis] <= reach / 2 else {
        throw TensorError(
          call,
          "padding \(self.padding[axis]) is more than half of the kernel, which spans \(reach) "
            + "elements")
      }
      let room = inputs[axis] + 2 * self.padding[axis] - reach
      let step = self.stride[axis]
      guard room >= 0 || ceilMode && room > -step else {
        throw TensorError(
          call,
          "the kernel spans \(reach) elements and an axis of \(inputs) with padding has "
            + "\(room + reach)")
      }
      var count = (room + (ceilMode ? step - 1 : 0)) / step + 1
      // The last window must begin inside the input or the padding before it.
      if ceilMode, (count - 1) * step >= inputs[axis] + self.padding[axis] { count -= 1 }
      guard count > 0 else { throw TensorError(call, "an axis of \(inputs) gives no result") }
      outputs.append(count)
    }
    try Shape.results(outputs, call: call)
  }

  /// Throws if the means along an axis have more terms than can be listed.
  func checkTerms(call: String) throws(TensorError) {
    for axis in inputs.indices {
      try Shape.terms(outputs[axis] * min(kernel[axis], inputs[axis]), of: inputs[axis], call: call)
    }
  }

  /// The windows along an axis, restricted to elements inside the input.
  func windows(_ axis: Int) -> WindowAxis {
    WindowAxis(inputs: inputs[axis], outputs: outputs[axis], step: dilation[axis]) { output in
      (output * stride[axis] - padding[axis], kernel[axis])
    }
  }

  /// The means of windows along an axis.
  ///
  /// - Parameter countsPadding: whether zeros of the padding count as values; the part of a last
  ///   window with `ceilMode` that lies beyond the padding never does.
  func means(_ axis: Int, countsPadding: Bool) -> AxisMap {
    let (n, padding) = (inputs[axis], padding[axis])
    return AxisMap(inputs: n, outputs: outputs[axis]) { output in
      let start = output * stride[axis] - padding
      let end = min(start + kernel[axis], n + padding)
      let inside = max(start, 0)..<max(min(end, n), max(start, 0))
      let count = countsPadding ? end - start : inside.count
      return inside.map { AxisMap.Tap($0, 1 / Double(count)) }
    }
  }

  /// The sums of windows along an axis, times a factor.
  func sums(_ axis: Int, factor: Double) -> AxisMap {
    let window = windows(axis)
    return AxisMap(inputs: inputs[axis], outputs: outputs[axis]) { output in
      (0..<Int(window.lengths[output])).map {
        AxisMap.Tap(Int(window.first[output]) + $0 * dilation[axis], factor)
      }
    }
  }
}

/// The windows of an adaptive pooling along one axis: from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉.
struct AdaptiveWindows {
  let inputs: Int, outputs: Int

  /// Throws if the means have more terms than can be listed.
  func checkTerms(call: String) throws(TensorError) {
    // Windows overlap only at their ends.
    try Shape.terms(inputs + 2 * outputs, of: inputs, call: call)
  }

  private func range(_ output: Int) -> Range<Int> {
    output * inputs / outputs..<((output + 1) * inputs + outputs - 1) / outputs
  }

  var windows: WindowAxis {
    WindowAxis(inputs: inputs, outputs: outputs, step: 1) { output in
      (range(output).lowerBound, range(output).count)
    }
  }

  var means: AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { output in
      let range = range(output)
      return range.map { AxisMap.Tap($0, 1 / Double(range.count)) }
    }
  }
}

/// The size of an adaptive pooling's result: one number for every axis, or one for each, where nil
/// keeps the input's size: `7`, `[7, nil]`.
public struct AdaptiveSize: Sendable, Hashable, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral
{
  /// One number, or one for each axis.
  public let values: [Int?]

  /// A size for each axis, or one for all.
  public init(_ values: [Int?]) { self.values = values }
  /// The same size for every axis.
  public init(integerLiteral value: Int) { values = [value] }
  /// A size for each axis; nil keeps the input's.
  public init(arrayLiteral values: Int?...) { self.values = values }

  func expanded(_ inputs: [Int], call: String) throws(TensorError) -> [Int] {
    guard values.count == 1 || values.count == inputs.count else {
      throw TensorError(
        call, "outputSize has \(values.count) numbers for \(inputs.count) spatial axes")
    }
    var result: [Int] = []
    for (axis, size) in inputs.enumerated() {
      let wanted = (values.count == 1 ? values[0] : values[axis]) ?? size
      try demand(wanted >= 0, call, "outputSize must not be negative, got \(wanted)")
      try demand(size > 0, call, "the input has no spatial elements: \(inputs)")
      result.append(wanted)
    }
    try Shape.results(result, call: call)
    return result
  }
}

/// Types that can be passed as ``AdaptiveSize``: a number for every axis, or an array of a number
/// or nil for each.
public protocol AdaptiveSizeConvertible {
  /// The sizes of the axes.
  var asAdaptiveSize: AdaptiveSize { get }
}

/// The size of one axis in an array passed as ``AdaptiveSize``: a number, or nil.
public protocol AdaptiveLength {
  /// The size; nil keeps the input's.
  var asAdaptiveLength: Int? { get }
}

extension AdaptiveSize: AdaptiveSizeConvertible {
  /// These sizes.
  public var asAdaptiveSize: AdaptiveSize { self }
}

extension Int: AdaptiveSizeConvertible, AdaptiveLength {
  /// This size for every axis.
  public var asAdaptiveSize: AdaptiveSize { AdaptiveSize([self]) }
  /// This size.
  public var asAdaptiveLength: Int? { self }
}

extension Optional: AdaptiveLength where Wrapped == Int {
  /// This size; nil keeps the input's.
  public var asAdaptiveLength: Int? { self }
}

extension Array: AdaptiveSizeConvertible where Element: AdaptiveLength {
  /// A size for each axis.
  public var asAdaptiveSize: AdaptiveSize { AdaptiveSize(map(\.asAdaptiveLength)) }
}
