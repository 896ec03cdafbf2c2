/// The zeros around the input of a convolution: one number for both sides of each axis, or whatever
/// preserves the size.
public struct ConvolutionPadding: Sendable, Hashable, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral
{
  /// Nil for ``same``.
  let extents: Extents?

  fileprivate init(extents: Extents?) { self.extents = extents }
  /// The padding on both sides of each axis.
  public init(_ extents: Extents) { self.extents = extents }
  /// The same padding on both sides of every axis.
  public init(integerLiteral value: Int) { extents = Extents(value) }
  /// One number for each axis.
  public init(arrayLiteral values: Int...) { extents = Extents(values) }
}

/// Types that can be passed as ``ConvolutionPadding``: a number, an array of one for each axis, or
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
  /// Padding that preserves the size, with stride 1; an odd element is added after the input.
  /// PyTorch: `'same'`.
  public static var same: ConvolutionPadding { ConvolutionPadding(extents: nil) }
  /// No padding. PyTorch: `'valid'`.
  public static var valid: ConvolutionPadding { 0 }
}

extension Extents: PaddingConvertible {
  /// The padding on both sides of each axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(self) }
}

extension Int: PaddingConvertible {
  /// The same padding on both sides of every axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(Extents(self)) }
}

extension Array: PaddingConvertible where Element == Int {
  /// One number for both sides of each axis.
  public var asPadding: ConvolutionPadding { ConvolutionPadding(Extents(self)) }
}

extension ConvolutionPadding {
  /// The padding before and after each axis, as `padded(_:mode:)` takes it: last axis first.
  package func amounts(
    kernel: [Int], stride: Extents, dilation: Extents, call: String
  ) throws(TensorError) -> [Int] {
    let (before, after) = try sides(
      kernel: kernel, stride: try stride.expanded(kernel.count, atLeast: 1, "stride", call: call),
      dilation: try dilation.expanded(kernel.count, atLeast: 1, "dilation", call: call), call: call)
    return zip(before, after).reversed().flatMap { [$0, $1] }
  }

  /// The padding before and after each axis.
  func sides(
    kernel: [Int], stride: [Int], dilation: [Int], call: String
  ) throws(TensorError) -> (before: [Int], after: [Int]) {
    if let extents {
      let both = try extents.expanded(kernel.count, atLeast: 0, "padding", call: call)
      return (both, both)
    }
    guard stride.allSatisfy({ $0 == 1 }) else {
      throw TensorError(call, "padding .same requires stride 1, got \(stride)")
    }
    let total = zip(dilation, kernel).map { $0 * ($1 - 1) }
    let before = total.map { $0 / 2 }
    return (before, zip(total, before).map { $0 - $1 })
  }
}
