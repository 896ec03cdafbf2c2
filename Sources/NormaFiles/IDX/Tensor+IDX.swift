import NormaTensor

extension Tensor {
  /// Reads an IDX file, the format of MNIST and Fashion-MNIST, optionally compressed with gzip.
  ///
  /// let images = try Tensor(idx: "train-images-idx3-ubyte.gz") // [60000, 28, 28]
  ///     let labels = try Tensor(idx: "train-labels-idx1-ubyte.gz", count: 1000)  // [1000]
  ///
  /// Numbers are big-endian in the file. Unsigned bytes become `uint8`, signed ones `int8`; longer
  /// integers `int16` or `int32`, and real numbers `float32` or `float64`. Pixels stay 0 to 255;
  /// values are not scaled.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - count: Reads at most this many entries along axis 0; the rest of a compressed file is not
  ///     decompressed, and its checksum is not checked. Nil reads all.
  /// - Throws: `FileError` if the file cannot be read, is truncated, is longer than its header
  ///   says, or violates the format.
  public init(idx path: String, count: Int? = nil) throws {
    try self.init(idx: InputFile(path: path, operation: "Tensor(idx:)"), count: count)
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(idxBytes bytes: [UInt8], count: Int? = nil, name: String = "the data") throws {
    let file = InputFile(bytes: bytes, name: name, operation: "Tensor(idxBytes:)")
    try self.init(idx: file, count: count)
  }

  init(idx file: InputFile, count: Int?) throws {
    let stream = try file.stream()
    let context = stream.context
    let magic = try stream.header(4, "the magic number of an IDX file")
    if magic[0] != 0 || magic[1] != 0 {
      throw context.malformed("is not an IDX file", "it does not start with two zero bytes")
    }
    let element = try ElementFormat(idx: magic[2], context: context)
    let lengths = try stream.header(4 * Int(magic[3]), "the shape, \(magic[3]) lengths,")
    let shape = (0..<Int(magic[3])).map { axis in
      lengths[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    let whole = try ArrayPlan(shape: shape, element: element, context: context)
    guard let count else {
      self = try stream.tensor(whole)
      try stream.expectEnd(after: whole)
      return
    }
    guard let first = shape.first, count >= 0 else {
      throw context.unsupported(
        "has no first \(count) entries", "its shape is \(shape), and count: takes 0 or more")
    }
    // Missing data are detected even if they need not be read.
    if let remaining = stream.remaining, remaining != whole.byteCount {
      let detail = "the header promises \(whole) and \(remaining) bytes follow"
      throw remaining < whole.byteCount
        ? context.truncated(detail) : context.malformed("is too long", detail)
    }
    let part = try ArrayPlan(
      shape: [Swift.min(first, count)] + shape.dropFirst(), element: element, context: context)
    self = try stream.tensor(part)
  }
}

extension ElementFormat {
  /// The element that the third byte of an IDX file names.
  init(idx code: UInt8, context: FileContext) throws {
    switch code {
    case 0x08: self.init(.uint8)
    case 0x09: self.init(.int8)
    case 0x0b: self.init(.int16, isBigEndian: true)
    case 0x0c: self.init(.int32, isBigEndian: true)
    case 0x0d: self.init(.float32, isBigEndian: true)
    case 0x0e: self.init(.float64, isBigEndian: true)
    default:
      throw context.malformed(
        "has an unknown IDX type",
        "0x\(String(code, radix: 16)); 0x8, 0x9 and 0xb to 0xe are defined")
    }
  }
}
