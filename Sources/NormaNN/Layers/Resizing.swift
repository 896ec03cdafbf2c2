import NormaTensor

/// Resizes the spatial axes. Formula, shapes and cost are those of
/// `interpolate(_:size:scaleFactor:mode:alignCorners:recomputeScaleFactor:)`. PyTorch:
/// `nn.Upsample`.
public final class Upsample: Module, PlacedLayer {
  /// The output sizes; nil if scale factors are given.
  public let size: Extents?
  /// The ratios of output to input sizes.
  public let scaleFactor: [Double]?
  /// How values between elements are interpolated.
  public let mode: InterpolationMode
  /// Whether the first and last elements of input and output coincide.
  public let alignCorners: Bool?
  /// Whether the factor is recomputed from the rounded sizes.
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

/// Pads the spatial axes, as `padded(_:mode:)` does; use the class of a mode and a number of axes,
/// such as ``ReflectionPad2d``.
public class PaddingLayer: Module, PlacedLayer {
  /// The number of elements to add: one number for all sides, or two for each axis, last axis
  /// first.
  public let padding: Extents
  /// The kind of padding.
  var mode: PaddingMode { .zeros }
  /// The number of spatial axes.
  var space: Int { 2 }
  private var name: String { "\(type(of: self))(_:)" }

  /// A layer that adds this many elements.
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

/// Pads with a constant. PyTorch: `nn.ConstantPad1d` to `3d`.
public class ConstantPad: PaddingLayer {
  /// The constant.
  public let value: Double
  override var mode: PaddingMode { .constant(value) }

  /// A layer that adds this many elements with value `value`.
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

/// Pads `[N, C, L]` with zeros. PyTorch: `nn.ZeroPad1d`.
public final class ZeroPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .zeros }
}

/// Pads images with zeros. PyTorch: `nn.ZeroPad2d`.
public final class ZeroPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .zeros }
}

/// Pads volumes with zeros. PyTorch: `nn.ZeroPad3d`.
public final class ZeroPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .zeros }
}

/// Pads `[N, C, L]` with mirrored elements. PyTorch: `nn.ReflectionPad1d`.
public final class ReflectionPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .reflect }
}

/// Pads images with mirrored elements. PyTorch: `nn.ReflectionPad2d`.
public final class ReflectionPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .reflect }
}

/// Pads volumes with mirrored elements. PyTorch: `nn.ReflectionPad3d`.
public final class ReflectionPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .reflect }
}

/// Pads `[N, C, L]` by repeating the outermost elements. PyTorch: `nn.ReplicationPad1d`.
public final class ReplicationPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .replicate }
}

/// Pads images by repeating the outermost elements. PyTorch: `nn.ReplicationPad2d`.
public final class ReplicationPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .replicate }
}

/// Pads volumes by repeating the outermost elements. PyTorch: `nn.ReplicationPad3d`.
public final class ReplicationPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .replicate }
}

/// Pads `[N, C, L]` with elements from the opposite end. PyTorch: `nn.CircularPad1d`.
public final class CircularPad1d: PaddingLayer {
  override var space: Int { 1 }
  override var mode: PaddingMode { .circular }
}

/// Pads images with elements from the opposite end. PyTorch: `nn.CircularPad2d`.
public final class CircularPad2d: PaddingLayer {
  override var space: Int { 2 }
  override var mode: PaddingMode { .circular }
}

/// Pads volumes with elements from the opposite end. PyTorch: `nn.CircularPad3d`.
public final class CircularPad3d: PaddingLayer {
  override var space: Int { 3 }
  override var mode: PaddingMode { .circular }
}
