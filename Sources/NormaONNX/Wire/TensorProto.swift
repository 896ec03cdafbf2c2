import NormaFiles
import NormaTensor

/// A tensor in a file: its type and shape, and where its elements are.
struct TensorProto {
  var name = ""
  var dims: [Int64] = []
  var dataType = 0
  /// The elements as little-endian bytes.
  var raw: Range<Int>?
  /// The elements in a field for their type: its number, and where the numbers are.
  var typed: (field: Int, ranges: [Range<Int>]) = (0, [])
  /// Where the elements are in another file: `location`, `offset`, `length`.
  var external: [String: String] = [:]
  var isExternal = false
  let source: WireSource

  init(_ reader: WireReader) throws {
    var reader = reader
    source = reader.source
    while let field = try reader.next() {
      switch field.number {
      case 1: try reader.integers(field, into: &dims)
      case 2: dataType = Int(try reader.integer(field))
      case 4: try add(reader.numbers(field, .fixed32), field, reader)
      case 5, 7, 11: try add(reader.numbers(field, .varint), field, reader)
      case 6: try add(reader.range(field), field, reader)
      case 8: name = try reader.string(field)
      case 9: raw = try reader.range(field)
      case 10: try add(reader.numbers(field, .fixed64), field, reader)
      case 13:
        let (key, value) = try reader.message(field).pair()
        external[key] = value
      case 14: isExternal = try reader.integer(field) == 1
      default: try reader.skip(field)
      }
    }
  }

  private mutating func add(
    _ range: Range<Int>, _ field: WireReader.Field, _ reader: WireReader
  ) throws {
    guard typed.ranges.isEmpty || typed.field == field.number else {
      throw reader.damaged("tensor \(quoted(name)) has elements of two types")
    }
    typed.field = field.number
    typed.ranges.append(range)
  }

  /// The element type, or nil for one that tensors do not have.
  var dtype: DType? { ElementType(rawValue: dataType)?.dtype }

  /// The length of each axis; throws for lengths that no tensor has.
  func shape() throws -> [Int] {
    let shape = try dims.map { length in
      guard length >= 0, length <= Int64(Int.max) else {
        throw error("has an absurd shape", "\(dims) of tensor \(quoted(name))")
      }
      return Int(length)
    }
    try source.file.context.checkAxes(shape)
    _ = try count(of: shape)
    return shape
  }

