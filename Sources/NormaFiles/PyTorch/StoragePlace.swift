/// The location of a storage's bytes.
struct StoragePlace: Sendable {
  enum Source: Sendable {
    case member(ZIPArchive.Member)
    case range(Range<Int>)
  }

  let file: InputFile
  let source: Source
  let byteCount: Int
  /// Whether elements are big-endian.
  var isBigEndian = false

  /// All bytes from the start; an archive's checksum is verified at the end.
  func stream(_ context: FileContext) throws -> any ByteStream {
    switch source {
    case .member(let member):
      try ZIPArchive.stream(member, of: file, context: context, zeroIsChecksum: false)
    case .range(let range): FileStream(file, range: range, context: context)
    }
  }

  /// The offset of its bytes in the file, or nil if they have to be decompressed.
  func start(_ context: FileContext) throws -> Int? {
    switch source {
    case .range(let range): range.lowerBound
    case .member(let member):
      member.isDeflated ? nil : try ZIPArchive.range(member, of: file, context: context).lowerBound
    }
  }
}
