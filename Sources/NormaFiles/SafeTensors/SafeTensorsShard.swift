/// One safetensors file: its checked header, and where its data begin.
struct SafeTensorsShard: Sendable {
  let file: InputFile
  let dataStart: Int
  var header: SafeTensorsHeader

  init(_ file: InputFile) throws {
    let context = file.context
    if file.size < 8 {
      throw context.truncated("8 bytes for the header's length are needed and \(file.size) follow")
    }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    if length > UInt64(SafeTensorsHeader.largestCount) {
      let other = try file.mismatch("a safetensors file")
      if other.problem != "holds an unknown format" { throw other }
      throw context.malformed(
        "has an absurd header",
        "\(length) bytes, and at most \(SafeTensorsHeader.largestCount) are allowed")
    }
    let count = Int(length)
    if count > file.size - 8 {
      throw context.truncated("its header claims \(count) bytes and \(file.size - 8) follow")
    }
    dataStart = 8 + count
    header = try SafeTensorsHeader(
      file.bytes(at: 8, count: count), dataCount: file.size - dataStart, context: context)
    self.file = file
  }
}
