/// Writes a ZIP file member by member.
///
/// The bytes depend only on the content: every member has the earliest date that ZIP supports.
struct ZIPWriter {
  private struct Member {
    let name: [UInt8]
    let isDeflated: Bool
    let isWide: Bool
    let offset: Int
    var crc: UInt = 0
    var compressedCount = 0
    var count = 0
  }

  private let file: OutputFile
  /// Uses 64-bit sizes from this size on; lower in tests.
  private let wideFrom: Int
  private var members: [Member] = []

  init(_ file: OutputFile, wideFrom: Int = 0xf000_0000) {
    self.file = file
    self.wideFrom = wideFrom
  }

  /// Adds a member of these pieces.
  mutating func add(
    _ name: String, deflated: Bool, header: [UInt8], content: UnsafeRawBufferPointer
  ) throws {
    let total = header.count + content.count
    var member = Member(
      name: Array(name.utf8), isDeflated: deflated, isWide: total >= wideFrom, offset: file.count)
    if member.name.count > 0xffff {
      throw file.context.unsupported(
        "cannot hold a name of \(member.name.count) bytes", "ZIP allows 65535")
    }
    try file.write(localHeader(member))
    let start = file.count
    member.crc = Checksum.update(
      header.withUnsafeBytes { Checksum.update(0, $0) }, content)
    if deflated {
      #if NORMA_COMPRESSION
        let stream = try DeflateStream(file)
        try header.withUnsafeBytes { try stream.write($0) }
        try stream.write(content)
        try stream.finish()
      #else
        throw file.context.missingTrait("Compression", "compressed files")
      #endif
    } else {
      try file.write(header)
      try file.write(content)
    }
    member.count = total
    member.compressedCount = file.count - start
    // The sizes are known only now.
    try file.overwrite(at: member.offset, localHeader(member))
    members.append(member)
  }

  /// Writes the directory.
  func finish() throws {
    let start = file.count
    for member in members { try file.write(directoryRecord(member)) }
    let count = file.count - start
    let isWide = members.count >= 0xffff || start >= wideFrom || count >= wideFrom
    if isWide {
      let wide = file.count
      try file.write(
        little(0x0606_4b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8)
          + little(members.count, 8) + little(members.count, 8) + little(count, 8)
          + little(start, 8))
      try file.write(little(0x0706_4b50, 4) + little(0, 4) + little(wide, 8) + little(1, 4))
    }
    let shown = isWide ? 0xffff : members.count
    try file.write(
      little(0x0605_4b50, 4) + little(0, 4) + little(shown, 2) + little(shown, 2)
        + little(isWide ? 0xffff_ffff : count, 4) + little(isWide ? 0xffff_ffff : start, 4)
        + little(0, 2))
  }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Version, flags (names are UTF-8), method, time, date and checksum.
  private func commonFields(_ member: Member) -> [UInt8] {
    let isASCII = member.name.allSatisfy { $0 < 0x80 }
    return little(member.isWide ? 45 : 20, 2) + little(isASCII ? 0 : 0x800, 2)
      + little(member.isDeflated ? 8 : 0, 2) + little(0, 2) + little(0x21, 2)
      + little(Int(member.crc), 4)
  }

  private func localHeader(_ member: Member) -> [UInt8] {
    let sizes =
      member.isWide
      ? little(-1, 8) : little(member.compressedCount, 4) + little(member.count, 4)
    let extra =
      member.isWide
      ? little(1, 2) + little(16, 2) + little(member.count, 8) + little(member.compressedCount, 8)
      : []
    return little(0x0403_4b50, 4) + commonFields(member) + sizes + little(member.name.count, 2)
      + little(extra.count, 2) + member.name + extra
  }

  private func directoryRecord(_ member: Member) -> [UInt8] {
    let isWide = member.isWide || member.offset >= wideFrom
    let sizes = isWide ? little(-1, 8) : little(member.compressedCount, 4) + little(member.count, 4)
    let extra =
      isWide
      ? little(1, 2) + little(24, 2) + little(member.count, 8) + little(member.compressedCount, 8)
        + little(member.offset, 8)
      : []
    // Made by Unix; permissions rw-r--r--.
    return little(0x0201_4b50, 4) + little(45 | 3 << 8, 2) + commonFields(member) + sizes
      + little(member.name.count, 2) + little(extra.count, 2) + little(0, 6)
      + little(0o100644 << 16, 4) + little(isWide ? -1 : member.offset, 4) + member.name + extra
  }
}
