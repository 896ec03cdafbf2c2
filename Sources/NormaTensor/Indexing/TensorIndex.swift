import NormaValues

/// What `tensor[...]` accepts between brackets: integers, ranges, ``AxisSlice``, ``Ellipsis`` and
/// ``NewAxis``, which make views; tensors and arrays of integers or Booleans, which select
/// elements.
public protocol TensorIndex: Sendable {
  /// The effect of the index on an axis.
  var axisIndex: Tensor.AxisIndex { get }
}

extension Tensor {
  /// The effect of an index, in a common form.
  public enum AxisIndex: Sendable {
    /// Selects one element and drops the axis; negative counts from the end.
    case element(Int)
    /// Selects elements that must exist.
    case range(from: Int, upTo: Int?)
    /// Selects every `by`-th element; bounds are clamped as in Python.
    case slice(from: Int?, upTo: Int?, by: Int)
    /// All axes that no other index names.
    case ellipsis
    /// Adds an axis of size 1.
    case newAxis
    /// Selects elements by integer indices, or where Booleans are true.
    case tensor(Tensor)

    var isEllipsis: Bool {
      if case .ellipsis = self { return true }
      return false
    }

    var isTensor: Bool {
      if case .tensor = self { return true }
      return false
    }

    /// Whether the index selects the whole axis.
    var isWhole: Bool {
      if case .slice(nil, nil, 1) = self { return true }
      return false
    }

    /// How many axes of a tensor the index covers.
    var axisCount: Int {
      switch self {
      case .ellipsis, .newAxis: 0
      case .tensor(let tensor) where tensor.dtype == .bool: tensor.rank
      default: 1
      }
    }
  }
}

/// Every `by`-th element from `from` up to, not including, `to`; bounds may be negative, omitted or
/// out of range as in Python. `x[AxisSlice(from: 1, to: -1, by: 2)]` is PyTorch's `x[1:-1:2]`.
public struct AxisSlice: TensorIndex {
  /// The slice in the common form.
  public let axisIndex: Tensor.AxisIndex

  /// A slice; `by` is positive.
  public init(from: Int? = nil, to: Int? = nil, by step: Int = 1) {
    axisIndex = .slice(from: from, upTo: to, by: step)
  }
}

/// All axes that no other index names, like `...` between brackets.
public struct Ellipsis: TensorIndex {
  /// Creates the index.
  public init() {}
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .ellipsis }
}

/// A new axis of size 1. PyTorch: `None`.
public struct NewAxis: TensorIndex {
  /// Creates the index.
  public init() {}
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .newAxis }
}

extension Int: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .element(self) }
}

extension Range<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .range(from: lowerBound, upTo: upperBound) }
}

extension ClosedRange<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .range(from: lowerBound, upTo: upperBound.end) }
}

extension PartialRangeFrom<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .range(from: lowerBound, upTo: nil) }
}

extension PartialRangeUpTo<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .range(from: 0, upTo: upperBound) }
}

extension PartialRangeThrough<Int>: TensorIndex {
  /// The index in the common form.
  public var axisIndex: Tensor.AxisIndex { .range(from: 0, upTo: upperBound.end) }
}

extension Int {
  /// The end of a range after its last element; nil if that is the axis's last one.
  fileprivate var end: Int? { self == -1 ? nil : self == .max ? .max : self + 1 }
}

extension Tensor: TensorIndex {
  /// Integers select elements by index; Booleans select where they are true.
  public var axisIndex: Tensor.AxisIndex { .tensor(self) }
}

extension Array: TensorIndex where Element: TensorElement {
  /// The indices, or the Booleans, as a tensor.
  public var axisIndex: Tensor.AxisIndex { .tensor(Tensor(self)) }
}
