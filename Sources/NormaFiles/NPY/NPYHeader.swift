/// The Python dictionary at the start of an .npy file.
///
/// Source: numpy.lib.format, "Format Version 1.0" to "3.0".
struct NPYHeader: Equatable {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// The longest header that is read; NumPy itself stops at 10,000 bytes.
  static let largestCount = 1 << 20

  var descr: String
  var isColumnMajor: Bool
  var shape: [Int]

  /// Reads magic, version and dictionary.
  init(_ stream: any ByteStream) throws {
    let context = stream.context
    let start = try stream.header(8, "the start of an .npy header")
    if Array(start[..<6]) != Self.magic {
      throw context.malformed("is not an .npy file", "it does not start with \\x93NUMPY")
    }
    let wide: Bool
    switch (start[6], start[7]) {
    case (1, 0): wide = false
    case (2, 0), (3, 0): wide = true
    default:
      throw context.unsupported(
        "has .npy version \(start[6]).\(start[7])", "versions 1.0, 2.0 and 3.0 are supported")
    }
    let lengthBytes = try stream.header(wide ? 4 : 2, "the header's length")
    let count = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    if let remaining = stream.remaining, count > remaining {
      throw context.truncated("its header claims \(count) bytes and \(remaining) follow")
    }
    if count > Self.largestCount {
      throw context.malformed(
        "has an absurd header", "\(count) bytes, and at most \(Self.largestCount) are read")
    }
    let text = try stream.header(count, "the header")
    do {
      var parser = NPYHeaderParser(bytes: text)
      self = try parser.parse()
    } catch {
      if error.isStructured {
        throw context.unsupported(
          "holds records", "a structured dtype; save each field as an array of its own")
      }
      throw context.malformed("has a damaged header", error.text)
    }
  }

  init(descr: String, isColumnMajor: Bool, shape: [Int]) {
    self.descr = descr
    self.isColumnMajor = isColumnMajor
    self.shape = shape
  }

  /// The header as NumPy 2 writes it, byte for byte.
  ///
  /// The data start at a multiple of 64, and the first length can grow in place to 21 digits.
  func bytes() -> [UInt8] {
    let lengths = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    var text = "{'descr': '\(descr)', 'fortran_order': \(isColumnMajor ? "True" : "False"), "
    text += "'shape': (\(lengths)), }"
    if let growing = isColumnMajor ? shape.last : shape.first {
      text += String(repeating: " ", count: max(0, 21 - "\(growing)".count))
    }
    // Version 1 uses two bytes for the length, version 2 four.
    let isWide = text.utf8.count > 0xffff - 64
    let unpadded = (isWide ? 12 : 10) + text.utf8.count + 1
    text += String(repeating: " ", count: 64 - unpadded % 64) + "\n"
    let count = text.utf8.count
    let length = (0..<(isWide ? 4 : 2)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    return Self.magic + [isWide ? 2 : 1, 0] + length + Array(text.utf8)
  }
}

/// Parses the one Python literal that an .npy header may be.
struct NPYHeaderParser {
  struct Fault: Error {
    var text: String
    var isStructured = false
  }

  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func parse() throws(Fault) -> NPYHeader {
    var descr: String?
    var isColumnMajor: Bool?
    var shape: [Int]?
    try expect("{")
    while !skip("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where descr == nil:
        if peek() == UInt8(ascii: "[") { throw Fault(text: "", isStructured: true) }
        descr = try string()
      case "fortran_order" where isColumnMajor == nil: isColumnMajor = try truth()
      case "shape" where shape == nil: shape = try tuple()
      case "descr", "fortran_order", "shape": throw Fault(text: "key \(quoted(key)) occurs twice")
      default: throw Fault(text: "unknown key \(quoted(key))")
      }
      if !skip(",") {
        try expect("}")
        break
      }
    }
    if peek() != nil { throw fault("the end of the header") }
    guard let descr, let isColumnMajor, let shape else {
      throw Fault(text: "the keys descr, fortran_order and shape are expected")
    }
    return NPYHeader(descr: descr, isColumnMajor: isColumnMajor, shape: shape)
  }

  private func fault(_ expected: String) -> Fault {
    Fault(text: "\(expected) is expected at byte \(position) of the header")
  }

  /// The next byte that is not a space.
  private mutating func peek() -> UInt8? {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    if !skip(character) { throw fault("'\(character)'") }
  }

  private mutating func string() throws(Fault) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw fault("a string")
    }
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != quote {
      if bytes[position] == UInt8(ascii: "\\") { throw fault("a string without escapes") }
      position += 1
    }
    if position == bytes.count { throw fault("the end of a string") }
    position += 1
    return String(decoding: bytes[start..<position - 1], as: UTF8.self)
  }

  private mutating func truth() throws(Fault) -> Bool {
    _ = peek()
    for (word, value) in [("True", true), ("False", false)]
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw fault("True or False")
  }

  private mutating func tuple() throws(Fault) -> [Int] {
    var lengths: [Int] = []
    try expect("(")
    while !skip(")") {
      lengths.append(try length())
      if lengths.count > ArrayPlan.maximumRank {
        throw Fault(text: "the shape has more than \(ArrayPlan.maximumRank) axes")
      }
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return lengths
  }

  private mutating func length() throws(Fault) -> Int {
    _ = peek()
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // Python 2 marked long integers.
    if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
    if text.isEmpty || text == "-" { throw fault("a length") }
    guard let value = Int(text) else { throw Fault(text: "length \(text.prefix(40)) is too large") }
    if value < 0 { throw Fault(text: "length \(value) is negative") }
    return value
  }
}
