extension CSV {
  /// The character encoding of a table.
  public struct Encoding: Sendable, Hashable {
    private enum Kind { case utf8, utf16, windows1252, latin1 }
    private let kind: Kind

    /// UTF-8, or UTF-16 if a byte order mark says so.
    public static let utf8 = Encoding(kind: .utf8)
    /// UTF-16, little-endian unless a byte order mark says otherwise.
    public static let utf16 = Encoding(kind: .utf16)
    /// Windows-1252, which older programs use for Western European languages.
    public static let windows1252 = Encoding(kind: .windows1252)
    /// ISO 8859-1, the first 256 characters of Unicode.
    public static let latin1 = Encoding(kind: .latin1)

    /// The content of a file in UTF-8, without a byte order mark; UTF-8 input is not validated yet.
    func decoded(_ bytes: [UInt8], _ context: FileContext) throws -> [UInt8] {
      if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Array(bytes.dropFirst(3)) }
      if bytes.starts(with: [0xff, 0xfe]) {
        return try Encoding.utf16(bytes.dropFirst(2), high: 1, context)
      }
      if bytes.starts(with: [0xfe, 0xff]) {
        return try Encoding.utf16(bytes.dropFirst(2), high: 0, context)
      }
      switch kind {
      case .utf8:
        if bytes.prefix(2).contains(0) {
          throw context.malformed(
            "is not UTF-8", "it begins with a zero byte, as UTF-16 does; use encoding: .utf16"
          )
        }
        return bytes
      case .utf16: return try Encoding.utf16(bytes[...], high: 1, context)
      case .windows1252: return Encoding.scalars(bytes) { Encoding.windows($0) }
      case .latin1: return Encoding.scalars(bytes) { Unicode.Scalar($0) }
      }
    }

    /// - Parameter high: the index of the high byte in a pair.
    private static func utf16(
      _ bytes: ArraySlice<UInt8>, high: Int, _ context: FileContext
    ) throws -> [UInt8] {
      guard bytes.count.isMultiple(of: 2) else {
        throw context.truncated("UTF-16 has two bytes per unit, but the file has an odd number")
      }
      let start = bytes.startIndex
      let units = stride(from: 0, to: bytes.count, by: 2).map {
        UInt16(bytes[start + $0 + high]) << 8 | UInt16(bytes[start + $0 + 1 - high])
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw context.malformed("is not UTF-16", "half of a surrogate pair is missing")
      }
      return Array(text.utf8)
    }

    private static func scalars(
      _ bytes: [UInt8], _ scalar: (UInt8) -> Unicode.Scalar
    ) -> [UInt8] {
      var result: [UInt8] = []
      result.reserveCapacity(bytes.count)
      for byte in bytes {
        if byte < 0x80 { result.append(byte) } else { result += Array(String(scalar(byte)).utf8) }
      }
      return result
    }

    /// Bytes that Windows does not define represent themselves, as in browsers.
    private static func windows(_ byte: UInt8) -> Unicode.Scalar {
      guard (0x80...0x9f).contains(byte), let scalar = Unicode.Scalar(special[Int(byte) - 0x80])
      else { return Unicode.Scalar(byte) }
      return scalar
    }

    /// The characters 0x80 to 0x9f. Source: the Encoding Standard of WHATWG, index windows-1252.
    private static let special: [UInt16] = [
      0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
      0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
      0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
    ]
  }
}
