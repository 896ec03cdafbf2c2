import NormaTensor

// The subclasses have initializers of their own, as inherited ones lose the default values of their
// generic parameters.

/// The largest element of each window; use ``MaxPool1d``, ``MaxPool2d`` or ``MaxPool3d``.
///
/// Formula, shapes and cost are those of
/// `maxPool2d(_:kernelSize:stride:padding:dilation:ceilMode:)`.
public class MaxPool: Module, PlacedLayer {
  /// The window size, the step between windows, the padding around the input (with -inf), and the
  /// distance between elements of a window. A step of nil is the window size.
  public let kernelSize: Extents, stride: Extents?, padding: Extents, dilation: Extents
  /// Whether the number of windows is rounded up.
  public let ceilMode: Bool

  /// The number of spatial axes.
  var space: Int { 2 }

  init(
    window kernelSize: Extents, _ stride: Extents?, _ padding: Extents, _ dilation: Extents,
    _ ceilMode: Bool
  ) {
    (self.kernelSize, self.stride, self.padding) = (kernelSize, stride, padding)
    (self.dilation, self.ceilMode) = (dilation, ceilMode)
  }

  public override var optionsDescription: String {
    OptionText().with("kernelSize", kernelSize).with("stride", stride as Any)
      .with("padding", padding, unless: 0).with("dilation", dilation, unless: 1)
      .with("ceilMode", ceilMode, unless: false).text
  }

  /// The largest elements of the windows of `[N, C, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    pooled(x, needsIndices: false, file, line).values.observed(by: self, of: x, file, line)
  }

  /// The largest elements and their indices among the spatial elements. PyTorch:
  /// `return_indices=True`.
  public func withIndices(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    pooled(x, needsIndices: true, file, line)
  }

  private func pooled(
    _ x: Tensor, needsIndices: Bool, _ file: StaticString, _ line: UInt
  ) -> (values: Tensor, indices: Tensor) {
    maxPool(
      x, space: space, kernelSize: kernelSize, stride: stride, padding: padding,
      dilation: dilation, ceilMode: ceilMode, needsIndices: needsIndices,
      call: "MaxPool\(space)d(_:)", file: file, line: line)
  }
}

/// ``MaxPool`` for `[N, C, L]`. PyTorch: `nn.MaxPool1d`.
public final class MaxPool1d: MaxPool {
  override var space: Int { 1 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, dilation: some ExtentsConvertible = 1,
    ceilMode: Bool = false
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, dilation.asExtents,
      ceilMode)
  }
}

/// ``MaxPool`` for images `[N, C, H, W]`. PyTorch: `nn.MaxPool2d`.
public final class MaxPool2d: MaxPool {
  override var space: Int { 2 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, dilation: some ExtentsConvertible = 1,
    ceilMode: Bool = false
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, dilation.asExtents,
      ceilMode)
  }
}

/// ``MaxPool`` for volumes `[N, C, D, H, W]`. PyTorch: `nn.MaxPool3d`.
public final class MaxPool3d: MaxPool {
  override var space: Int { 3 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, dilation: some ExtentsConvertible = 1,
    ceilMode: Bool = false
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, dilation.asExtents,
      ceilMode)
  }
}

/// The mean of each window; use ``AvgPool1d``, ``AvgPool2d`` or ``AvgPool3d``.
///
/// Formula, shapes and cost are those of
/// `avgPool2d(_:kernelSize:stride:padding:ceilMode:countIncludePad:divisorOverride:)`.
public class AvgPool: Module, PlacedLayer {
  /// The window size, the step between windows and the zero padding around the input. A step of nil
  /// is the window size.
  public let kernelSize: Extents, stride: Extents?, padding: Extents
  /// Whether the number of windows is rounded up, and whether means count the padding's zeros.
  public let ceilMode: Bool, countIncludePad: Bool
  /// A divisor for the sums, used instead of the number of elements.
  public let divisorOverride: Int?

  /// The number of spatial axes.
  var space: Int { 2 }

  init(
    window kernelSize: Extents, _ stride: Extents?, _ padding: Extents, _ ceilMode: Bool,
    _ countIncludePad: Bool, _ divisorOverride: Int?
  ) {
    (self.kernelSize, self.stride, self.padding) = (kernelSize, stride, padding)
    (self.ceilMode, self.countIncludePad) = (ceilMode, countIncludePad)
    self.divisorOverride = divisorOverride
  }

  public override var optionsDescription: String {
    OptionText().with("kernelSize", kernelSize).with("stride", stride as Any)
      .with("padding", padding, unless: 0).with("ceilMode", ceilMode, unless: false)
      .with("countIncludePad", countIncludePad, unless: true)
      .with("divisorOverride", divisorOverride as Any).text
  }

  /// The means of the windows of `[N, C, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    avgPool(
      x, space: space, kernelSize: kernelSize, stride: stride, padding: padding,
      ceilMode: ceilMode, countIncludePad: countIncludePad, divisorOverride: divisorOverride,
      call: "AvgPool\(space)d(_:)", file: file, line: line
    ).observed(by: self, of: x, file, line)
  }
}

