/// The directory of a ZIP file, and its members as streams.
///
/// Stored and deflated members, with 64-bit sizes where needed. Source: PKWARE APPNOTE 6.3.
struct ZIPArchive {
  struct Member: Sendable {
    let name: String
    let isDeflated: Bool
    let crc: UInt32
    let compressedCount: Int
    let count: Int
    let offset: Int
  }

  let members: [Member]

  init(_ file: InputFile) throws {
    let directory = try ZIPDirectory(file)
    var members: [Member] = []
    var names: Set<String> = []
    var cursor = LittleEndian(bytes: directory.bytes)
    while cursor.position < directory.bytes.count {
      let member = try Self.member(&cursor, file.context)
      if !names.insert(member.name).inserted {
        throw file.context.malformed(
          "has a damaged directory", "the name \(quoted(member.name)) occurs twice")
      }
      members.append(member)
    }
    if members.count != directory.memberCount {
      throw file.context.malformed(
        "has a damaged directory",
        "\(directory.memberCount) members are promised and \(members.count) are listed")
    }
    self.members = members
  }

  /// The bytes of a member, checked against its size and checksum at the end.
  ///
  /// - Parameter zeroIsChecksum: Whether a checksum of 0 is valid. Writers that compute none leave
  ///   0.
  static func stream(
    _ member: Member, of file: InputFile, context: FileContext, zeroIsChecksum: Bool = true
  ) throws -> any ByteStream {
    let range = try range(member, of: file, context: context)
    let stream: any ByteStream =
      member.isDeflated
      ? try file.inflated(range, wrapper: .none, context: context)
      : FileStream(file, range: range, context: context)
    let crc = member.crc == 0 && !zeroIsChecksum ? nil : member.crc
    return ChecksumStream(stream, crc: crc, count: member.count)
  }

  /// The range of a member's bytes in the file, stored or deflated.
  static func range(
    _ member: Member, of file: InputFile, context: FileContext
  ) throws -> Range<Int> {
    let header = try file.bytes(at: member.offset, count: 30, for: context)
    var cursor = LittleEndian(bytes: header)
    guard cursor.number(4) == 0x0403_4b50 else {
      throw context.malformed("is damaged", "no member starts at byte \(member.offset)")
    }
    cursor.position = 26
    let start = member.offset + 30 + cursor.number(2) + cursor.number(2)
    guard start <= file.size, member.compressedCount <= file.size - start else {
      throw context.truncated(
        "\(member.compressedCount) bytes at offset \(start) are promised and the file has "
          + "\(file.size)")
    }
    return start..<start + member.compressedCount
  }

  /// Reads a record of the directory.
  private static func member(
    _ cursor: inout LittleEndian, _ context: FileContext
  ) throws -> Member {
    func damaged(_ detail: String) -> FileError {
      context.malformed("has a damaged directory", detail)
    }
    guard cursor.remaining >= 46, cursor.number(4) == 0x0201_4b50 else {
      throw damaged("a record of a member is expected at byte \(cursor.position) of the directory")
    }
    cursor.position += 4
    let flags = cursor.number(2)
    let method = cursor.number(2)
    cursor.position += 4
    let crc = UInt32(truncatingIfNeeded: cursor.number(4))
    var compressedCount = cursor.number(4)
    var count = cursor.number(4)
    let (nameCount, extraCount, commentCount) = (
      cursor.number(2), cursor.number(2), cursor.number(2)
    )
    cursor.position += 8
    var offset = cursor.number(4)
    guard cursor.remaining >= nameCount + extraCount + commentCount else {
      throw damaged("the last record is cut off")
    }
    let name = String(decoding: cursor.bytes(nameCount), as: UTF8.self)
    var extra = LittleEndian(bytes: cursor.bytes(extraCount))
    cursor.position += commentCount
    while extra.remaining >= 4 {
      let (id, length) = (extra.number(2), extra.number(2))
      guard extra.remaining >= length else { break }
      var field = LittleEndian(bytes: extra.bytes(length))
      // Sizes that do not fit 32 bits: those that are marked, in this order.
      guard id == 1 else { continue }
      if count == 0xffff_ffff, field.remaining >= 8 { count = field.number(8) }
      if compressedCount == 0xffff_ffff, field.remaining >= 8 { compressedCount = field.number(8) }
      if offset == 0xffff_ffff, field.remaining >= 8 { offset = field.number(8) }
    }
    guard count >= 0, compressedCount >= 0, offset >= 0, offset <= Int.max - (1 << 20) else {
      throw damaged("member \(quoted(name)) has absurd sizes")
    }
    if flags & 1 != 0 {
      throw context.unsupported("is encrypted", "member \(quoted(name)) needs a password")
    }
    guard method == 0 || method == 8 else {
      throw context.unsupported(
        "is compressed in an unknown way",
        "member \(quoted(name)) uses method \(method); stored (0) and deflated (8) are supported")
    }
    if method == 0, count != compressedCount {
      throw damaged("stored member \(quoted(name)) has sizes \(compressedCount) and \(count)")
    }
    return Member(
      name: name, isDeflated: method == 8, crc: crc, compressedCount: compressedCount,
      count: count, offset: offset)
  }
}

/// Little-endian numbers, one after the other. The caller checks `remaining`.
struct LittleEndian {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  /// The next number of up to eight bytes; a number beyond `Int` becomes negative.
  mutating func number(_ count: Int) -> Int {
    defer { position += count }
    return Int(
      truncatingIfNeeded: bytes[position..<position + count].reversed()
        .reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { position += count }
    return Array(bytes[position..<position + count])
  }
}

/// Passes bytes through and checks their number and, if there is one, their CRC-32 at the end.
final class ChecksumStream: ByteStream {
  private let base: any ByteStream
  private let crc: UInt32?
  private let expected: Int
  private var running: UInt = 0
  private var count = 0

  init(_ base: any ByteStream, crc: UInt32?, count: Int) {
    self.base = base
    self.crc = crc
    expected = count
  }

  var context: FileContext { base.context }
  var remaining: Int? { base.remaining }
  var plausibleCount: Int { base.plausibleCount }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let found = try base.read(into: buffer)
    running = Checksum.update(running, UnsafeRawBufferPointer(rebasing: buffer[..<found]))
    count += found
    if found < buffer.count {
      if count != expected {
        throw context.malformed(
          "is damaged", "the directory promises \(expected) bytes and there are \(count)")
      }
      if let crc, UInt32(truncatingIfNeeded: running) != crc {
        throw context.malformed(
          "is damaged", "the checksum of the content differs from the one in the directory")
      }
    }
    return found
  }
}
