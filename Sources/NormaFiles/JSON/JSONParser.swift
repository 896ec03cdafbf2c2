/// The position and reason of a JSON syntax error.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The offset of the error in bytes.
  package let offset: Int
  /// What was expected there.
  package let message: String

  package var description: String { "\(message) at byte \(offset)" }
}

extension JSON {
  /// Parses a JSON text, strictly (RFC 8259) and safely for any bytes.
  ///
  /// Rejected are: two members with the same name (compared as Swift compares strings), nesting
  /// deeper than `maximumDepth`, invalid UTF-8, unpaired surrogates, numbers beyond the range of
  /// `Double`, NaN and infinity, comments, trailing commas, anything but spaces after the value.
  package static func parse(_ bytes: [UInt8], maximumDepth: Int = 128) throws(JSONError) -> JSON {
    var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
    let value = try parser.value(depth: 0)
    if parser.peek() != nil { throw parser.fault("the end of the text is expected") }
    return value
  }

  /// The same for a string.
  package static func parse(_ text: String, maximumDepth: Int = 128) throws(JSONError) -> JSON {
    try parse(Array(text.utf8), maximumDepth: maximumDepth)
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let maximumDepth: Int
  var position = 0

  init(bytes: [UInt8], maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  func fault(_ message: String) -> JSONError { JSONError(offset: position, message: message) }

  /// The next byte that is not a space, or nil at the end.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      case let byte: return byte
      }
    }
    return nil
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard let byte = peek() else { throw fault("a value is expected") }
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      if depth >= maximumDepth { throw fault("nesting deeper than \(maximumDepth)") }
      return byte == UInt8(ascii: "{") ? try object(depth: depth) : try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ text: String, _ value: JSON) throws(JSONError) -> JSON {
    guard bytes[position...].starts(with: text.utf8) else { throw fault("a value is expected") }
    position += text.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    position += 1
    var members: [(key: String, value: JSON)] = []
    var names: Set<String> = []
    if skip("}") { return .object([]) }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw fault("a name is expected") }
      let start = position
      let name = try string()
      if !names.insert(name).inserted {
        position = start
        throw fault("the name \(quoted(name)) occurs twice")
      }
      if !skip(":") { throw fault("':' is expected") }
      members.append((key: name, value: try value(depth: depth + 1)))
    } while skip(",")
    if !skip("}") { throw fault("',' or '}' is expected") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    position += 1
    var elements: [JSON] = []
    if skip("]") { return .array([]) }
    repeat { elements.append(try value(depth: depth + 1)) } while skip(",")
    if !skip("]") { throw fault("',' or ']' is expected") }
    return .array(elements)
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    func byte(_ position: Int) -> UInt8 { position < bytes.count ? bytes[position] : 0 }
    func isDigit(_ position: Int) -> Bool { (0x30...0x39).contains(byte(position)) }
    var end = position
    if byte(end) == UInt8(ascii: "-") { end += 1 }
    guard isDigit(end) else { throw fault("a value is expected") }
    if byte(end) == UInt8(ascii: "0") {
      end += 1
    } else {
      while isDigit(end) { end += 1 }
    }
    var isWhole = true
    if byte(end) == UInt8(ascii: "."), isDigit(end + 1) {
      isWhole = false
      end += 1
      while isDigit(end) { end += 1 }
    }
    if byte(end) | 0x20 == UInt8(ascii: "e") {
      let sign = byte(end + 1) == UInt8(ascii: "+") || byte(end + 1) == UInt8(ascii: "-")
      if isDigit(end + (sign ? 2 : 1)) {
        isWhole = false
        end += sign ? 2 : 1
        while isDigit(end) { end += 1 }
      }
    }
    // Whatever follows that is not part of a number ("01", "1.") fails in the caller.
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    if isWhole, text != "-0", let value = Int(text) {
      position = end
      return .int(value)
    }
    guard let value = Double(text), value.isFinite else {
      throw fault("a number beyond the range of Double")
    }
    position = end
    return .double(value)
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    var text = ""
    var start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        try append(start..<position, to: &text)
        position += 1
        return text
      case UInt8(ascii: "\\"):
        try append(start..<position, to: &text)
        position += 1
        text.unicodeScalars.append(try escaped())
        start = position
      case 0..<0x20: throw fault("a control character inside a string")
      default: position += 1
      }
    }
    throw fault("the end of a string is expected")
  }

  private func append(_ range: Range<Int>, to text: inout String) throws(JSONError) {
    if range.isEmpty { return }
    guard let part = String(validating: bytes[range], as: UTF8.self) else {
      throw JSONError(offset: range.lowerBound, message: "invalid UTF-8 in the string")
    }
    text += part
  }

  /// The character after a backslash.
  private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
    guard position < bytes.count else { throw fault("the end of a string is expected") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xd800..<0xdc00).contains(code), bytes[position...].starts(with: "\\u".utf8) {
        position += 2
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else { throw fault("half of a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
      return scalar
    default:
      position -= 1
      throw fault("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw fault("four hexadecimal digits are expected") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
