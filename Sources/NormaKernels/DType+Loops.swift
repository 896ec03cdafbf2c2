import CNormaLoops
import NormaValues

extension DType {
  /// The number of a type for which loops over rows are compiled; elements of other types are
  /// converted to their `kernelType` first.
  var loops: Int32 {
    switch self {
    case .float32: Int32(NORMA_F32.rawValue)
    case .float64: Int32(NORMA_F64.rawValue)
    case .int64: Int32(NORMA_I64.rawValue)
    case .int32: Int32(NORMA_I32.rawValue)
    case .uint8, .bool: Int32(NORMA_U8.rawValue)
    default: fatalError("there are no loops of \(self), which is read as \(kernelType)")
    }
  }
}
