import NormaTensor

/// The Swift types whose arithmetic the integer types are compared with.
typealias Whole = FixedWidthInteger & TensorElement

extension DType {
  static let integers = DType.allCases.filter(\.isInteger)

  /// The Swift type of an integer type.
  var whole: any Whole.Type {
    switch self {
    case .uint8: UInt8.self
    case .int8: Int8.self
    case .int16: Int16.self
    case .uint16: UInt16.self
    case .int32: Int32.self
    case .uint32: UInt32.self
    case .uint64: UInt64.self
    default: Int64.self
    }
  }
}

/// Numbers at both ends of a type and around zero, and some in between, enough for full vectors and
/// a remainder.
func edges<T: Whole>(_ type: T.Type) -> [T] {
  let near: [T] = [0, 1, 2, 3, 5, 7, 100, 127]
  let ends: [T] = [T.max, T.max - 1, T.max / 2, T.max / 2 + 1, T.min, T.min + 1, T.min / 2]
  return near + ends + (T.isSigned ? near.map { 0 &- $0 } : near.map { 0 &- $0 })
}

/// All pairs of such numbers.
func pairs<T: Whole>(_ type: T.Type) -> (a: [T], b: [T]) {
  let values = edges(type)
  return (values.flatMap { a in values.map { _ in a } }, values.flatMap { _ in values })
}

/// Operand layouts: strided, contiguous, few elements and many.
func arranged<T: Whole>(_ values: [T]) -> [Tensor] {
  let plain = Tensor(values)
  let apart = Tensor(values.flatMap { [$0, 1] }, shape: [values.count, 2])
  return [plain, apart[0..., 0]]
}
