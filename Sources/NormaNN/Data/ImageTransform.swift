import NormaTensor

/// A transform of the images of a batch before they reach the network.
///
///     let training = data.transformed(
///       .unitRange, .randomCrop(28, 28, padding: 2), .randomHorizontalFlip(),
///       .normalize(mean: [0.286], std: [0.353]))
///
/// Images are `[N, channels, H, W]`. Random transforms draw for every image, from the default
/// generator; inside a ``DataLoader``, from the batch's own generator. PyTorch:
/// `torchvision.transforms`.
public struct ImageTransform: Sendable {
  private let body: @Sendable (Tensor) -> Tensor

  /// A custom transform.
  public init(_ body: @escaping @Sendable (Tensor) -> Tensor) { self.body = body }

  /// The transformed images.
  public func callAsFunction(_ images: Tensor) -> Tensor { body(images) }

  /// A transform that reports an error for anything but a batch of images.
  private init(
    named call: String, _ body: @escaping @Sendable (Tensor) throws(TensorError) -> Tensor
  ) {
    self.init { images in
      checked(file: #fileID, line: #line) { () throws(TensorError) in
        if images.isPoisoned { return images }
        guard images.rank == 4 else {
          throw TensorError(call, "images [N, channels, H, W] are needed, got \(images.shape)")
        }
        return try body(images)
      }
    }
  }
}

extension ImageTransform {
  /// Bytes 0 to 255 as `float32` 0 to 1; real types do not change. PyTorch: `ToDtype(scale=True)`.
  public static let unitRange = ImageTransform(named: "unitRange") { images in
    images.dtype.isFloatingPoint ? images : images.cast(to: .float32) / 255.0
  }

  /// (x - mean) / std for each channel; a single number applies to all. PyTorch: `Normalize`.
  public static func normalize(mean: [Double], std: [Double]) -> ImageTransform {
    ImageTransform(named: "normalize(mean:std:)") { images throws(TensorError) in
      let call = "normalize(mean:std:)"
      guard images.dtype.isFloatingPoint else {
        throw TensorError(call, "real numbers are needed, got \(images.dtype); put unitRange first")
      }
      for (name, values) in [("mean", mean), ("std", std)]
      where values.count != 1 && values.count != images.shape[1] {
        throw TensorError(
          call, "\(name) has \(values.count) numbers for \(images.shape[1]) channels")
      }
      func column(_ values: [Double]) -> Tensor {
        Tensor(values).reshaped(1, values.count, 1, 1).cast(to: images.dtype)
      }
      return (images - column(mean)) / column(std)
    }
  }

  /// Adds `amount` pixels with value `value` on every side. PyTorch: `Pad`.
  public static func pad(_ amount: Int, value: Double = 0) -> ImageTransform {
    ImageTransform { $0.padded([amount, amount, amount, amount], mode: .constant(value)) }
  }

  /// The central `height` × `width` pixels of every image. PyTorch: `CenterCrop`.
  public static func centerCrop(_ height: Int, _ width: Int) -> ImageTransform {
    ImageTransform(named: "centerCrop(_:_:)") { images throws(TensorError) in
      let room = try Room(images, height, width, padding: 0, call: "centerCrop(_:_:)")
      // Halves round to the even number, as in Python's `round`.
      func middle(_ free: Int) -> Int { Int((Double(free) / 2).rounded(.toNearestOrEven)) }
      return room.crop(images, top: middle(room.rows), left: middle(room.columns))
    }
  }

  /// A random crop of `height` × `width` pixels from every image, after adding `padding` zeros on
  /// every side. PyTorch: `RandomCrop`.
  public static func randomCrop(_ height: Int, _ width: Int, padding: Int = 0) -> ImageTransform {
    ImageTransform(named: "randomCrop(_:_:padding:)") { images throws(TensorError) in
      let room = try Room(images, height, width, padding: padding, call: "randomCrop(_:_:padding:)")
      let count = images.shape[0]
      if count == 0 { return room.crop(images, top: 0, left: 0) }
      let wide =
        padding == 0
        ? images
        : images.padded([padding, padding, padding, padding], mode: .constant(0)).evaluated()
      let tops = Tensor.randint([count], low: 0, high: room.rows + 1).array(of: Int.self)
      let lefts = Tensor.randint([count], low: 0, high: room.columns + 1).array(of: Int.self)
      return .concatenated(
        (0..<count).map { room.crop(wide[$0..<($0 + 1)], top: tops[$0], left: lefts[$0]) })
    }
  }

  /// Mirrors each image left to right with this probability. PyTorch: `RandomHorizontalFlip`.
  public static func randomHorizontalFlip(probability: Double = 0.5) -> ImageTransform {
    flip(over: 3, probability, "randomHorizontalFlip(probability:)")
  }

  /// Flips each image upside down with this probability. PyTorch: `RandomVerticalFlip`.
  public static func randomVerticalFlip(probability: Double = 0.5) -> ImageTransform {
    flip(over: 2, probability, "randomVerticalFlip(probability:)")
  }

  private static func flip(
    over axis: Int, _ probability: Double, _ call: String
  ) -> ImageTransform {
    ImageTransform(named: call) { images throws(TensorError) in
      guard (0...1).contains(probability) else {
        throw TensorError(call, "the probability must be in 0 ... 1, got \(probability)")
      }
      let size = images.shape[axis]
      let mirrored = images.picked(axis, Array((0..<size).reversed()))
      let isMirrored = (Tensor.rand(images.shape[0]) .< probability).reshaped(-1, 1, 1, 1)
      return .where(isMirrored, mirrored, images)
    }
  }

  /// How far a crop can move.
  private struct Room {
    let height: Int
    let width: Int
    let rows: Int
    let columns: Int

    /// More pixels than any image has, so that sums fit.
    private static let mostPadding = 1 << 32

    init(
      _ images: Tensor, _ height: Int, _ width: Int, padding: Int, call: String
    ) throws(TensorError) {
      self.height = height
      self.width = width
      let isSize = height > 0 && width > 0 && 0...Self.mostPadding ~= padding
      rows = isSize ? images.shape[2] + 2 * padding - height : -1
      columns = isSize ? images.shape[3] + 2 * padding - width : -1
      guard rows >= 0, columns >= 0 else {
        throw TensorError(
          call,
          "\(height) x \(width) pixels cannot be cut from images of \(images.shape[2]) x "
            + "\(images.shape[3]) with padding \(padding)")
      }
    }

    func crop(_ images: Tensor, top: Int, left: Int) -> Tensor {
      images[0..., 0..., top..<(top + height), left..<(left + width)]
    }
  }
}

extension Dataset {
  /// The same samples, with these transforms applied in order to their first part, the images.
  public func transformed(_ transforms: ImageTransform...) -> MappedDataset<Self> {
    mapped { parts in
      guard let images = parts.first else { return parts }
      return [transforms.reduce(images) { $1($0) }] + parts.dropFirst()
    }
  }
}
