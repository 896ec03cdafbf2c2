import NormaTensor

/// Bytes that are read once, from start to end: a range of a file, or its decompressed contents.
protocol ByteStream: AnyObject {
  var context: FileContext { get }

  /// The exact number of remaining bytes; nil if that is only known after reading.
  var remaining: Int? { get }

  /// The number of bytes that may be allocated because of a header alone, before they are read.
  var plausibleCount: Int { get }

  /// Fills the buffer; reads fewer bytes than its size only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteStream {
  /// The next bytes of a header.
  func header(_ count: Int, _ what: String) throws -> [UInt8] {
    var found = 0
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      found = try read(into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      done = found
    }
    if found < count {
      throw context.truncated("\(what) needs \(count) bytes and only \(found) follow")
    }
    return bytes
  }

  /// Reads the tensor that a header describes.
  ///
  /// Its memory is allocated immediately only if the file is large enough for it; compressed data
  /// that claim to be huge are read first.
  func tensor(_ plan: ArrayPlan) throws -> Tensor {
    try context.checkAxes(plan.shape)
    if let remaining, remaining < plan.byteCount { throw truncated(plan, found: remaining) }
    if !plan.isColumnMajor, plan.byteCount <= plausibleCount {
      return try Tensor(shape: plan.shape, dtype: plan.element.dtype) { target in
        let found = try read(into: target)
        if found < plan.byteCount { throw truncated(plan, found: found) }
        plan.element.decodeInPlace(target)
      }
    }
    var bytes = try collect(plan.byteCount) { truncated(plan, found: $0) }
    return Tensor(shape: plan.shape, dtype: plan.element.dtype) { target in
      bytes.withUnsafeMutableBytes { plan.decode($0, into: target) }
    }
  }

  /// Throws unless everything was read; for a compressed stream, this also checks its checksum.
  func expectEnd(after plan: ArrayPlan) throws {
    if let remaining, remaining > 0 {
      throw context.malformed(
        "is too long",
        "the header promises \(plan) and \(plan.byteCount + remaining) bytes follow")
    }
    try expectEnd {
      context.malformed("is too long", "the header promises \(plan) and more bytes follow")
    }
  }

  /// Throws unless everything was read.
  func expectEnd(orElse error: () -> FileError) throws {
    var extra: UInt8 = 0
    if try withUnsafeMutableBytes(of: &extra, { try read(into: $0) }) > 0 { throw error() }
  }

  /// Reads and discards bytes.
  func skip(_ count: Int) throws {
    var left = count
    var buffer = [UInt8](repeating: 0, count: min(count, 1 << 18))
    while left > 0 {
      let wanted = min(left, buffer.count)
      let found = try buffer.withUnsafeMutableBytes {
        try read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
      }
      if found < wanted {
        throw context.truncated("\(count) bytes are promised and \(count - left + found) follow")
      }
      left -= wanted
    }
  }

  private func truncated(_ plan: ArrayPlan, found: Int) -> FileError {
    context.truncated("the header promises \(plan) and \(found) bytes follow")
  }

  /// The next bytes, in memory that grows as bytes are actually read.
  func collect(_ count: Int, orElse error: (_ found: Int) -> FileError) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(count, plausibleCount))
    var step = min(count, max(plausibleCount, 1 << 16))
    while bytes.count < count {
      let wanted = min(step, count - bytes.count)
      var found = 0
      bytes += try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, done in
        found = try read(
          into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: wanted))
        done = found
      }
      if found < wanted { throw error(bytes.count) }
      step = max(1 << 16, min(bytes.count, 1 << 26))
    }
    return bytes
  }
}

/// A range of a file, uncompressed.
final class FileStream: ByteStream {
  let context: FileContext
  private let file: InputFile
  private var range: Range<Int>

  init(_ file: InputFile, range: Range<Int>? = nil, context: FileContext? = nil) {
    self.file = file
    self.range = range ?? 0..<file.size
    self.context = context ?? file.context
  }

  var remaining: Int? { range.count }
  var plausibleCount: Int { range.count }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, range.count)
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    try file.read(at: range.lowerBound, into: target, for: context)
    range = range.lowerBound + count..<range.upperBound
    return count
  }
}

extension InputFile {
  /// The file's content from the start, decompressed if it starts with a gzip header.
  func stream() throws -> any ByteStream {
    try head(2) == [0x1f, 0x8b] ? try inflated(wrapper: .gzip) : FileStream(self)
  }
}
