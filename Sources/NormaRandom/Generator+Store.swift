import CNormaLoops
import NormaValues

extension Generator {
  /// Stores a piece of Floats as elements `range` of `out`.
  static func store(
    _ values: UnsafePointer<Float>, _ out: UnsafeMutableRawPointer, _ range: Range<Int>,
    _ dtype: DType
  ) {
    store(values, .float32, out, range, dtype)
  }

  /// Stores a piece of Doubles; those beyond an integer type wrap as PyTorch's casts do.
  static func store(
    _ values: UnsafePointer<Double>, _ out: UnsafeMutableRawPointer, _ range: Range<Int>,
    _ dtype: DType
  ) {
    store(values, .float64, out, range, dtype)
  }

  /// Stores a piece of integers.
  static func store(
    _ values: UnsafePointer<Int64>, _ out: UnsafeMutableRawPointer, _ range: Range<Int>,
    _ dtype: DType
  ) {
    store(values, .int64, out, range, dtype)
  }

  /// Stores a piece of zeros and ones.
  static func store(
    _ mask: UnsafePointer<UInt8>, _ out: UnsafeMutableRawPointer, _ range: Range<Int>,
    _ dtype: DType
  ) {
    // A byte that is 0 or 1 is a Boolean already.
    store(mask, .uint8, out, range, dtype == .bool ? .uint8 : dtype)
  }

  private static func store(
    _ values: UnsafeRawPointer, _ type: DType, _ out: UnsafeMutableRawPointer,
    _ range: Range<Int>, _ dtype: DType
  ) {
    let part = out + range.lowerBound * dtype.byteCount
    if dtype == .float16 || dtype == .bfloat16, type != .float32 {
      // Conversion to the 16-bit types goes through Float, in PyTorch as well.
      withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { buffer in
        guard let floats = buffer.baseAddress else { return }
        convert(values, type, floats, .float32, range.count)
        convert(floats, .float32, part, dtype, range.count)
      }
    } else if dtype.isInteger, dtype.kernelType != dtype, dtype != .uint64, type != dtype.kernelType
    {
      // Narrow integers are the low bits of wider ones.
      withUnsafeTemporaryAllocation(of: Int64.self, capacity: range.count) { buffer in
        guard let wide = buffer.baseAddress else { return }
        convert(values, type, wide, dtype.kernelType, range.count)
        convert(wide, dtype.kernelType, part, dtype, range.count)
      }
    } else {
      convert(values, type, part, dtype, range.count)
    }
  }

  /// Converts elements of one type to another; there must be a loop for the pair.
  static func convert(
    _ values: UnsafeRawPointer, _ from: DType, _ out: UnsafeMutableRawPointer, _ to: DType,
    _ count: Int
  ) {
    if from == to { return out.copyMemory(from: values, byteCount: count * to.byteCount) }
    guard let loop = norma_find_conversion(from.number, to.number) else {
      fatalError("no loop converts \(from) to \(to)")
    }
    withUnsafePointer(to: Optional(values)) { loop(count, $0, out) }
  }
}

extension DType {
  /// The number of this type in the C loops.
  fileprivate var number: Int32 {
    let type =
      switch self {
      case .bool: NORMA_BOOL
      case .uint8: NORMA_U8
      case .int8: NORMA_I8
      case .int16: NORMA_I16
      case .uint16: NORMA_U16
      case .int32: NORMA_I32
      case .uint32: NORMA_U32
      case .int64: NORMA_I64
      case .uint64: NORMA_U64
      case .float16: NORMA_F16
      case .bfloat16: NORMA_BF16
      case .float32: NORMA_F32
      case .float64: NORMA_F64
      }
    return Int32(type.rawValue)
  }
}
