/// One number for all spatial axes, or one for each: `2`, `[2, 1]`.
public struct Extents: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// One number, or one for each axis.
  public let values: [Int]

  /// The same number for every axis.
  public init(_ value: Int) { values = [value] }
  /// A number for each axis.
  public init(_ values: [Int]) { self.values = values }
  /// The same number for every axis.
  public init(integerLiteral value: Int) { values = [value] }
  /// A number for each axis.
  public init(arrayLiteral values: Int...) { self.values = values }

  /// A number for each of `count` axes.
  package func expanded(
    _ count: Int, atLeast least: Int, _ name: String, call: String
  ) throws(TensorError) -> [Int] {
    guard values.count == 1 || values.count == count else {
      throw TensorError(call, "\(name) \(values) has \(values.count) numbers for \(count) axes")
    }
    if let wrong = values.first(where: { $0 < least }) {
      throw TensorError(call, "\(name) must be at least \(least), got \(wrong)")
    }
    // Products of two of them fit.
    if let wrong = values.first(where: { $0 > Shape.longestWindow }) {
      throw TensorError(call, "\(name) \(wrong) exceeds the largest possible size of an axis")
    }
    return values.count == count ? values : Array(repeating: values[0], count: count)
  }
}

/// Types that can be passed as ``Extents``: one number for every axis, or an array with a number
/// for each.
///
///     let k = 3
///     conv2d(x, weight: w, stride: k - 1, padding: k / 2)
///     conv2d(x, weight: w, stride: [1, 2])
public protocol ExtentsConvertible {
  /// The numbers of the axes.
  var asExtents: Extents { get }
}

extension Extents: ExtentsConvertible {
  /// These numbers.
  public var asExtents: Extents { self }
}

extension Int: ExtentsConvertible {
  /// This number for every axis.
  public var asExtents: Extents { Extents(self) }
}

extension Array: ExtentsConvertible where Element == Int {
  /// A number for each axis.
  public var asExtents: Extents { Extents(self) }
}
