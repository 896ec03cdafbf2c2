import NormaTensor

// Dropout makes PyTorch's draws from the default generator: with the same seed the same elements
// are dropped, in row-major order.

extension Tensor {
  /// Zeros each element with probability `p` and divides the others by 1 - p, in training.
  ///
  /// A dropped element is 0 whatever its value, and so is its gradient; PyTorch gives NaN where it
  /// was infinite or NaN. The mask is drawn immediately; the product is pending. PyTorch:
  /// `F.dropout`.
  public static func dropout(
    _ x: Tensor, p: Double = 0.5, training: Bool = true, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    dropping(x, p, training, axes: x.rank, "dropout(_:p:)", file, line)
  }
}

/// One draw for each position of the first `axes` axes.
private func dropping(
  _ x: Tensor, _ p: Double, _ training: Bool, axes: Int, _ call: String, _ file: StaticString,
  _ line: UInt
) -> Tensor {
  checked(file: file, line: line, call: call) { () throws(TensorError) in
    try checkProbability(p, call)
    if x.isPoisoned || !training || p == 0 || x.count == 0 { return x }
    if p == 1 { return allDropped(x) }
    let mask = noise(x, axes, p)
    // The product alone would turn an infinite element into NaN.
    return Tensor.where(mask .== 0.0, 0.0, x * (mask / (1 - p)))
  }
}

/// Zeros that depend on `x` for gradients.
private func allDropped(_ x: Tensor) -> Tensor { Tensor.where(.zeros([], dtype: .bool), x, 0.0) }

func checkProbability(_ p: Double, _ call: String) throws(TensorError) {
  guard (0...1).contains(p) else {
    throw TensorError(call, "a probability must be in 0...1, got \(p)")
  }
}

private func noise(_ x: Tensor, _ axes: Int, _ p: Double) -> Tensor {
  let shape = x.shape.indices.map { $0 < axes ? x.shape[$0] : 1 }
  return Tensor.bernoulli(shape, p: 1 - p, dtype: x.dtype)
}

/// The base class of dropout layers, which do nothing in evaluation.
public class DropoutLayer: Module, PlacedLayer {
  /// The probability that an element is dropped.
  public let p: Double

  /// The number of leading axes whose positions are drawn separately; nil for all axes.
  var drawnAxes: Int? { nil }

  /// A layer that drops with probability `p`.
  public init(_ p: Double = 0.5) { self.p = p }

  /// `x` with elements dropped in training.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    dropped(x, file, line).observed(by: self, of: x, file, line)
  }

  func dropped(_ x: Tensor, _ file: StaticString, _ line: UInt) -> Tensor {
    dropping(
      x, p, isTraining, axes: drawnAxes.map { min($0, x.rank) } ?? x.rank,
      "\(Self.self)(_:)", file, line)
  }
}

/// Drops single elements with ``NormaTensor/Tensor/dropout(_:p:training:file:line:)``. PyTorch:
/// `nn.Dropout`.
public final class Dropout: DropoutLayer {}

/// Dropout of whole channels of `[N, C, L]`. PyTorch: `nn.Dropout1d`.
public final class Dropout1d: DropoutLayer {
  override var drawnAxes: Int? { 2 }
}

/// Dropout of whole channels of `[N, C, H, W]`. PyTorch: `nn.Dropout2d`.
public final class Dropout2d: DropoutLayer {
  override var drawnAxes: Int? { 2 }
}

/// Dropout of whole channels of `[N, C, D, H, W]`. PyTorch: `nn.Dropout3d`.
public final class Dropout3d: DropoutLayer {
  override var drawnAxes: Int? { 2 }
}

/// Dropout that keeps mean 0 and variance 1 after SELU: dropped elements become SELU's lower limit,
/// and everything is scaled and shifted. PyTorch: `nn.AlphaDropout`.
public class AlphaDropout: DropoutLayer {
  override func dropped(_ x: Tensor, _ file: StaticString, _ line: UInt) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try checkProbability(p, "\(Self.self)(_:)")
      if x.isPoisoned || !isTraining || p == 0 || x.count == 0 { return x }
      if p == 1 { return allDropped(x) }
      let alpha = 1.7580993408473766
      let scale = 1 / ((alpha * alpha * p + 1) * (1 - p)).squareRoot()
      let mask = noise(x, drawnAxes ?? x.rank, p)
      let rest = (mask - 1) * (alpha * scale) + alpha * scale * p
      return Tensor.where(mask .== 0.0, rest, x * (mask * scale) + rest)
    }
  }
}

/// ``AlphaDropout`` of whole channels. PyTorch: `nn.FeatureAlphaDropout`.
public final class FeatureAlphaDropout: AlphaDropout {
  override var drawnAxes: Int? { 2 }
}
