import NormaTensor

extension Tensor {
  /// Reads a NumPy array file (.npy).
  ///
  /// Versions 1 to 3, either byte order, C and Fortran order; the tensor is always row-major.
  /// `bool`, all integers, `float16`, `float32` and `float64` keep their type. Other types
  /// (complex, text, records, objects) are errors that name the type. A file that is compressed
  /// with gzip is decompressed. NumPy: `numpy.load(path)`.
  ///
  /// - Throws: `FileError` if the file cannot be read, is truncated, is longer than its header
  ///   says, or violates the format.
  public init(npy path: String) throws {
    try self.init(npy: InputFile(path: path, operation: "Tensor(npy:)"))
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(npyBytes bytes: [UInt8], name: String = "the data") throws {
    try self.init(npy: InputFile(bytes: bytes, name: name, operation: "Tensor(npyBytes:)"))
  }

  init(npy file: InputFile) throws { try self.init(npy: file.stream()) }

  init(npy stream: any ByteStream) throws {
    let header = try NPYHeader(stream)
    let plan = try ArrayPlan(
      shape: header.shape, element: ElementFormat(npy: header.descr, context: stream.context),
      isColumnMajor: header.isColumnMajor, context: stream.context)
    self = try stream.tensor(plan)
    try stream.expectEnd(after: plan)
  }

  /// Writes a NumPy array file (.npy), row-major and little-endian, as `numpy.save` does.
  ///
  /// The file appears under its name when it is complete: a reader sees the old content or the new
  /// one, never a mixture, even after a power failure.
  ///
  /// - Throws: `FileError` if the file cannot be written, and for `bfloat16`, which NumPy does
  ///   not have: cast to `float32` first, which is exact.
  public func write(npy path: String) throws {
    try OutputFile.write(path, operation: "write(npy:)") { file in
      let header = try npyHeader(context: file.context)
      try file.write(header)
      try withUnsafeBytes { try file.write($0) }
    }
  }

  func npyHeader(context: FileContext) throws -> [UInt8] {
    guard let descr = ElementFormat.npyName(dtype) else {
      throw context.unsupported(
        "cannot hold \(dtype)", "NumPy has no such type; cast(to: .float32) is exact")
    }
    return NPYHeader(descr: descr, isColumnMajor: false, shape: shape).bytes()
  }
}
