import NormaTensor

// Dropout draws PyTorch's numbers from the default generator: after the same seed the same elements
// are dropped, counted in row-major order.

extension Tensor {
  /// Zeros each element with probability `p` and divides the others by 1 - p, in training.
  ///
  /// What is dropped is 0 whatever it was, and so is its gradient; PyTorch has NaN where it was infinite or NaN. The mask
  /// is drawn at once; the product is pending. PyTorch: `F.dropout`.
  public static func dropout(
    _ x: Tensor, p: Double = 0.5, training: Bool = true, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    dropping(x, p, training, axes: x.rank, "dropout(_:p:)", file, line)
  }
}

/// One draw for each of the first `axes` axes' positions.
private func dropping(
  _ x: Tensor, _ p: Double, _ training: Bool, axes: Int, _ call: String, _ file: StaticString,
  _ line: UInt
) -> Tensor {
  checked(file: file, line: line, call: call) { () throws(TensorError) in
    try checkProbability(p, call)
    if x.isPoisoned || !training || p == 0 || x.count == 0 { return x }
    if p == 1 { return allDropped(x) }
    let mask = noise(x, axes, p)
    // A product alone would make NaN of an infinite element.
    return Tensor.where(mask .== 0.0, 0.0, x * (mask / (1 - p)))
  }
}

/// Zeros with the history of `x`.
private func allDropped(_ x: Tensor) -> Tensor { Tensor.where(.zeros([], dtype: .bool), x, 0.0) }

private func checkProbability(_ p: Double, _ call: String) throws(TensorError) {
  guard (0...1).contains(p) else {
    throw TensorError(call, "a probability lies in 0...1, got \(p)")
  }
}

private func noise(_ x: Tensor, _ axes: Int, _ p: Double) -> Tensor {
  let shape = x.shape.indices.map { $0 < axes ? x.shape[$0] : 1 }
  return Tensor.bernoulli(shape, p: 1 - p, dtype: x.dtype)
}

/// The base of the dropout layers: nothing happens in evaluation.
public class DropoutLayer: Module, PlacedLayer {
  /// The probability of being dropped.
  public let p: Double

  /// The number of axes of the input whose positions are drawn one by one; nil for all.
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

/// ``NormaTensor/Tensor/dropout(_:p:training:file:line:)`` of single elements. PyTorch: `nn.Dropout`.
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

/// Dropout that keeps mean 0 and variance 1, behind SELU: what is dropped becomes SELU's limit, and
/// everything is scaled and moved. PyTorch: `nn.AlphaDropout`.
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
