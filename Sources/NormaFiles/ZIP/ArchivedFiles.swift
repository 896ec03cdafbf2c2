/// The files inside an archive: .zip, .whl, .tar or .tar.gz, told apart by their first bytes.
///
/// Names are only names here: extracting writes to the path that the caller chooses.
package struct ArchivedFiles: Sendable {
  private enum Source: Sendable {
    case zip([String: ZIPArchive.Member])
    case tar
  }

  /// The names of all files, with slashes, in the order of the archive.
  package let names: [String]
  private let file: InputFile
  private let source: Source

  /// Opens an archive and reads the names in it; a compressed .tar is decompressed for that.
  ///
  /// - Throws: `FileError` if it cannot be read or is damaged.
  package init(contentsOf path: String) throws {
    file = try InputFile(path: path, operation: "ArchivedFiles(contentsOf:)")
    if try file.head(2) == [0x50, 0x4b] {
      let members = try ZIPArchive(file).members.filter { !$0.name.hasSuffix("/") }
      names = members.map(\.name)
      source = .zip(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0) }))
    } else {
      var names: [String] = []
      try TARStream(file).forEachFile { header, _ in
        names.append(header.name)
        return true
      }
      (self.names, source) = (names, .tar)
    }
  }

  /// Writes a file of the archive to a path, completely or not at all.
  ///
  /// - Throws: `FileError` if there is no such file, it is damaged, or the path is not writable.
  package func extract(_ name: String, to path: String) throws {
    var isFound = false
    try OutputFile.write(path, operation: "ArchivedFiles.extract(_:to:)") { output in
      switch source {
      case .zip(let members):
        guard let member = members[name] else { return }
        isFound = true
        let context = file.context.member(name)
        let stream = try ZIPArchive.stream(member, of: file, context: context)
        try Self.copy(member.count, of: stream, to: output)
        try stream.expectEnd { context.malformed("is damaged", "bytes follow its end") }
      case .tar:
        try TARStream(file).forEachFile { header, stream in
          guard header.name == name else { return true }
          isFound = true
          try Self.copy(header.count, of: stream, to: output)
          return false
        }
      }
      if !isFound { throw file.context.error(.missing, "has no file \(quoted(name))", "") }
    }
  }

  private static func copy(
    _ count: Int, of stream: any ByteStream, to output: OutputFile
  ) throws {
    var left = count
    var buffer = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 20))
    while left > 0 {
      let wanted = min(left, buffer.count)
      let found = try buffer.withUnsafeMutableBytes {
        try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
      }
      if found < wanted {
        throw stream.context.truncated("\(count) bytes are promised and \(count - left) follow")
      }
      try buffer.withUnsafeBytes {
        try output.write(UnsafeRawBufferPointer(rebasing: $0[..<wanted]))
      }
      left -= wanted
    }
  }
}

/// The members of a .tar file, one after the other. Source: POSIX.1-2008, pax, ustar format.
private struct TARStream {
  struct Header {
    let name: String
    let count: Int
    let kind: UInt8
  }

  private let stream: any ByteStream

  init(_ file: InputFile) throws { stream = try file.stream() }

  /// Calls `body` for every regular file, until it returns false; false promises nothing about how
  /// much of the member was read, true that none was.
  func forEachFile(_ body: (Header, any ByteStream) throws -> Bool) throws {
    var longName: String?
    while let header = try header() {
      let padded = (header.count + 511) / 512 * 512
      switch header.kind {
      case UInt8(ascii: "L"), UInt8(ascii: "x"):
        guard header.count <= 1 << 20 else { throw damaged("a name of \(header.count) bytes") }
        let bytes = try stream.header(padded, "a name").prefix(header.count)
        longName =
          header.kind == UInt8(ascii: "L")
          ? Self.text(bytes) : Self.paxPath(bytes) ?? longName
      case 0, UInt8(ascii: "0"):
        let named = Header(name: longName ?? header.name, count: header.count, kind: header.kind)
        longName = nil
        guard try body(named, stream) else { return }
        try stream.skip(padded)
      default:
        longName = nil
        try stream.skip(padded)
      }
    }
  }

  private func damaged(_ detail: String) -> FileError {
    stream.context.malformed("is not a complete .zip or .tar archive", detail)
  }

  /// The next header, or nil at the end mark.
  private func header() throws -> Header? {
    let block = try stream.header(512, "a member")
    if block.allSatisfy({ $0 == 0 }) { return nil }
    let sum = block.enumerated().reduce(0) {
      $0 + Int((148..<156).contains($1.offset) ? 0x20 : $1.element)
    }
    guard Self.octal(block[148..<156]) == sum, let count = Self.octal(block[124..<136]),
      (0..<1 << 50).contains(count)
    else {
      throw damaged("a checksum does not match")
    }
    var name = Self.text(block[0..<100])
    if block[257..<262].elementsEqual("ustar".utf8), block[345] != 0 {
      name = "\(Self.text(block[345..<500]))/\(name)"
    }
    return Header(name: name, count: count, kind: block[156])
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func octal(_ bytes: ArraySlice<UInt8>) -> Int? {
    Int(text(bytes).filter { $0 != " " }, radix: 8)
  }

  /// The value of `path` among records `LENGTH KEY=VALUE`.
  private static func paxPath(_ bytes: ArraySlice<UInt8>) -> String? {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      line.split(separator: " ", maxSplits: 1).last.flatMap {
        $0.hasPrefix("path=") ? String($0.dropFirst(5)) : nil
      }
    }.last
  }
}
