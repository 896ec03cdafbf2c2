import CNormaLoops
import NormaValues

extension QuantileInterpolation {
  /// Whether results may fall between elements.
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
