import CNormaLoops

/// What a quantile is that falls between two elements a <= b, at the fraction w of the way.
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
  /// The nearer of both; in the middle the one of even rank.
  case nearest

  /// Whether results may be no element.
  var isBetween: Bool { self == .linear || self == .midpoint }

  var number: Int32 {
    switch self {
    case .linear: Int32(NORMA_QUANTILE_LINEAR.rawValue)
    case .lower: Int32(NORMA_QUANTILE_LOWER.rawValue)
    case .higher: Int32(NORMA_QUANTILE_HIGHER.rawValue)
    case .midpoint: Int32(NORMA_QUANTILE_MIDPOINT.rawValue)
    case .nearest: Int32(NORMA_QUANTILE_NEAREST.rawValue)
    }
  }
}
