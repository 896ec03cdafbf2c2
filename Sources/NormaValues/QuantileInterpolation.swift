/// How a quantile is computed when it falls between two elements a <= b, at the fraction w of the
/// distance.
///
/// PyTorch: `interpolation` of `torch.quantile`; NumPy: `method`.
public enum QuantileInterpolation: String, Sendable, Hashable, CaseIterable, Codable {
  /// a + w (b - a).
  case linear
  /// a.
  case lower
  /// b.
  case higher
  /// (a + b) / 2.
  case midpoint
  /// The nearer of the two; halfway between, the one of even rank.
  case nearest
}
