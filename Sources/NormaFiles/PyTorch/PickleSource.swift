/// The bytes of a pickle, read from start to end through a window of the file.
struct PickleSource {
  let context: FileContext
  private let file: InputFile
  private let end: Int
  private var window: [UInt8] = []
  private var windowStart: Int
  private var index = 0

  /// A pickle that starts at `start` and ends before `end`.
  init(_ file: InputFile, range: Range<Int>, context: FileContext) {
    self.file = file
    self.context = context
    windowStart = range.lowerBound
    end = range.upperBound
  }

  /// The offset of the next byte in the file.
  var position: Int { windowStart + index }

  mutating func byte() throws -> UInt8 {
    if index == window.count { try refill() }
    defer { index += 1 }
    return window[index]
  }

  /// A little-endian unsigned number of up to eight bytes.
  mutating func unsigned(_ count: Int) throws -> UInt64 {
    var value: UInt64 = 0
    for place in 0..<count { value |= UInt64(try byte()) << UInt64(8 * place) }
    return value
  }

  /// The length of the following data, encoded in `count` bytes.
  mutating func length(_ count: Int) throws -> Int {
    let value = try unsigned(count)
    guard value <= UInt64(end - position) else {
      throw context.truncated("\(value) bytes are promised at byte \(position) and the pickle ends")
    }
    return Int(value)
  }

  /// The next bytes, which are allocated only if the file has them.
  mutating func bytes(_ count: Int) throws -> [UInt8] {
    guard count <= end - position else {
      throw context.truncated(
        "\(count) bytes are needed at byte \(position) and \(end - position) follow")
    }
    if count <= window.count - index {
      defer { index += count }
      return Array(window[index..<index + count])
    }
    let start = position
    (windowStart, window, index) = (start + count, [], 0)
    return try file.bytes(at: start, count: count, for: context)
  }

  /// The next line, without its line end.
  mutating func line() throws -> String {
    var bytes: [UInt8] = []
    while true {
      let next = try byte()
      if next == UInt8(ascii: "\n") { break }
      if bytes.count == 1 << 16 {
        throw context.malformed("has a damaged pickle", "a line of text does not end")
      }
      bytes.append(next)
    }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func refill() throws {
    let start = position
    let count = min(1 << 16, end - start)
    guard count > 0 else { throw context.truncated("the pickle has no end mark") }
    window = try file.bytes(at: start, count: count, for: context)
    (windowStart, index) = (start, 0)
  }
}
