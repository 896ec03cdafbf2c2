import NormaTensor

/// How to rotate and mirror a stored image so that it is upright.
///
/// Source: CIPA DC-008 (EXIF 2.32), tag 0x0112.
struct Orientation: Hashable {
  /// 1 to 8, as in the tag; 1 for upright.
  var code = 1

  /// The orientation in the EXIF block of a JPEG file; upright if it is missing or invalid.
  init(jpeg bytes: [UInt8]) {
    var position = 2
    // Segments: 0xff, a marker, two bytes of length that count themselves. Pixels begin at 0xda.
    while position + 4 <= bytes.count, bytes[position] == 0xff, bytes[position + 1] != 0xda {
      if bytes[position + 1] == 0xff {
        position += 1
        continue
      }
      let start = position + 4
      let count = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      let end = position + 2 + count
      guard count >= 2, end <= bytes.count else { return }
      let content = bytes[start..<end]
      if bytes[position + 1] == 0xe1, content.starts(with: Array("Exif\0\0".utf8)) {
        code = Orientation.tag(Array(content.dropFirst(6))) ?? 1
        return
      }
      position = end
    }
  }

  /// The tag in the first directory of a TIFF block.
  private static func tag(_ block: [UInt8]) -> Int? {
    let isLittle = block.starts(with: [0x49, 0x49])
    guard isLittle || block.starts(with: [0x4d, 0x4d]) else { return nil }
    func number(_ at: Int, _ count: Int) -> Int? {
      guard at >= 0, at + count <= block.count else { return nil }
      let digits = block[at..<at + count]
      return (isLittle ? Array(digits.reversed()) : Array(digits)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, 2) == 42, let directory = number(4, 4), let entries = number(directory, 2)
    else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let name = number(start, 2) else { return nil }
      if name == 0x0112, number(start + 2, 2) == 3, let code = number(start + 8, 2) {
        return (1...8).contains(code) ? code : nil
      }
    }
    return nil
  }
}

extension Tensor {
  /// An image `[channels, height, width]`, rotated and mirrored to be upright.
  func oriented(by orientation: Orientation) -> Tensor {
    let isTurned = orientation.code >= 5
    let image = isTurned ? transposed() : self
    return switch orientation.code {
    case 2, 6: image.flipped(over: 2)
    case 3, 7: image.flipped(over: 1, 2)
    case 4, 8: image.flipped(over: 1)
    default: image
    }
  }
}
