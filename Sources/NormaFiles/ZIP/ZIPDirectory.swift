/// The location of the member list of a ZIP file, and the claimed number of members.
struct ZIPDirectory {
  let bytes: [UInt8]
  let memberCount: Int

  /// Finds the end record, which comes last, followed by a comment of up to 65,535 bytes.
  init(_ file: InputFile) throws {
    let context = file.context
    let tailCount = min(file.size, 22 + 0xffff)
    let tailStart = file.size - tailCount
    let tail = try file.bytes(at: tailStart, count: tailCount)
    guard let place = Self.endRecord(tail) else {
      throw context.malformed("is not a complete ZIP file", "its last record is missing")
    }
    var cursor = LittleEndian(bytes: tail)
    cursor.position = place + 8
    var (onDisk, total) = (cursor.number(2), cursor.number(2))
    var (count, offset) = (cursor.number(4), cursor.number(4))
    var end = tailStart + place
    if total == 0xffff || count == 0xffff_ffff || offset == 0xffff_ffff,
      let start = try Self.wideRecord(file, before: end)
    {
      var wide = LittleEndian(bytes: try file.bytes(at: start, count: 56))
      guard wide.number(4) == 0x0606_4b50 else {
        throw context.malformed("has a damaged directory", "no 64-bit record at byte \(start)")
      }
      wide.position = 24
      (onDisk, total) = (wide.number(8), wide.number(8))
      (count, offset) = (wide.number(8), wide.number(8))
      end = start
    }
    guard onDisk == total else {
      throw context.unsupported("is part of a split archive", "all members must be in one file")
    }
    guard offset >= 0, count >= 0, total >= 0, offset <= end, count <= end - offset else {
      throw context.malformed(
        "has a damaged directory", "\(count) bytes at \(offset) do not fit before byte \(end)")
    }
    bytes = try file.bytes(at: offset, count: count)
    memberCount = total
  }

  /// The last position where an end record fits exactly.
  private static func endRecord(_ tail: [UInt8]) -> Int? {
    var place = tail.count - 22
    while place >= 0 {
      if tail[place] == 0x50, tail[place + 1] == 0x4b, tail[place + 2] == 5, tail[place + 3] == 6,
        place + 22 + Int(tail[place + 20]) + Int(tail[place + 21]) << 8 == tail.count
      {
        return place
      }
      place -= 1
    }
    return nil
  }

  /// The offset of the 64-bit end record, or nil if there is none.
  private static func wideRecord(_ file: InputFile, before end: Int) throws -> Int? {
    guard end >= 20 else { return nil }
    var locator = LittleEndian(bytes: try file.bytes(at: end - 20, count: 20))
    guard locator.number(4) == 0x0706_4b50 else { return nil }
    locator.position = 8
    let start = locator.number(8)
    guard start >= 0, start <= end - 20 else {
      throw file.context.malformed(
        "has a damaged directory", "its 64-bit record would start at byte \(start)")
    }
    return start
  }
}
