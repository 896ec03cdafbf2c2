extension PickleMachine {
  /// Constants: numbers, texts and bytes. Returns whether the operation is one of them.
  mutating func load(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.int(Int(try source.byte())))
    case UInt8(ascii: "M"): stack.append(.int(Int(try source.unsigned(2))))
    case UInt8(ascii: "J"):
      let bits = UInt32(truncatingIfNeeded: try source.unsigned(4))
      stack.append(.int(Int(Int32(bitPattern: bits))))
    case UInt8(ascii: "G"):
      // The only big-endian number in pickles.
      stack.append(.double(Double(bitPattern: try source.unsigned(8).byteSwapped)))
    case 0x8a: try integer(try source.bytes(try source.length(1)))
    case 0x8b: try integer(try source.bytes(try source.length(4)))
    case UInt8(ascii: "X"): try text(4)
    case 0x8c: try text(1)
    case 0x8d: try text(8)
    case UInt8(ascii: "U"): try text(1)  // Strings of Python 2.
    case UInt8(ascii: "T"): try text(4)
    case UInt8(ascii: "C"): try bytes(1)
    case UInt8(ascii: "B"): try bytes(4)
    case 0x8e, 0x96: try bytes(8)
    default: return try loadLine(code)
    }
    return true
  }

  /// The same constants, as lines of text.
  private mutating func loadLine(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "I"):
      switch try source.line() {
      case "00": stack.append(.bool(false))
      case "01": stack.append(.bool(true))
      case let text: stack.append(.int(try number(text)))
      }
    case UInt8(ascii: "L"):
      let text = try source.line()
      stack.append(.int(try number(String(text.hasSuffix("L") ? text.dropLast() : text[...]))))
    case UInt8(ascii: "F"):
      let text = try source.line()
      guard let number = Double(text) else { throw damaged("\(quoted(text)) is not a number") }
      stack.append(.double(number))
    case UInt8(ascii: "V"): push(.string(try source.line()))
    case UInt8(ascii: "S"):
      let text = try source.line()
      push(.string(text.count >= 2 ? String(text.dropFirst().dropLast()) : text))
    default: return false
    }
    return true
  }

  private mutating func text(_ width: Int) throws {
    let bytes = try source.bytes(try source.length(width))
    push(.string(String(decoding: bytes, as: UTF8.self)))
  }

  private mutating func bytes(_ width: Int) throws {
    push(.bytes(try source.bytes(try source.length(width))))
  }

  /// A little-endian integer in two's complement.
  private mutating func integer(_ bytes: [UInt8]) throws {
    if bytes.count > 8 { return push(.wideInteger(bytes)) }
    var value = UInt64(0)
    for (place, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * place) }
    let unused = UInt64(64 - 8 * bytes.count)
    stack.append(.int(unused == 64 ? 0 : Int(Int64(bitPattern: value << unused) >> Int64(unused))))
  }
}
