import NormaTensor

// The subclasses have initializers of their own; see Pooling.swift.

/// (Σ xᵖ)^(1/p) of each window; use ``LPPool1d``, ``LPPool2d`` or ``LPPool3d``.
///
/// Formula, shapes and edge cases are those of
/// ``lpPool2d(_:p:kernelSize:stride:ceilMode:file:line:)``.
public class LPPool: Module, PlacedLayer {
  /// The exponent.
  public let p: Double
  /// The window size and the step between windows; a step of nil is the window size.
  public let kernelSize: Extents, stride: Extents?
  /// Whether the number of windows is rounded up.
  public let ceilMode: Bool

  /// The number of spatial axes.
  var space: Int { 2 }

  init(power p: Double, _ kernelSize: Extents, _ stride: Extents?, _ ceilMode: Bool) {
    (self.p, self.kernelSize, self.stride, self.ceilMode) = (p, kernelSize, stride, ceilMode)
  }

  public override var optionsDescription: String {
    OptionText(p).with("kernelSize", kernelSize).with("stride", stride as Any)
      .with("ceilMode", ceilMode, unless: false).text
  }

  /// The norms of the windows of `[N, C, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    lpPool(
      x, space, p, kernelSize, stride, ceilMode, "LPPool\(space)d(_:)", file, line
    ).observed(by: self, of: x, file, line)
  }
}

/// ``LPPool`` for `[N, C, L]`. PyTorch: `nn.LPPool1d`.
public final class LPPool1d: LPPool {
  override var space: Int { 1 }

  /// A pooling layer with exponent `p`.
  public init(
    _ p: Double, kernelSize: some ExtentsConvertible,
    stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false
  ) {
    super.init(power: p, kernelSize.asExtents, stride?.asExtents, ceilMode)
  }
}

/// ``LPPool`` for images `[N, C, H, W]`. PyTorch: `nn.LPPool2d`.
public final class LPPool2d: LPPool {
  override var space: Int { 2 }

  /// A pooling layer with exponent `p`.
  public init(
    _ p: Double, kernelSize: some ExtentsConvertible,
    stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false
  ) {
    super.init(power: p, kernelSize.asExtents, stride?.asExtents, ceilMode)
  }
}

/// ``LPPool`` for volumes `[N, C, D, H, W]`. PyTorch: `nn.LPPool3d`.
public final class LPPool3d: LPPool {
  override var space: Int { 3 }

  /// A pooling layer with exponent `p`.
  public init(
    _ p: Double, kernelSize: some ExtentsConvertible,
    stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false
  ) {
    super.init(power: p, kernelSize.asExtents, stride?.asExtents, ceilMode)
  }
}

/// (Σ xᵖ)^(1/p) over each window of `[N, C, H, W]`, or of one sample without N.
///
/// It uses x rather than |x|: a negative x to a power that is not an integer is NaN, and a negative
/// sum has no root. Where the sum is 0, the gradient is 0. Powers are taken in `float64`; sums are
/// those of `avgPool2d(_:kernelSize:stride:padding:ceilMode:countIncludePad:divisorOverride:)`.
/// With `ceilMode`, a window that extends beyond the edge is scaled as if it were full, as in
/// PyTorch. PyTorch: `F.lp_pool2d`.
public func lpPool2d(
  _ x: Tensor, p: Double, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  lpPool(
    x, 2, p, kernelSize.asExtents, stride?.asExtents, ceilMode, "lpPool2d(_:p:kernelSize:)", file,
    line)
}

/// (Σ xᵖ)^(1/p) over each window of `[N, C, L]`; see
/// ``lpPool2d(_:p:kernelSize:stride:ceilMode:file:line:)``. PyTorch: `F.lp_pool1d`.
public func lpPool1d(
  _ x: Tensor, p: Double, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  lpPool(
    x, 1, p, kernelSize.asExtents, stride?.asExtents, ceilMode, "lpPool1d(_:p:kernelSize:)", file,
    line)
}

/// (Σ xᵖ)^(1/p) over each window of `[N, C, D, H, W]`; see
/// ``lpPool2d(_:p:kernelSize:stride:ceilMode:file:line:)``. PyTorch: `F.lp_pool3d`.
public func lpPool3d(
  _ x: Tensor, p: Double, kernelSize: some ExtentsConvertible,
  stride: (some ExtentsConvertible)? = Extents?.none, ceilMode: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  lpPool(
    x, 3, p, kernelSize.asExtents, stride?.asExtents, ceilMode, "lpPool3d(_:p:kernelSize:)", file,
    line)
}

private func lpPool(
  _ x: Tensor, _ space: Int, _ p: Double, _ kernelSize: Extents, _ stride: Extents?,
  _ ceilMode: Bool, _ call: String, _ file: StaticString, _ line: UInt
) -> Tensor {
  checked(file: file, line: line, call: call) { () throws(TensorError) in
    if x.isPoisoned { return x }
    guard p > 0, p < .infinity else {
      throw TensorError(call, "p must be positive and finite, got \(p)")
    }
    guard x.dtype.isFloatingPoint else {
      throw TensorError(call, "\(x.dtype) is not a real type; cast(to: .float32) first")
    }
    let count = try kernelSize.expanded(space, atLeast: 1, "kernelSize", call: call)
      .reduce(1.0) { $0 * Double($1) }
    // Zero has no logarithm, and the slope of its power is 0. Powers of half types can leave their
    // range.
    let isHalf = x.dtype == .float16 || x.dtype == .bfloat16
    let powers = power(x.cast(to: .float64), p).cast(to: isHalf ? .float32 : x.dtype)
    let means = avgPool(
      powers, space: space, kernelSize: kernelSize, stride: stride, padding: 0,
      ceilMode: ceilMode, countIncludePad: true, divisorOverride: nil, call: call, file: file,
      line: line)
    return power(means.cast(to: .float64) * count, 1 / p).cast(to: x.dtype)
  }
}

/// xᵖ, with slope 0 at 0 where roots have none.
private func power(_ x: Tensor, _ p: Double) -> Tensor {
  if p >= 1 { return pow(x, p) }
  let isZero = x .== 0
  return Tensor.where(isZero, 0, pow(Tensor.where(isZero, 1, x), p))
}
