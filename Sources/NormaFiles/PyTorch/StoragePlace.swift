/// Where the bytes of a storage lie.
struct StoragePlace: Sendable {
  enum Source: Sendable {
    case member(ZIPArchive.Member)
    case range(Range<Int>)
  }

  let file: InputFile
  let source: Source
  let byteCount: Int
  /// Whether elements have the high byte first.
  var isBigEndian = false

  /// All bytes from the first, with the checksum of an archive checked at the end.
  func stream(_ context: FileContext) throws -> any ByteStream {
    switch source {
    case .member(let member):
      try ZIPArchive.stream(member, of: file, context: context, zeroIsChecksum: false)
    case .range(let range): FileStream(file, range: range, context: context)
    }
  }

  /// Where its bytes stand in the file as they are, or nil where they have to be inflated.
  func start(_ context: FileContext) throws -> Int? {
    switch source {
    case .range(let range): range.lowerBound
    case .member(let member):
      member.isDeflated ? nil : try ZIPArchive.range(member, of: file, context: context).lowerBound
    }
  }
}
