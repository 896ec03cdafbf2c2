import NormaKernels

/// What can stand between the brackets of `tensor[...]`: integers, ranges, ``Slice``,
/// ``Ellipsis`` and ``NewAxis``.
public protocol TensorIndex: Sendable {
  /// What the index does to an axis.
  var axisIndex: AxisIndex { get }
}

/// What an index does, in one form.
public enum AxisIndex: Sendable, Hashable {
  /// Takes one element and drops the axis; negative counts from the end.
  case element(Int)
  /// Takes elements that must exist.
  case range(from: Int, upTo: Int?)
  /// Takes every `by`-th element; bounds are clamped as in Python.
  case slice(from: Int?, upTo: Int?, by: Int)
  /// Stands for all axes that no other index names.
  case ellipsis
  /// Adds an axis of size 1.
  case newAxis
}

/// Every `by`-th element from `from` up to, not including, `to`; bounds may be negative, missing or
/// out of range as in Python. `x[Slice(from: 1, to: -1, by: 2)]` is PyTorch's `x[1:-1:2]`.
public struct Slice: TensorIndex {
  /// The slice in the common form.
  public let axisIndex: AxisIndex

  /// A slice; `by` is positive.
  public init(from: Int? = nil, to: Int? = nil, by step: Int = 1) {
    axisIndex = .slice(from: from, upTo: to, by: step)
  }
}

/// All axes that no other index names, as `...` between brackets.
public struct Ellipsis: TensorIndex {
  /// The only one.
  public init() {}
  /// The index in the common form.
  public var axisIndex: AxisIndex { .ellipsis }
}

/// A new axis of size 1. PyTorch: `None`.
public struct NewAxis: TensorIndex {
  /// The only one.
  public init() {}
  /// The index in the common form.
  public var axisIndex: AxisIndex { .newAxis }
}

extension Int: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex { .element(self) }
}

extension Range<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex { .range(from: lowerBound, upTo: upperBound) }
}

extension ClosedRange<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex {
    .range(from: lowerBound, upTo: upperBound == -1 ? nil : upperBound + 1)
  }
}

extension PartialRangeFrom<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex { .range(from: lowerBound, upTo: nil) }
}

extension PartialRangeUpTo<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex { .range(from: 0, upTo: upperBound) }
}

extension PartialRangeThrough<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: AxisIndex { .range(from: 0, upTo: upperBound == -1 ? nil : upperBound + 1) }
}

extension Tensor {
  /// A view of the chosen elements: `x[0, 1..<3, -1]`. Axes that are not named stay whole.
  ///
  /// Integers take one element and drop the axis; ranges must lie inside; ``Slice`` has steps and
  /// clamps. Negative numbers count from the end. PyTorch: basic indexing.
  public subscript(_ indices: any TensorIndex...) -> Tensor { taking(indices) }

  /// `x[..., 0]`: the indices belong to the last axes.
  public subscript(_ all: UnboundedRange, _ rest: any TensorIndex...) -> Tensor {
    taking([Ellipsis()] + rest)
  }

  /// `x[0, ..., 1]`: one index for the first axis, the rest for the last axes.
  public subscript(
    _ first: any TensorIndex, _ all: UnboundedRange, _ rest: any TensorIndex...
  ) -> Tensor {
    taking([first, Ellipsis()] + rest)
  }

  /// `x[0, 1, ..., 2]`: two indices for the first axes, the rest for the last axes.
  public subscript(
    _ first: any TensorIndex, _ second: any TensorIndex, _ all: UnboundedRange,
    _ rest: any TensorIndex...
  ) -> Tensor {
    taking([first, second, Ellipsis()] + rest)
  }

  /// The view of an array of indices, for callers that do not write them down.
  package func taking(_ indices: [any TensorIndex]) -> Tensor {
    checked { () throws(TensorError) in
      if isPoisoned { return self }
      let places = indices.map(\.axisIndex)
      let shape = shape
      return Tensor(node: node, layout: try layout.taking(places))
        .recorded("subscript", from: [self], runsAtOnce: true) {
          [$0.upstream.spread(over: shape, at: indices)]
        }
    }
  }

  /// Zeros, or another number, in a shape, with these elements where `indices` would take them from.
  func spread(
    over shape: [Int], at indices: [any TensorIndex], filling value: Double = 0
  ) -> Tensor {
    checked { () throws(TensorError) in
      let whole = layout.denseTwin(of: shape)
      let part = try whole.taking(indices.map(\.axisIndex))
      let storage = Storage(byteCount: whole.count * dtype.byteCount)
      if value == 0 {
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
      } else {
        storage.fill(with: Tensor(value).cast(to: dtype))
      }
      if count > 0 {
        var evaluation = Evaluation(shape: part.shape)
        let value = evaluation.value(of: detached())
        evaluation.run(value, dtype, into: storage, part)
      }
      return Tensor(node: Node(stored: storage, dtype: dtype, layout: whole), layout: whole)
        .recorded("subscript", from: [self]) { [$0.upstream.taking(indices)] }
    }
  }
}

extension Storage {
  /// Repeats the bytes of one number.
  fileprivate func fill(with number: Tensor) {
    number.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      var filled = min(bytes.count, byteCount)
      base.copyMemory(from: source, byteCount: filled)
      while filled < byteCount {
        let more = min(filled, byteCount - filled)
        (base + filled).copyMemory(from: base, byteCount: more)
        filled += more
      }
    }
  }
}

extension Layout {
  /// The layout of a view of the chosen elements.
  func taking(_ indices: [AxisIndex]) throws(TensorError) -> Layout {
    let call = "subscript"
    let named = indices.count { $0 != .ellipsis && $0 != .newAxis }
    guard named <= shape.count else {
      throw TensorError(call, "\(named) indices for shape \(shape), which has \(shape.count) axes")
    }
    guard indices.count(where: { $0 == .ellipsis }) <= 1 else {
      throw TensorError(call, "more than one ellipsis")
    }
    var indices = indices
    let place = indices.firstIndex(of: .ellipsis) ?? indices.endIndex
    if place < indices.endIndex { indices.remove(at: place) }
    let whole = AxisIndex.slice(from: nil, upTo: nil, by: 1)
    indices.insert(contentsOf: repeatElement(whole, count: shape.count - named), at: place)

    var (newShape, newStrides, newOffset) = ([Int](), [Int](), offset)
    var axis = 0
    for index in indices {
      if index == .newAxis {
        newShape.append(1)
        newStrides.append(1)
        continue
      }
      let size = shape[axis]
      let (start, count, step) = try index.resolved(size, axis: axis, of: shape, call: call)
      newOffset += start * strides[axis]
      if let count {
        newShape.append(count)
        newStrides.append(strides[axis] * step)
      }
      axis += 1
    }
    return Layout(
      shape: newShape, strides: newStrides, offset: newShape.contains(0) ? 0 : newOffset)
  }
}

extension AxisIndex {
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
            + "\(shape); a Slice clamps its bounds")
      }
      return (start, end - start, 1)
    case .slice(let from, let upTo, let step):
      guard step > 0 else {
        throw TensorError(call, "step \(step) of a slice is not positive")
      }
      func clamp(_ bound: Int) -> Int { min(max(bound < 0 ? bound + size : bound, 0), size) }
      let start = from.map(clamp) ?? 0
      let end = max(upTo.map(clamp) ?? size, start)
      return (start, (end - start + step - 1) / step, step)
    case .ellipsis, .newAxis:
      return (0, size, 1)
    }
  }
}
