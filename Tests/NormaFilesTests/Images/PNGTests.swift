import NormaFiles
import NormaTensor
import Testing

@Suite struct PNGTests {
  @Test func grayBytes() throws {
    let image = PNGBuilder(width: 3, height: 2, rows: [[1, 2, 3], [4, 5, 255]])
    let tensor = try Tensor(pngBytes: image.bytes)
    #expect(tensor.shape == [1, 2, 3] && tensor.dtype == .uint8)
    #expect(tensor.array(of: Int.self) == [1, 2, 3, 4, 5, 255])
    let colors = try Tensor(pngBytes: image.bytes, channels: 3)
    #expect(
      colors.array(of: Int.self) == Array(repeating: [1, 2, 3, 4, 5, 255], count: 3).flatMap { $0 })
    let opaque = try Tensor(pngBytes: image.bytes, channels: 2)
    #expect(opaque[1].array(of: Int.self) == Array(repeating: 255, count: 6))
  }

  @Test func colors() throws {
    let image = PNGBuilder(width: 2, height: 1, color: 2, rows: [[255, 0, 0, 10, 20, 30]])
    #expect(try Tensor(pngBytes: image.bytes).array(of: Int.self) == [255, 10, 0, 20, 0, 30])
    // 0.299 * 255 = 76.2; 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
    #expect(try Tensor(pngBytes: image.bytes, channels: 1).array(of: Int.self) == [76, 18])
    #expect(try Tensor(imageBytes: image.bytes, channels: 1).array(of: Int.self) == [76, 18])
  }

  @Test func paletteAndTransparency() throws {
    var image = PNGBuilder(
      width: 3, height: 1, depth: 2, color: 3, rows: [[0b01_00_10_00]],
      palette: [1, 2, 3, 40, 50, 60, 7, 8, 9])
    #expect(
      try Tensor(pngBytes: image.bytes).array(of: Int.self) == [40, 1, 7, 50, 2, 8, 60, 3, 9])
    image.extra = []
    let alpha = PNGBuilder(width: 1, height: 1, color: 6, rows: [[9, 8, 7, 6]])
    #expect(try Tensor(pngBytes: alpha.bytes).array(of: Int.self) == [9, 8, 7, 6])
    #expect(try Tensor(pngBytes: alpha.bytes, channels: 3).array(of: Int.self) == [9, 8, 7])
  }

  @Test func bitsAndWords() throws {
    let bits = PNGBuilder(width: 5, height: 1, depth: 1, rows: [[0b1010_1000]])
    #expect(try Tensor(pngBytes: bits.bytes).array(of: Int.self) == [255, 0, 255, 0, 255])
    let words = PNGBuilder(width: 2, height: 1, depth: 16, rows: [[0x12, 0x34, 0xff, 0xff]])
    let tensor = try Tensor(pngBytes: words.bytes)
    #expect(tensor.dtype == .uint16 && tensor.array(of: Int.self) == [0x1234, 0xffff])
  }

  @Test func wideColors() throws {
    let row: [UInt8] = [0x12, 0x34, 0, 1, 0xff, 0xff, 0xab, 0xcd]
    let alpha = PNGBuilder(width: 1, height: 1, depth: 16, color: 6, rows: [row])
    let values = [0x1234, 1, 0xffff, 0xabcd]
    let tensor = try Tensor(pngBytes: alpha.bytes)
    #expect(tensor.shape == [4, 1, 1] && tensor.dtype == .uint16)
    #expect(tensor.array(of: Int.self) == values)
    #expect(try Tensor(pngBytes: alpha.bytes, channels: 3).array(of: Int.self) == values.dropLast())
    // 0.299 * 4660 + 0.587 * 1 + 0.114 * 65535 = 8864.9. libpng's weights have 15 bits, cut off,
    // and the last takes the rest: it is off by 2 / 32768 of 65535 at most.
    let gray = try Tensor(pngBytes: alpha.bytes, channels: 1).item(as: Int.self)
    #expect(abs(gray - 8865) <= 4)
    let words = PNGBuilder(width: 1, height: 1, depth: 16, rows: [[0x12, 0x34]])
    #expect(
      try Tensor(pngBytes: words.bytes, channels: 4).array(of: Int.self)
        == [0x1234, 0x1234, 0x1234, 0xffff])
  }

  @Test func interlaced() throws {
    // The passes of Adam7 that hold pixels of a 2 x 2 image: the first, the sixth, the seventh.
    let image = PNGBuilder(width: 2, height: 2, interlaced: true, rows: [[1], [2], [3, 4]])
    #expect(try Tensor(pngBytes: image.bytes).array(of: Int.self) == [1, 2, 3, 4])
  }

  @Test func hostileFilesAreRefused() {
    let right = PNGBuilder(width: 3, height: 2, rows: [[1, 2, 3], [4, 5, 6]]).bytes
    for count in right.indices.dropLast(12) {
      #expect(throws: FileError.self) { try Tensor(pngBytes: Array(right[..<count])) }
    }
    // Any flipped bit of the header or the pixels breaks a checksum.
    for place in right.indices.dropLast(12) {
      var wrong = right
      wrong[place] ^= 0x10
      #expect(throws: FileError.self) { try Tensor(pngBytes: wrong) }
    }
    let huge = PNGBuilder(width: 1_000_000, height: 1_000_000, rows: [[0]])
    #expect(throws: FileError.self) { try Tensor(pngBytes: huge.bytes) }
    let none = PNGBuilder(width: 0, height: 1, rows: [[]])
    #expect(throws: FileError.self) { try Tensor(pngBytes: none.bytes) }
    let short = PNGBuilder(width: 3, height: 2, rows: [[1, 2, 3]])
    #expect(throws: FileError.self) { try Tensor(pngBytes: short.bytes) }
    #expect(throws: FileError.self) { try Tensor(pngBytes: right, channels: 5) }
    #expect(throws: FileError.self) { try Tensor(png: "/nowhere/image.png") }
    #expect(throws: FileError.self) { try Tensor(pngBytes: Array("no image".utf8)) }
  }
}
