import Foundation
import Norma

/// A folder of IDX files in the form of MNIST and Fashion-MNIST: images with one channel, and
/// labels.
struct ClothingData {
  let training: TensorDataset
  let test: TensorDataset
  /// The height and width of an image.
  let imageShape: [Int]

  /// Mean and standard deviation of Fashion-MNIST's training images, which normalize images.
  static let mean = 0.2860
  static let std = 0.3530

  static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  init(folder: String) throws {
    let (images, labels) = try Self.part("train", in: folder)
    let (testImages, testLabels) = try Self.part("t10k", in: folder)
    training = TensorDataset(images, labels)
    test = TensorDataset(testImages, testLabels)
    imageShape = Array(images.shape.suffix(2))
  }

  private static func part(_ name: String, in folder: String) throws -> (Tensor, Tensor) {
    let images = try Tensor(idx: path("\(name)-images-idx3-ubyte", in: folder))
    let labels = try Tensor(idx: path("\(name)-labels-idx1-ubyte", in: folder))
    guard images.rank == 3, labels.rank == 1, images.shape[0] == labels.shape[0] else {
      throw TrainingError(
        "the \(name) files in \(folder) do not match: images \(images.shape), labels "
          + "\(labels.shape)")
    }
    guard labels.max().item() < Double(classNames.count) else {
      throw TrainingError("the \(name) labels in \(folder) go up to \(labels.max().item())")
    }
    return (normalized(images), labels.cast(to: .int64))
  }

  /// The name of the checkpoint note with the size of the images.
  static let imageNote = "image"

  /// Height and width as text: `28 x 28`.
  static func sizeText(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " x ")
  }

  private static func path(_ name: String, in folder: String) throws -> String {
    for suffix in [".gz", ""] {
      let path = "\(folder)/\(name)\(suffix)"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw TrainingError("\(folder) has no \(name).gz and no \(name)")
  }

  /// `[N, H, W]` bytes as `[N, 1, H, W]` numbers around zero.
  static func normalized(_ images: Tensor) -> Tensor {
    ((images.unsqueezed(1).cast(to: .float32) / 255.0 - mean) / std).evaluated()
  }
}

/// A reason why a training run cannot start or continue.
struct TrainingError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
