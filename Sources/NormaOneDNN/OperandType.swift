import COneDNN

/// The element types that oneDNN multiplies; sums are carried in `float32` and rounded once.
package enum OperandType: Hashable, Sendable {
  case float32, bfloat16

  var number: norma_onednn_type {
    switch self {
    case .float32: NORMA_ONEDNN_F32
    case .bfloat16: NORMA_ONEDNN_BF16
    }
  }
}
