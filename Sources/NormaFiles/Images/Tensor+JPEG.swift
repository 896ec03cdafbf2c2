import NormaTensor

#if NORMA_JPEG
  internal import CJPEG
#endif

extension Tensor {
  /// Reads a JPEG image as `uint8 [channels, height, width]`.
  ///
  ///     let photo = try Tensor(jpeg: "photo.jpg")                           // uint8 [3, 480, 640]
  ///     let upright = try Tensor(jpeg: "photo.jpg", appliesOrientation: true)
  ///
  /// Pixels are 0 to 255, decoded by libjpeg's exact inverse transform and smooth upsampling, as in
  /// Pillow and torchvision. The result is channels last in memory. Requires the package trait
  /// `JPEG`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; nil keeps the 1 or 3 of the
  ///     file. Gray is the luma of the file, 0.299 R + 0.587 G + 0.114 B; alpha is opaque.
  ///   - appliesOrientation: whether to rotate and mirror the image upright according to its EXIF
  ///     orientation. By default pixels stay as they are stored, as in torchvision.
  /// - Throws: `FileError` if the file cannot be read, is truncated or damaged, or of an
  ///   unsupported kind: CMYK, 12 bits, lossless, arithmetic coding.
  /// - PyTorch: `torchvision.io.decode_image`.
  public init(jpeg path: String, channels: Int? = nil, appliesOrientation: Bool = false) throws {
    try self.init(
      jpeg: InputFile(path: path, operation: "Tensor(jpeg:)"), channels: channels,
      appliesOrientation: appliesOrientation)
  }

  /// The same for a file that is already in memory.
  package init(
    jpegBytes bytes: [UInt8], channels: Int? = nil, appliesOrientation: Bool = false
  ) throws {
    let file = InputFile(bytes: bytes, name: "the data", operation: "Tensor(jpegBytes:)")
    try self.init(jpeg: file, channels: channels, appliesOrientation: appliesOrientation)
  }

  init(jpeg file: InputFile, channels wanted: Int?, appliesOrientation: Bool) throws {
    #if NORMA_JPEG
      let bytes = try file.bytes(at: 0, count: file.size)
      var image = norma_jpeg()
      guard norma_jpeg_describe(bytes, bytes.count, &image) == 0 else {
        throw image.error(file.context)
      }
      let channels = try file.context.imageChannels(wanted ?? Int(image.channels))
      // A block of 64 pixels takes at least one bit in one of the channels, and another channel may
      // have one block for 16 of them; a header that claims more is rejected.
      guard image.width * image.height / 1024 <= bytes.count else {
        throw file.context.truncated(
          "the header promises \(image.width) x \(image.height) pixels, which \(bytes.count) bytes "
            + "cannot hold")
      }
      var isRead = true
      let pixels = Tensor(shape: [image.height, image.width, channels], dtype: .uint8) { target in
        let start = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        isRead = norma_jpeg_decode(bytes, bytes.count, Int32(channels), start, &image) == 0
      }
      guard isRead else { throw image.error(file.context) }
      let upright = pixels.permuted(2, 0, 1)
      self = appliesOrientation ? upright.oriented(by: Orientation(jpeg: bytes)) : upright
    #else
      throw file.context.missingTrait("JPEG", "JPEG images")
    #endif
  }
}

#if NORMA_JPEG
  extension norma_jpeg {
    /// libjpeg's error.
    fileprivate func error(_ context: FileContext) -> FileError {
      let text = withUnsafeBytes(of: problem) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      return is_unsupported
        ? context.unsupported("is an unsupported JPEG image", text)
        : context.malformed("is not a valid JPEG image", text)
    }
  }
#endif

extension FileContext {
  /// Checks a number of image channels.
  func imageChannels(_ channels: Int) throws -> Int {
    guard (1...4).contains(channels) else {
      throw unsupported("cannot be read in \(channels) channels", "images have 1, 2, 3 or 4")
    }
    return channels
  }
}
