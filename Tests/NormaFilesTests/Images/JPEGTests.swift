import Foundation
import NormaFiles
import NormaTensor
import Testing

/// The pixels are those that Pillow reads; see Tools/make-jpeg-fixtures.py.
@Suite struct JPEGTests {
  private func read(_ name: String, channels: Int? = nil) throws -> Tensor {
    try Tensor(jpegBytes: Fixture.bytes(name), channels: channels)
  }

  private static let gray = [
    6, 28, 45, 68, 86, 67, 89, 106, 128, 147, 126, 148, 165, 188, 206,
  ]
  private static let luma = [
    41, 47, 55, 61, 67, 74, 82, 88, 94, 70, 76, 85, 91, 97, 103, 112, 118, 124, 93, 99, 107, 114,
    119, 126, 134, 140, 147, 124, 130, 138, 145, 150, 157, 165, 171, 177, 149, 155, 163, 170, 175,
    182, 190, 196, 202,
  ]
  private static let colors = [
    [
      0, 12, 41, 68, 95, 122, 148, 174, 198, 13, 28, 60, 87, 112, 138, 167, 191, 217, 12, 27, 58,
      86, 111, 137, 165, 190, 217, 20, 36, 66, 95, 119, 146, 173, 199, 225, 24, 40, 70, 98, 123,
      150, 177, 203, 229,
    ],
    [
      29, 31, 32, 31, 31, 33, 36, 35, 34, 69, 72, 73, 72, 73, 73, 77, 76, 74, 114, 117, 117, 117,
      117, 119, 121, 120, 119, 165, 168, 168, 168, 168, 169, 171, 170, 169, 207, 209, 209, 210,
      209, 211, 213, 212, 210,
    ],
    [
      222, 219, 211, 196, 177, 161, 148, 138, 131, 224, 221, 214, 199, 180, 163, 151, 141, 136,
      196, 193, 185, 171, 151, 135, 122, 110, 106, 184, 181, 173, 159, 139, 123, 112, 100, 95,
      179, 176, 168, 154, 134, 118, 107, 95, 89,
    ],
  ]

  @Test func grayPixels() throws {
    let image = try read("gray.jpg")
    #expect(image.shape == [1, 3, 5] && image.dtype == .uint8)
    #expect(image.array(of: Int.self) == Self.gray)
    for (channels, copies) in [(2, 1), (3, 3), (4, 3)] {
      let wide = try read("gray.jpg", channels: channels)
      #expect(wide.shape == [channels, 3, 5])
      for copy in 0..<copies { #expect(wide[copy].array(of: Int.self) == Self.gray) }
      if channels != 3 { #expect(wide[-1].min().item(as: Int.self) == 255) }
    }
  }

  @Test(arguments: ["color.jpg", "progressive.jpg"]) func colorPixels(name: String) throws {
    let image = try read(name)
    #expect(image.shape == [3, 5, 9])
    for (channel, pixels) in Self.colors.enumerated() {
      #expect(image[channel].array(of: Int.self) == pixels)
    }
    #expect(try read(name, channels: 1).array(of: Int.self) == Self.luma)
    let opaque = try read(name, channels: 4)
    #expect(opaque[0..<3].isEqual(to: image) && opaque[3].min().item(as: Int.self) == 255)
    #expect(try read(name, channels: 2)[0].array(of: Int.self) == Self.luma)
  }

  @Test func orientations() throws {
    var bytes = try Fixture.bytes("turned.jpg")
    let tag = try #require(bytes.indices.first { bytes[$0...].starts(with: [1, 0x12, 0, 3]) })
    let (a, b, c, d, e, f) = (20, 120, 220, 60, 161, 250)
    // What Pillow's exif_transpose makes of each.
    let upright: [[[Int]]] = [
      [[a, b, c], [d, e, f]], [[c, b, a], [f, e, d]], [[f, e, d], [c, b, a]],
      [[d, e, f], [a, b, c]], [[a, d], [b, e], [c, f]], [[d, a], [e, b], [f, c]],
      [[f, c], [e, b], [d, a]], [[c, f], [b, e], [a, d]],
    ]
    for (code, rows) in upright.enumerated() {
      bytes[tag + 9] = UInt8(code + 1)
      let image = try Tensor(jpegBytes: bytes, appliesOrientation: true)
      #expect(image.shape == [1, rows.count, rows[0].count])
      #expect(image.array(of: Int.self) == rows.flatMap { $0 }, "orientation \(code + 1)")
    }
    #expect(try Tensor(jpegBytes: bytes).array(of: Int.self) == [a, b, c, d, e, f])
    bytes[tag + 9] = 9
    let odd = try Tensor(jpegBytes: bytes, appliesOrientation: true)
    #expect(odd.array(of: Int.self) == [a, b, c, d, e, f])
  }

  @Test func formatsAreToldApart() throws {
    let path = Fixture.path("gray.jpg")
    for image in [
      try Tensor(jpeg: path), try Tensor(image: path), try Tensor(contentsOf: path),
      try #require(Tensor.all(contentsOf: path)[""]),
      try Tensor(imageBytes: Fixture.bytes("gray.jpg")),
    ] {
      #expect(image.array(of: Int.self) == Self.gray)
    }
    #expect(kind { _ = try StateFile(contentsOf: path) } == .unsupported)
    #expect(kind { _ = try Tensor(image: Fixture.path("one.npy")) } == .unsupported)
    #expect(kind { _ = try Tensor(imageBytes: Fixture.bytes("one.npy")) } == .unsupported)
    #expect(kind { _ = try Tensor(imageBytes: []) } == .unsupported)
    #expect(kind { _ = try Tensor(png: path) } == .malformed)
    #expect(kind { _ = try Tensor(jpeg: "/nowhere.jpg") } == .system)
    #expect(kind { _ = try read("gray.jpg", channels: 5) } == .unsupported)
  }

  @Test func hostileFilesAreRefused() throws {
    #expect {
      try read("refused-cmyk.jpg")
    } throws: {
      ($0 as? FileError)?.kind == .unsupported && "\($0)".contains("CMYK")
    }
    let right = try Fixture.bytes("color.jpg")
    let frame = try #require(right.indices.first { right[$0...].starts(with: [0xff, 0xc0]) })
    var wrong = right
    wrong.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
    #expect {
      try Tensor(jpegBytes: wrong)
    } throws: {
      ($0 as? FileError)?.kind == .truncated && "\($0)".contains("65500 x 65500 pixels")
    }
    // 12 bits, lossless, arithmetic coding.
    for (offset, byte) in [(4, 12), (1, 0xc3), (1, 0xc9)] as [(Int, UInt8)] {
      wrong = right
      wrong[frame + offset] = byte
      #expect(kind("\(byte)") { _ = try Tensor(jpegBytes: wrong) } == .unsupported)
    }
    #expect(kind { _ = try Tensor(jpegBytes: []) } == .malformed)
    #expect(kind { _ = try Tensor(jpegBytes: Array("no image".utf8)) } == .malformed)
    // Scans without end: the first one of a progressive file, 600 times.
    let progressive = try Fixture.bytes("progressive.jpg")
    let scan = try #require(
      progressive.indices.first { progressive[$0...].starts(with: [0xff, 0xda]) })
    let next = try #require(
      progressive.indices.first { $0 > scan && progressive[$0...].starts(with: [0xff, 0xc4]) })
    let bomb =
      progressive[..<scan] + (0..<600).flatMap { _ in progressive[scan..<next] }
      + progressive[next...]
    #expect { try Tensor(jpegBytes: Array(bomb)) } throws: { "\($0)".contains("500 scans") }
  }
}
