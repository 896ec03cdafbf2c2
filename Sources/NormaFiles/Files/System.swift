#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The system calls for files, with error texts.
enum System {
  struct Failure: Error {
    let text: String
    init(_ call: String) { text = "\(call) failed: \(String(cString: strerror(errno)))" }
    init(text: String) { self.text = text }
  }

  /// The largest number of bytes for one call; some systems do not support more than 2 GiB.
  static let largestTransfer = 1 << 30

  /// Opens a regular file and returns its descriptor and size.
  static func openToRead(_ path: String) throws(Failure) -> (descriptor: Int32, size: Int) {
    if path.utf8.contains(0) { throw Failure(text: "the path contains a zero byte") }
    // Non-blocking, so that a named pipe is reported below instead of being waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw Failure("open") }
    var status = stat()
    if fstat(descriptor, &status) != 0 {
      let failure = Failure("fstat")
      close(descriptor)
      throw failure
    }
    if status.st_mode & S_IFMT != S_IFREG {
      close(descriptor)
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      throw Failure(text: isDirectory ? "it is a directory" : "it is not a regular file")
    }
    return (descriptor, Int(status.st_size))
  }

  /// The names in a folder, or nil if the path is none.
  static func names(inFolder path: String) -> [String]? {
    guard !path.utf8.contains(0), let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }

  /// Reads at an offset until the buffer is full or the file ends; returns the number of bytes
  /// read.
  static func read(
    _ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Failure) -> Int {
    guard let start = buffer.baseAddress else { return 0 }
    var done = 0
    while done < buffer.count {
      let wanted = min(buffer.count - done, largestTransfer)
      let count = pread(descriptor, start + done, wanted, off_t(offset + done))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure("read")
      }
      done += count
    }
    return done
  }

  /// Writes all bytes at an offset.
  static func write(
    _ descriptor: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(Failure) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let wanted = min(bytes.count - done, largestTransfer)
      let count = pwrite(descriptor, start + done, wanted, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure("write")
      }
      done += count
    }
  }

  /// Creates a file that must not exist yet, with the permissions that the umask allows.
  static func create(_ path: String) throws(Failure) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw Failure("creating \(path)") }
    return descriptor
  }

  /// The file that a write to `path` must replace: symbolic links are followed, and devices and
  /// directories are errors.
  static func destination(_ path: String) throws(Failure) -> String {
    if path.isEmpty { throw Failure(text: "the path is empty") }
    if path.utf8.contains(0) { throw Failure(text: "the path contains a zero byte") }
    var status = stat()
    if stat(path, &status) != 0 {
      if errno == ENOENT { return path }
      throw Failure("stat")
    }
    if status.st_mode & S_IFMT != S_IFREG { throw Failure(text: "it is not a regular file") }
    guard let resolved = realpath(path, nil) else { throw Failure("realpath") }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Makes sure that written data survive a power failure.
  static func synchronize(_ descriptor: Int32) throws(Failure) {
    if fsync(descriptor) != 0 { throw Failure("fsync") }
  }

  /// Renames `source` to `target`, and makes sure that the new name survives a power failure.
  static func replace(_ target: String, with source: String, in folder: String) throws(Failure) {
    if rename(source, target) != 0 { throw Failure("rename") }
    // Some file systems cannot synchronize a folder; the data are in place either way.
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 {
      fsync(descriptor)
      close(descriptor)
    }
  }

  static func closeDescriptor(_ descriptor: Int32) { close(descriptor) }
  static func remove(_ path: String) { unlink(path) }
}
