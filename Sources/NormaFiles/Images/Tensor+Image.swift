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
    let file = try InputFile(path: path, operation: "Tensor(image:)")
    switch FileFormat.ofImage(try file.head(8)) {
    case .png: try self.init(png: file, channels: channels)
    case .jpeg:
      try self.init(jpeg: file, channels: channels, appliesOrientation: appliesOrientation)
    default:
      throw file.context.unsupported("is not a supported image", "PNG and JPEG are supported")
    }
  }
}
