import NormaTensor

/// Resizes the axes of space; formula, shapes and cost are those of
/// `interpolate(_:size:scaleFactor:mode:alignCorners:recomputeScaleFactor:)`. PyTorch: `nn.Upsample`.
public final class Upsample: Module, PlacedLayer {
  /// The lengths of the result; nil where factors say them.
  public let size: Extents?
  /// Factors to the lengths of the result.
  public let scaleFactor: [Double]?
  /// How values between elements are found.
  public let mode: InterpolationMode
  /// Whether the first and last elements of input and result meet.
  public let alignCorners: Bool?
  /// Whether the factor is that of the rounded lengths.
  public let recomputeScaleFactor: Bool

  /// A layer that resizes to `size`, or by `scaleFactor`.
  public init(
    size: (some ExtentsConvertible)? = Extents?.none, scaleFactor: [Double]? = nil,
    mode: InterpolationMode = .nearest,
    alignCorners: Bool? = nil, recomputeScaleFactor: Bool = false
  ) {
    (self.size, self.scaleFactor, self.mode) = (size?.asExtents, scaleFactor, mode)
    (self.alignCorners, self.recomputeScaleFactor) = (alignCorners, recomputeScaleFactor)
  }

  /// The resized `[N, C, space...]`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.interpolate(
      x, size: size, scaleFactor: scaleFactor, mode: mode, alignCorners: alignCorners,
      recomputeScaleFactor: recomputeScaleFactor, file: file, line: line
    ).observed(by: self, of: x, file, line)
  }
}

/// Adds elements around the axes of space, as `padded(_:mode:)` does; use a class for a mode and a number
/// of axes, such as ``ReflectionPad2d``.
public class PaddingLayer: Module, PlacedLayer {
  /// Elements around the axes of space: one number for all sides, or two for each axis, last axis
  /// first.
  public let padding: Extents
  /// What is added.
  var mode: PaddingMode { .zeros }
  /// The number of axes of space.
  var space: Int { 2 }
  private var name: String { "\(type(of: self))(_:)" }

  /// A layer that adds so many elements.
  public init(_ padding: some ExtentsConvertible) { self.padding = padding.asExtents }

  /// The padded `[N, C, space...]`, or one sample of it.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let amounts = padding.repeated(2 * space)
      guard amounts.count == 2 * space else {
        throw TensorError(name, "padding \(amounts) needs one number or \(2 * space)")
      }
      guard x.isPoisoned || x.rank == space + 1 || x.rank == space + 2 else {
        throw TensorError(
          name, "expected \(space + 1) or \(space + 2) axes, got shape \(x.shape)")
      }
      return x.padded(amounts, mode: mode, file: file, line: line)
    }.observed(by: self, of: x, file, line)
  }
}

/// ``PaddingLayer`` with a number. PyTorch: `nn.ConstantPad1d` to `3d`.
public class ConstantPad: PaddingLayer {
  /// The number.
  public let value: Double
  override var mode: PaddingMode { .constant(value) }

  /// A layer that adds so many elements of `value`.
  public init(_ padding: some ExtentsConvertible, value: Double) {
    self.value = value
    super.init(padding.asExtents)
  }
}

/// ``ConstantPad`` for `[N, C, L]`. PyTorch: `nn.ConstantPad1d`.
public final class ConstantPad1d: ConstantPad { override var space: Int { 1 } }
/// ``ConstantPad`` for images. PyTorch: `nn.ConstantPad2d`.
public final class ConstantPad2d: ConstantPad { override var space: Int { 2 } }
/// ``ConstantPad`` for volumes. PyTorch: `nn.ConstantPad3d`.
public final class ConstantPad3d: ConstantPad { override var space: Int { 3 } }

/// ``PaddingLayer`` of `[N, C, L]` with zeros. PyTorch: `nn.ZeroPad1d`.
public final class ZeroPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .zeros }
}

/// ``PaddingLayer`` of images with zeros. PyTorch: `nn.ZeroPad2d`.
public final class ZeroPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .zeros }
}

/// ``PaddingLayer`` of volumes with zeros. PyTorch: `nn.ZeroPad3d`.
public final class ZeroPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .zeros }
}

/// ``PaddingLayer`` of `[N, C, L]` with mirrored elements. PyTorch: `nn.ReflectionPad1d`.
public final class ReflectionPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .reflect }
}

/// ``PaddingLayer`` of images with mirrored elements. PyTorch: `nn.ReflectionPad2d`.
public final class ReflectionPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .reflect }
}

/// ``PaddingLayer`` of volumes with mirrored elements. PyTorch: `nn.ReflectionPad3d`.
public final class ReflectionPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .reflect }
}

/// ``PaddingLayer`` of `[N, C, L]` with the outermost elements. PyTorch: `nn.ReplicationPad1d`.
public final class ReplicationPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .replicate }
}

/// ``PaddingLayer`` of images with the outermost elements. PyTorch: `nn.ReplicationPad2d`.
public final class ReplicationPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .replicate }
}

/// ``PaddingLayer`` of volumes with the outermost elements. PyTorch: `nn.ReplicationPad3d`.
public final class ReplicationPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .replicate }
}

/// ``PaddingLayer`` of `[N, C, L]` with elements of the other end. PyTorch: `nn.CircularPad1d`.
public final class CircularPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .circular }
}

/// ``PaddingLayer`` of images with elements of the other end. PyTorch: `nn.CircularPad2d`.
public final class CircularPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .circular }
}

/// ``PaddingLayer`` of volumes with elements of the other end. PyTorch: `nn.CircularPad3d`.
public final class CircularPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .circular }
}
