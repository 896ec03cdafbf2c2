import NormaTensor

#if NORMA_PNG
  internal import CPNG
#endif

extension Tensor {
  /// Reads a PNG image as `[channels, height, width]`.
  ///
  ///     let photo = try Tensor(png: "photo.png")               // uint8 [3, 480, 640]
  ///     let digit = try Tensor(png: "digit.png", channels: 1)  // uint8 [1, 28, 28]
  ///
  /// Values are those of the file, without scaling or gamma correction. 8 bits and less become
  /// `uint8`, where less than 8 bits are scaled to 0 to 255; 16 bits become `uint16`. Palettes are
  /// resolved. The result is channels last in memory. Requires the package trait `PNG`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; nil keeps those of the file.
  ///     Colors become gray as 0.299 R + 0.587 G + 0.114 B; alpha is dropped without blending, and
  ///     opaque if the file has none.
  /// - Throws: `FileError` if the file cannot be read, is truncated, or is not a valid PNG
  ///   image.
  /// - PyTorch: `torchvision.io.decode_image`.
  public init(png path: String, channels: Int? = nil) throws {
    try self.init(png: InputFile(path: path, operation: "Tensor(png:)"), channels: channels)
  }

  /// The same for a file that is already in memory.
  package init(pngBytes bytes: [UInt8], channels: Int? = nil) throws {
    let file = InputFile(bytes: bytes, name: "the data", operation: "Tensor(pngBytes:)")
    try self.init(png: file, channels: channels)
  }

  init(png file: InputFile, channels wanted: Int?) throws {
    #if NORMA_PNG
      let bytes = try file.bytes(at: 0, count: file.size)
      var image = norma_png()
      guard norma_png_describe(bytes, bytes.count, &image) == 0 else {
        throw file.context.malformed("is not a valid PNG image", image.text)
      }
      let channels = try file.context.imageChannels(wanted ?? Int(image.channels))
      // Deflate expands by a factor of at most 1032; a header that claims more is rejected.
      let stored = (image.width * Int(image.bits) + 7) / 8 * image.height
      guard stored / 1032 <= bytes.count else {
        throw file.context.truncated(
          "the header promises \(image.width) x \(image.height) pixels of \(image.bits) bits, "
            + "which \(bytes.count) bytes cannot hold")
      }
      var isRead = true
      let pixels = Tensor(
        shape: [image.height, image.width, channels], dtype: image.depth == 16 ? .uint16 : .uint8
      ) { target in
        isRead =
          norma_png_decode(bytes, bytes.count, Int32(channels), target.baseAddress, &image) == 0
      }
      guard isRead else {
        throw file.context.malformed("is not a valid PNG image", image.text)
      }
      self = pixels.permuted(2, 0, 1)
    #else
      throw file.context.missingTrait("PNG", "PNG images")
    #endif
  }
}

#if NORMA_PNG
  extension norma_png {
    /// libpng's error.
    fileprivate var text: String {
      withUnsafeBytes(of: problem) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
  }
#endif
