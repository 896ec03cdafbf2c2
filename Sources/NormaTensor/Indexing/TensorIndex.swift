import NormaValues

/// What can stand between the brackets of `tensor[...]`: integers, ranges, ``AxisSlice``, ``Ellipsis`` and
/// ``NewAxis``, which see a part; tensors and arrays of integers or truth values, which pick elements.
public protocol TensorIndex: Sendable {
  /// What the index does to an axis.
  var axisIndex: Tensor.AxisIndex { get }
}

extension Tensor {
  /// What an index does, in one form.
  public enum AxisIndex: Sendable {
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
    /// Picks elements by their places, integers, or where truth values hold.
    case tensor(Tensor)

    var isEllipsis: Bool {
      if case .ellipsis = self { return true }
      return false
    }

    var isTensor: Bool {
      if case .tensor = self { return true }
      return false
    }

    /// Whether the index changes nothing.
    var isWhole: Bool {
      if case .slice(nil, nil, 1) = self { return true }
      return false
    }

    /// How many axes of a tensor the index is for.
    var axisCount: Int {
      switch self {
      case .ellipsis, .newAxis: 0
      case .tensor(let tensor) where tensor.dtype == .bool: tensor.rank
      default: 1
      }
    }
  }
}

/// Every `by`-th element from `from` up to, not including, `to`; bounds may be negative, missing or
/// out of range as in Python. `x[AxisSlice(from: 1, to: -1, by: 2)]` is PyTorch's `x[1:-1:2]`.
public struct AxisSlice: TensorIndex {
  /// The slice in the common form.
  public let axisIndex: Tensor.AxisIndex

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
  public var axisIndex: Tensor.AxisIndex { .ellipsis }
}

/// A new axis of size 1. PyTorch: `None`.
public struct NewAxis: TensorIndex {
  /// The only one.
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
  /// Behind the last element of a range; nil where that is the axis's last one.
  fileprivate var end: Int? { self == -1 ? nil : self == .max ? .max : self + 1 }
}

extension Tensor: TensorIndex {
  /// Integers pick elements by their places; truth values pick where they hold.
  public var axisIndex: Tensor.AxisIndex { .tensor(self) }
}

extension Array: TensorIndex where Element: TensorElement {
  /// The places, or the truth values, as a tensor.
  public var axisIndex: Tensor.AxisIndex { .tensor(Tensor(self)) }
}
