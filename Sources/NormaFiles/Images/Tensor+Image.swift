import NormaTensor

extension Tensor {
  /// Reads a PNG or JPEG image as `[channels, height, width]`; the format is detected from the
  /// first bytes, not from the name.
  ///
  ///     let photo = try Tensor(image: "photo.jpg", channels: 3)  // uint8 [3, 480, 640]
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; nil keeps those of the file.
  ///   - appliesOrientation: whether to rotate a JPEG image upright according to its EXIF
  ///     orientation.
  /// - Throws: `FileError`, as `Tensor(png:channels:)` and
  ///   `Tensor(jpeg:channels:appliesOrientation:)` do, and for files of another format.
  /// - PyTorch: `torchvision.io.decode_image`.
  public init(image path: String, channels: Int? = nil, appliesOrientation: Bool = false) throws {
    try self.init(
      image: InputFile(path: path, operation: "Tensor(image:)"), channels: channels,
      appliesOrientation: appliesOrientation)
  }

  /// Reads a PNG or JPEG image that is already in memory, such as the body of a request, as
  /// `[channels, height, width]`.
  ///
  ///     let upload = try Tensor(imageBytes: body, channels: 1)  // uint8 [1, 28, 28]
  ///
  /// - Parameters:
  ///   - bytes: the contents of a file.
  ///   - channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; nil keeps those of the file.
  ///   - appliesOrientation: whether a JPEG image is set upright as its EXIF orientation says.
  /// - Throws: `FileError`, as `Tensor(image:channels:appliesOrientation:)` does, with the name
  ///   `the data`.
  /// - PyTorch: `torchvision.io.decode_image`.
  public init(
    imageBytes bytes: [UInt8], channels: Int? = nil, appliesOrientation: Bool = false
  ) throws {
    try self.init(
      image: InputFile(bytes: bytes, name: "the data", operation: "Tensor(imageBytes:)"),
      channels: channels, appliesOrientation: appliesOrientation)
  }

  private init(image file: InputFile, channels: Int?, appliesOrientation: Bool) throws {
    switch FileFormat.ofImage(try file.head(8)) {
    case .png: try self.init(png: file, channels: channels)
    case .jpeg:
      try self.init(jpeg: file, channels: channels, appliesOrientation: appliesOrientation)
    default:
      throw file.context.unsupported("is not a supported image", "PNG and JPEG are supported")
    }
  }
}
