/// A file that appears under its name only when it is complete.
///
/// The bytes are written to a temporary file in the same folder, which replaces the target after
/// they have reached the disk. If anything fails earlier, the target is unchanged.
final class OutputFile {
  let context: FileContext
  private let target: String
  private let folder: String
  private let temporary: String
  private let descriptor: Int32
  private var isComplete = false
  /// The number of bytes written so far.
  private(set) var count = 0

  /// Writes a file with `body`, completely or not at all.
  static func write(
    _ path: String, operation: String, _ body: (OutputFile) throws -> Void
  ) throws {
    let context = FileContext(operation: operation, path: path)
    do {
      let file = try OutputFile(context: context)
      try body(file)
      try file.complete()
    } catch let failure as System.Failure {
      throw context.error(.system, "cannot be written", failure.text)
    }
  }

  private init(context: FileContext) throws(System.Failure) {
    self.context = context
    target = try System.destination(context.path)
    if let slash = target.lastIndex(of: "/") {
      folder = String(target[...slash])
    } else {
      folder = "./"
    }
    temporary = "\(folder).norma-\(String(UInt64.random(in: 0 ... .max), radix: 16)).tmp"
    descriptor = try System.create(temporary)
  }

  deinit {
    System.closeDescriptor(descriptor)
    if !isComplete { System.remove(temporary) }
  }

  /// Appends bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(System.Failure) {
    try System.write(descriptor, at: count, bytes)
    count += bytes.count
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  /// Replaces bytes that were already written.
  func overwrite(at offset: Int, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try System.write(descriptor, at: offset, $0) }
  }

  private func complete() throws(System.Failure) {
    try System.synchronize(descriptor)
    try System.replace(target, with: temporary, in: folder)
    isComplete = true
  }
}
