/// A file, or bytes in memory, read at any offset.
///
/// Files are read rather than memory-mapped: if a mapped file shrinks, accessing it kills the
/// process.
package final class InputFile: Sendable {
  private enum Source {
    case descriptor(Int32)
    case bytes([UInt8])
  }

  private let source: Source
  package let context: FileContext
  package let size: Int

  package init(path: String, operation: String) throws {
    context = FileContext(operation: operation, path: path)
    do {
      let (descriptor, size) = try System.openToRead(path)
      self.source = .descriptor(descriptor)
      self.size = size
    } catch {
      throw context.error(.system, "cannot be opened", error.text)
    }
  }

  package init(bytes: [UInt8], name: String, operation: String) {
    context = FileContext(operation: operation, path: name)
    source = .bytes(bytes)
    size = bytes.count
  }

  init(bytes: [UInt8], context: FileContext) {
    self.context = context
    source = .bytes(bytes)
    size = bytes.count
  }

  /// Whether this is a file rather than bytes in memory.
  var isOnDisk: Bool {
    if case .descriptor = source { true } else { false }
  }

  deinit {
    if case .descriptor(let descriptor) = source { System.closeDescriptor(descriptor) }
  }

  /// Fills the buffer from the bytes at `offset`.
  package func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer, for context: FileContext? = nil
  ) throws {
    let context = context ?? self.context
    guard offset >= 0, offset <= size, buffer.count <= size - offset else {
      throw context.truncated(
        "\(buffer.count) bytes at offset \(offset) are needed and the file has \(size)")
    }
    switch source {
    case .bytes(let bytes):
      bytes.withUnsafeBytes {
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
      }
    case .descriptor(let descriptor):
      let count: Int
      do {
        count = try System.read(descriptor, at: offset, into: buffer)
      } catch {
        throw context.error(.system, "cannot be read", error.text)
      }
      if count < buffer.count {
        throw context.truncated(
          "it had \(size) bytes when it was opened and now ends at \(offset + count)")
      }
    }
  }

  /// The bytes at `offset`; never allocates more than the file's size.
  package func bytes(
    at offset: Int, count: Int, for context: FileContext? = nil
  ) throws -> [UInt8] {
    guard count >= 0, count <= size else {
      throw (context ?? self.context).truncated(
        "\(count) bytes at offset \(offset) are needed and the file has \(size)")
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
      try read(at: offset, into: target, for: context)
      done = count
    }
  }

  /// The first bytes, at most `count`.
  func head(_ count: Int) throws -> [UInt8] { try bytes(at: 0, count: min(count, size)) }
}
