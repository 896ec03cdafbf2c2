/// The zeros around the input of a convolution: a number for each axis, on both sides, or what
/// keeps the size.
public struct ConvolutionPadding: Sendable, Hashable, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral
{
  /// Nil for ``same``.
  let extents: Extents?

  fileprivate init(extents: Extents?) { self.extents = extents }
  /// So many on both sides of each axis.
  public init(_ extents: Extents) { self.extents = extents }
  /// So many on both sides of every axis.
  public init(integerLiteral value: Int) { extents = Extents(value) }
  /// A number for each axis.
  public init(arrayLiteral values: Int...) { extents = Extents(values) }
}

/// What can stand for ``ConvolutionPadding`` in a call: a number, an array of one for each axis, or
/// `.same` and `.valid`.
public protocol PaddingConvertible {
  /// The padding of the axes.
  var asPadding: ConvolutionPadding { get }
}

extension ConvolutionPadding: PaddingConvertible {
  /// This padding.
  public var asPadding: ConvolutionPadding { self }
}

extension PaddingConvertible where Self == ConvolutionPadding {
  /// As many as keep the size, with stride 1; an odd one is added behind. PyTorch: `'same'`.
  public static var same: ConvolutionPadding { ConvolutionPadding(extents: nil) }
  /// None. PyTorch: `'valid'`.
  public static var valid: ConvolutionPadding { 0 }
}

extension Extents: PaddingConvertible {
  /// So many on both sides of each axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(self) }
}

extension Int: PaddingConvertible {
  /// So many on both sides of every axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(Extents(self)) }
}

extension Array: PaddingConvertible where Element == Int {
  /// A number for both sides of each axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(Extents(self)) }
}

extension ConvolutionPadding {
  /// The elements before and behind each axis, as `padded(_:mode:)` takes them: last axis first.
  package func amounts(
    kernel: [Int], stride: Extents, dilation: Extents, call: String
  ) throws(TensorError) -> [Int] {
    let (before, after) = try sides(
      kernel: kernel, stride: try stride.expanded(kernel.count, atLeast: 1, "stride", call: call),
      dilation: try dilation.expanded(kernel.count, atLeast: 1, "dilation", call: call), call: call)
    return zip(before, after).reversed().flatMap { [$0, $1] }
  }

  /// The elements before and behind each axis.
  func sides(
    kernel: [Int], stride: [Int], dilation: [Int], call: String
  ) throws(TensorError) -> (before: [Int], after: [Int]) {
    if let extents {
      let both = try extents.expanded(kernel.count, atLeast: 0, "padding", call: call)
      return (both, both)
    }
    guard stride.allSatisfy({ $0 == 1 }) else {
      throw TensorError(call, "padding .same needs stride 1, got \(stride)")
    }
    let total = zip(dilation, kernel).map { $0 * ($1 - 1) }
    let before = total.map { $0 / 2 }
    return (before, zip(total, before).map { $0 - $1 })
  }
}
