/// PNG files made byte by byte, right ones and wrong ones: pixels lie in stored deflate blocks.
struct PNGBuilder {
  var width: UInt32
  var height: UInt32
  var depth: UInt8 = 8
  /// 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
  var color: UInt8 = 0
  var interlaced = false
  /// Rows of bytes, without their filter bytes.
  var rows: [[UInt8]]
  var palette: [UInt8] = []
  /// Chunks between the header and the pixels.
  var extra: [[UInt8]] = []

  var bytes: [UInt8] {
    var result: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    result += Self.chunk(
      "IHDR", Self.word(width) + Self.word(height) + [depth, color, 0, 0, interlaced ? 1 : 0])
    if !palette.isEmpty { result += Self.chunk("PLTE", palette) }
    for chunk in extra { result += chunk }
    result += Self.chunk("IDAT", Self.zlib(rows.flatMap { [0] + $0 }))
    return result + Self.chunk("IEND", [])
  }

  static func word(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    return word(UInt32(data.count)) + body + word(crc(body))
  }

  private static func zlib(_ data: [UInt8]) -> [UInt8] {
    let count = UInt16(data.count)
    let block = [1, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
    return [0x78, 0x01] + block + data + word(adler(data))
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xffff_ffff as UInt32) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
      }
    }
  }

  private static func adler(_ bytes: [UInt8]) -> UInt32 {
    let (a, b) = bytes.reduce((1 as UInt32, 0 as UInt32)) { sums, byte in
      let a = (sums.0 + UInt32(byte)) % 65521
      return (a, (sums.1 + a) % 65521)
    }
    return b << 16 | a
  }
}