  /// The number of elements; the product of the nonzero lengths must not overflow either.
  private func count(of shape: [Int]) throws -> Int {
    var product = 1
    for length in shape where length > 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: length)
      if overflow || next > Int.max / 64 {
        throw error("has an absurd shape", "\(shape) of tensor \(quoted(name))")
      }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }

  func error(_ problem: String, _ detail: String) -> FileError {
    source.file.context.malformed(problem, detail)
  }

  /// Reads the elements.
  ///
  /// - Parameter folder: the only folder whose files may hold elements; nil for none.
  func tensor(in folder: String?) throws -> Tensor {
    guard let dtype else {
      throw source.file.context.unsupported(
        "holds a tensor of \(ElementType.name(of: dataType))", "\(quoted(name)); tensors hold none")
    }
    let shape = try shape()
    let count = try count(of: shape)
    let byteCount = count * dtype.byteCount
    if isExternal {
      let (file, offset) = try ExternalData.file(of: self, byteCount: byteCount, folder: folder)
      return try Tensor(shape: shape, dtype: dtype) {
        try file.read(at: offset, into: $0, for: source.file.context)
        if dtype == .bool { normalizeTruth($0) }
      }
    }
    if let raw {
      guard raw.count == byteCount, typed.ranges.isEmpty else {
        throw error(
          "is damaged", "tensor \(quoted(name)) of \(shape) has \(raw.count) bytes of \(dtype)")
      }
      return try Tensor(shape: shape, dtype: dtype) {
        try source.file.read(at: raw.lowerBound, into: $0, for: source.file.context)
        if dtype == .bool { normalizeTruth($0) }
      }
    }
    return try typedTensor(shape, dtype, count)
  }

  private func normalizeTruth(_ bytes: UnsafeMutableRawBufferPointer) {
    for index in bytes.indices where bytes[index] > 1 { bytes[index] = 1 }
  }

  /// The elements of `float_data`, `int32_data`, `int64_data`, `double_data` or `uint64_data`.
  private func typedTensor(_ shape: [Int], _ dtype: DType, _ count: Int) throws -> Tensor {
    let (field, size): (Int, Int?) =
      switch dtype {
      case .float32: (4, 4)
      case .float64: (10, 8)
      case .int64: (7, nil)
      case .uint32, .uint64: (11, nil)
      default: (5, nil)
      }
    let bytes = typed.ranges.reduce(0) { $0 + $1.count }
    // A varint has at least one byte, so that no memory is taken on the word of a shape.
    guard typed.field == field || count == 0 && typed.ranges.isEmpty,
      size.map({ bytes == count * $0 }) ?? (bytes >= count)
    else {
      throw error(
        "is damaged",
        "tensor \(quoted(name)) of \(shape) has \(bytes) bytes in field \(typed.field)")
    }
    return try Tensor(shape: shape, dtype: dtype) { target in
      var done = 0
      for range in typed.ranges {
        if size != nil {
          try source.file.read(
            at: range.lowerBound,
            into: UnsafeMutableRawBufferPointer(rebasing: target[done..<done + range.count]),
            for: source.file.context)
          done += range.count
          continue
        }
        var reader = WireReader.numbers(source, in: range)
        while reader.position < reader.end {
          let bits = try reader.rawVarint()
          guard done < target.count else { throw wrongCount(shape) }
          withUnsafeBytes(of: dtype == .bool ? (bits == 0 ? 0 : 1) : bits.littleEndian) {
            for index in 0..<dtype.byteCount { target[done + index] = $0[index] }
          }
          done += dtype.byteCount
        }
      }
      if done < target.count { throw wrongCount(shape) }
    }
  }

  private func wrongCount(_ shape: [Int]) -> FileError {
    error("is damaged", "tensor \(quoted(name)) has another number of elements than \(shape)")
  }
}

/// The element types of ONNX.
struct ElementType: RawRepresentable, Hashable {
  let rawValue: Int

  private static let all: [Int: (name: String, dtype: DType?)] = [
    1: ("float32", .float32), 2: ("uint8", .uint8), 3: ("int8", .int8), 4: ("uint16", .uint16),
    5: ("int16", .int16), 6: ("int32", .int32), 7: ("int64", .int64), 8: ("strings", nil),
    9: ("bool", .bool), 10: ("float16", .float16), 11: ("float64", .float64),
    12: ("uint32", .uint32), 13: ("uint64", .uint64), 14: ("complex64", nil),
    15: ("complex128", nil), 16: ("bfloat16", .bfloat16), 17: ("float8e4m3fn", nil),
    18: ("float8e4m3fnuz", nil), 19: ("float8e5m2", nil), 20: ("float8e5m2fnuz", nil),
    21: ("uint4", nil), 22: ("int4", nil), 23: ("float4e2m1", nil), 24: ("float8e8m0", nil),
    25: ("uint2", nil), 26: ("int2", nil), 27: ("float6e2m3", nil), 28: ("float6e3m2", nil),
  ]

  init?(rawValue: Int) {
    if Self.all[rawValue] == nil { return nil }
    self.rawValue = rawValue
  }

  var dtype: DType? { Self.all[rawValue]?.dtype }

  /// The name of a type by its number.
  static func name(of number: Int) -> String { all[number]?.name ?? "unknown type \(number)" }

  /// The number of a tensor's type.
  static func number(of dtype: DType) -> Int { all.first { $0.value.dtype == dtype }?.key ?? 0 }
}

extension WireReader {
  /// A key and its value.
  func pair() throws -> (key: String, value: String) {
    var reader = self
    var (key, value) = ("", "")
    while let field = try reader.next() {
      switch field.number {
      case 1: key = try reader.string(field)
      case 2: value = try reader.string(field)
      default: try reader.skip(field)
      }
    }
    return (key, value)
  }
}
