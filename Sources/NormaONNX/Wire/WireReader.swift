import NormaFiles

/// Walks the fields of a protocol buffers message in a file, without copying what it skips.
///
/// The format: a message is a sequence of fields, each a number and a wire type as one varint, then
/// a varint, 4 or 8 bytes, or a length and as many bytes. Nothing outside of the message is read,
/// and messages nest at most `deepest` levels.
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
struct WireReader {
  /// A field's number and how its value is written.
  struct Field {
    let number: Int
    let kind: Kind
  }

  enum Kind: UInt64 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  static let deepest = 64

  let source: WireSource
  private(set) var position: Int
  let end: Int
  private let depth: Int

  init(_ source: WireSource) {
    self.init(source, 0..<source.file.size, depth: 0)
  }

  private init(_ source: WireSource, _ range: Range<Int>, depth: Int) {
    self.source = source
    (position, end) = (range.lowerBound, range.upperBound)
    self.depth = depth
  }

  /// The next field, whose value must then be read or skipped; nil at the end of the message.
  mutating func next() throws -> Field? {
    if position == end { return nil }
    let key = try rawVarint()
    guard let kind = Kind(rawValue: key & 7), key >> 3 > 0, key >> 3 < 1 << 29 else {
      throw damaged("field key \(key) at byte \(position) is not one of protocol buffers")
    }
    return Field(number: Int(key >> 3), kind: kind)
  }

  mutating func skip(_ field: Field) throws {
    switch field.kind {
    case .varint: _ = try rawVarint()
    case .fixed64: try advance(8)
    case .bytes: _ = try range(field)
    case .fixed32: try advance(4)
    }
  }

  /// A whole number; negative ones have ten bytes.
  mutating func integer(_ field: Field) throws -> Int64 {
    try expect(.varint, field)
    return Int64(bitPattern: try rawVarint())
  }

  mutating func float(_ field: Field) throws -> Float {
    try expect(.fixed32, field)
    let start = position
    try advance(4)
    return Float(bitPattern: UInt32(truncatingIfNeeded: try source.littleEndian(start, count: 4)))
  }

  /// Where the bytes of a field are: of a string, of a message, or of packed numbers.
  mutating func range(_ field: Field) throws -> Range<Int> {
    try expect(.bytes, field)
    let count = try rawVarint()
    guard count <= UInt64(end - position) else {
      throw damaged("field \(field.number) claims \(count) bytes and \(end - position) follow")
    }
    let start = position
    position += Int(count)
    return start..<position
  }

  mutating func string(_ field: Field) throws -> String {
    let range = try range(field)
    return String(decoding: try source.bytes(range), as: UTF8.self)
  }

  /// A reader of the message in a field.
  mutating func message(_ field: Field) throws -> WireReader {
    if depth == Self.deepest { throw damaged("messages are nested over \(Self.deepest) levels") }
    return WireReader(source, try range(field), depth: depth + 1)
  }

  /// Adds the numbers of a repeated field, packed or one at a time.
  mutating func integers(_ field: Field, into list: inout [Int64]) throws {
    if field.kind == .varint { return list.append(try integer(field)) }
    var packed = WireReader(source, try range(field), depth: depth)
    while packed.position < packed.end {
      list.append(Int64(bitPattern: try packed.rawVarint()))
    }
  }

  /// The same for numbers of 32 bits.
  mutating func floats(_ field: Field, into list: inout [Float]) throws {
    if field.kind == .fixed32 { return list.append(try float(field)) }
    var packed = WireReader(source, try range(field), depth: depth)
    while packed.position < packed.end {
      list.append(try packed.float(Field(number: field.number, kind: .fixed32)))
    }
  }

  /// Where the bytes of numbers are, packed or one number of `kind`.
  mutating func numbers(_ field: Field, _ kind: Kind) throws -> Range<Int> {
    if field.kind == .bytes { return try range(field) }
    try expect(kind, field)
    let start = position
    try skip(field)
    return start..<position
  }

  /// A reader of the numbers in a range.
  static func numbers(_ source: WireSource, in range: Range<Int>) -> WireReader {
    WireReader(source, range, depth: 0)
  }

  mutating func rawVarint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw damaged("a number is cut off at byte \(end)") }
      let byte = try source.byte(position)
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw damaged("a number at byte \(position) has over ten bytes")
  }

  private mutating func advance(_ count: Int) throws {
    guard count <= end - position else {
      throw damaged("\(count) bytes are needed at byte \(position) and \(end - position) follow")
    }
    position += count
  }

  private func expect(_ kind: Kind, _ field: Field) throws {
    if field.kind != kind {
      throw damaged("field \(field.number) is written as \(field.kind), not as \(kind)")
    }
  }

  func damaged(_ detail: String) -> FileError {
    source.file.context.malformed("is no ONNX model, or is damaged", detail)
  }
}

/// A file with a window of bytes in memory. Used by one reader at a time.
///
/// The file is read rather than memory-mapped: tensors are read once, into their own memory, and a
/// mapped file that shrinks would end the process.
final class WireSource {
  let file: InputFile
  private var window: [UInt8] = []
  private var start = 0
  private static let step = 1 << 16

  init(_ file: InputFile) { self.file = file }

  func byte(_ position: Int) throws -> UInt8 {
    if position < start || position >= start + window.count {
      window = try file.bytes(at: position, count: min(Self.step, file.size - position))
      start = position
    }
    return window[position - start]
  }

  func littleEndian(_ position: Int, count: Int) throws -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= try UInt64(byte(position + index)) << UInt64(8 * index) }
    return value
  }

  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    if range.lowerBound >= start && range.upperBound <= start + window.count {
      return Array(window[range.lowerBound - start..<range.upperBound - start])
    }
    return try file.bytes(at: range.lowerBound, count: range.count)
  }
}