/// ``AvgPool`` for `[N, C, L]`. PyTorch: `nn.AvgPool1d`.
public final class AvgPool1d: AvgPool {
  override var space: Int { 1 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, ceilMode: Bool = false, countIncludePad: Bool = true,
    divisorOverride: Int? = nil
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, ceilMode,
      countIncludePad, divisorOverride)
  }
}

/// ``AvgPool`` for images `[N, C, H, W]`. PyTorch: `nn.AvgPool2d`.
public final class AvgPool2d: AvgPool {
  override var space: Int { 2 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, ceilMode: Bool = false, countIncludePad: Bool = true,
    divisorOverride: Int? = nil
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, ceilMode,
      countIncludePad, divisorOverride)
  }
}

/// ``AvgPool`` for volumes `[N, C, D, H, W]`. PyTorch: `nn.AvgPool3d`.
public final class AvgPool3d: AvgPool {
  override var space: Int { 3 }

  /// A pooling layer with PyTorch's defaults.
  public init(
    kernelSize: some ExtentsConvertible, stride: (some ExtentsConvertible)? = Extents?.none,
    padding: some ExtentsConvertible = 0, ceilMode: Bool = false, countIncludePad: Bool = true,
    divisorOverride: Int? = nil
  ) {
    super.init(
      window: kernelSize.asExtents, stride?.asExtents, padding.asExtents, ceilMode,
      countIncludePad, divisorOverride)
  }
}

/// The mean over windows that divide each axis evenly; use ``AdaptiveAvgPool1d``, `2d` or `3d`.
public class AdaptiveAvgPool: Module, PlacedLayer {
  /// The number of windows along each axis; nil keeps the input's size.
  public let outputSize: AdaptiveSize

  /// The number of spatial axes.
  var space: Int { 2 }

  /// A pooling layer with `outputSize` windows.
  public init(_ outputSize: some AdaptiveSizeConvertible) {
    self.outputSize = outputSize.asAdaptiveSize
  }

  /// The means of the windows of `[N, C, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    adaptiveAvgPool(
      x, space: space, outputSize: outputSize, call: "AdaptiveAvgPool\(space)d(_:)", file: file,
      line: line
    ).observed(by: self, of: x, file, line)
  }
}

/// ``AdaptiveAvgPool`` for `[N, C, L]`. PyTorch: `nn.AdaptiveAvgPool1d`.
public final class AdaptiveAvgPool1d: AdaptiveAvgPool { override var space: Int { 1 } }
/// ``AdaptiveAvgPool`` for images `[N, C, H, W]`. PyTorch: `nn.AdaptiveAvgPool2d`.
public final class AdaptiveAvgPool2d: AdaptiveAvgPool { override var space: Int { 2 } }
/// ``AdaptiveAvgPool`` for volumes `[N, C, D, H, W]`. PyTorch: `nn.AdaptiveAvgPool3d`.
public final class AdaptiveAvgPool3d: AdaptiveAvgPool { override var space: Int { 3 } }

/// The largest element of windows that divide each axis evenly; use ``AdaptiveMaxPool1d``, `2d` or
/// `3d`.
public class AdaptiveMaxPool: Module, PlacedLayer {
  /// The number of windows along each axis; nil keeps the input's size.
  public let outputSize: AdaptiveSize

  /// The number of spatial axes.
  var space: Int { 2 }

  /// A pooling layer with `outputSize` windows.
  public init(_ outputSize: some AdaptiveSizeConvertible) {
    self.outputSize = outputSize.asAdaptiveSize
  }

  /// The largest elements of the windows of `[N, C, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    pooled(x, needsIndices: false, file, line).values.observed(by: self, of: x, file, line)
  }

  /// The largest elements and their indices among the spatial elements. PyTorch:
  /// `return_indices=True`.
  public func withIndices(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    pooled(x, needsIndices: true, file, line)
  }

  private func pooled(
    _ x: Tensor, needsIndices: Bool, _ file: StaticString, _ line: UInt
  ) -> (values: Tensor, indices: Tensor) {
    adaptiveMaxPool(
      x, space: space, outputSize: outputSize, needsIndices: needsIndices,
      call: "AdaptiveMaxPool\(space)d(_:)", file: file, line: line)
  }
}

/// ``AdaptiveMaxPool`` for `[N, C, L]`. PyTorch: `nn.AdaptiveMaxPool1d`.
public final class AdaptiveMaxPool1d: AdaptiveMaxPool { override var space: Int { 1 } }
/// ``AdaptiveMaxPool`` for images `[N, C, H, W]`. PyTorch: `nn.AdaptiveMaxPool2d`.
public final class AdaptiveMaxPool2d: AdaptiveMaxPool { override var space: Int { 2 } }
/// ``AdaptiveMaxPool`` for volumes `[N, C, D, H, W]`. PyTorch: `nn.AdaptiveMaxPool3d`.
public final class AdaptiveMaxPool3d: AdaptiveMaxPool { override var space: Int { 3 } }
