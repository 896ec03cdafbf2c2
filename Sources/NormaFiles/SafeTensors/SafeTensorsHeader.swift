/// The header of a safetensors file: the JSON text, checked against every rule of the format.
///
/// Source: the safetensors format description and its reference implementation, 0.7.
struct SafeTensorsHeader {
  /// The longest header, as in the reference implementation.
  static let largestCount = 100_000_000

  /// The number of bits of an element, for each type that the format defines.
  static let bits: [String: Int] = [
    "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
  ]

  var metadata: [String: String] = [:]
  var entries: [SafeTensors.Entry] = []

  /// Reads a header that is followed by `dataCount` bytes of data.
  init(_ bytes: [UInt8], dataCount: Int, context: FileContext) throws {
    guard bytes.first == UInt8(ascii: "{") else {
      throw context.malformed("has a damaged header", "'{' is expected at byte 0 of the header")
    }
    let json: JSON
    do {
      json = try JSON.parse(bytes, maximumDepth: 16)
    } catch {
      throw context.malformed("has a damaged header", "\(error) of the header")
    }
    for member in json.objectValue ?? [] {
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value, context)
      } else {
        let entry = try Self.entry(member.key, member.value, dataCount: dataCount, context)
        entries.append(entry)
      }
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try checkCover(dataCount, context)
  }

  private static func metadata(
    _ value: JSON, _ context: FileContext
  ) throws -> [String: String] {
    var result: [String: String] = [:]
    guard let members = value.objectValue else {
      throw context.malformed("has damaged metadata", "__metadata__ is expected to be an object")
    }
    for member in members {
      guard let text = member.value.stringValue else {
        throw context.malformed(
          "has damaged metadata", "the value of \(quoted(member.key)) is expected to be a string")
      }
      result[member.key] = text
    }
    return result
  }

  private static func entry(
    _ name: String, _ value: JSON, dataCount: Int, _ context: FileContext
  ) throws -> SafeTensors.Entry {
    func damaged(_ detail: String) -> FileError {
      context.malformed("has a damaged entry \(quoted(name))", detail)
    }
    guard value.objectValue != nil else { throw damaged("an object is expected") }
    guard let dtype = value["dtype"]?.stringValue else {
      throw damaged("dtype is expected to be a string")
    }
    guard let lengths = value["shape"]?.arrayValue,
      lengths.count <= ArrayPlan.maximumRank
    else {
      throw damaged("shape is expected to be a list of at most \(ArrayPlan.maximumRank) lengths")
    }
    let shape = try lengths.map { length in
      guard let length = length.intValue, length >= 0 else {
        throw damaged("shape is expected to hold integers from 0")
      }
      return length
    }
    let offsets = value["data_offsets"]?.arrayValue ?? []
    guard offsets.count == 2, let start = offsets[0].intValue, let end = offsets[1].intValue,
      0 <= start, start <= end
    else { throw damaged("data_offsets is expected to be [start, end], 0 <= start <= end") }
    if end > dataCount {
      throw context.truncated(
        "\(quoted(name)) has bytes \(start) ..< \(end) of the data and only \(dataCount) follow")
    }
    // The element size of a type from a later version of the format is unknown, so only its range
    // is checked.
    let promised = try ArrayPlan.byteCount(
      shape, bits: bits[dtype] ?? 8, dtype: dtype, context: context)
    if bits[dtype] != nil, promised != end - start {
      throw damaged(
        "shape \(shape) of \(dtype) takes \(promised) bytes and data_offsets give \(end - start)")
    }
    return SafeTensors.Entry(name: name, dtypeName: dtype, shape: shape, range: start..<end)
  }

  /// Every byte of the data belongs to exactly one tensor.
  private func checkCover(_ dataCount: Int, _ context: FileContext) throws {
    var end = 0
    for entry in entries {
      if entry.range.lowerBound > end {
        throw context.malformed(
          "has a hole",
          "bytes \(end) ..< \(entry.range.lowerBound) of the data, before "
            + "\(quoted(entry.name)), belong to no tensor")
      }
      if entry.range.lowerBound < end {
        throw context.malformed(
          "has overlapping tensors",
          "\(quoted(entry.name)) starts at byte "
            + "\(entry.range.lowerBound) of the data and the one before it ends at \(end)")
      }
      end = entry.range.upperBound
    }
    if end < dataCount {
      throw context.malformed(
        "is too long", "the tensors end at byte \(end) of the data and \(dataCount) bytes follow")
    }
  }
}
