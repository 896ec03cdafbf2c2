import Foundation
import Norma

/// What `norma train` has trained, for any number of requests at the same time.
public struct Classifier: Sendable {
  /// Rows and columns of an image.
  public let imageShape: [Int]
  private let network: Snapshot<ResidualNetwork>

  /// The classes of Fashion-MNIST, in the order of the network's outputs.
  public static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  // Mean and standard deviation of Fashion-MNIST's training images, as norma train uses them.
  private static let mean = 0.2860
  private static let std = 0.3530

  /// What the server needs from the options that `norma train` keeps in its checkpoints.
  private struct Options: Decodable {
    let width: Int
  }

  /// Reads a checkpoint that `norma train` has written.
  /// - Throws: `FileError` or `CheckpointError`.
  public init(contentsOf path: String) throws {
    let saved = try Checkpoint(contentsOf: path)
    guard let text = saved.notes["training"], let size = saved.notes["image"],
      let options = try? JSONDecoder().decode(Options.self, from: Data(text.utf8))
    else {
      throw CheckpointError(path: path, problem: "was not written by norma train")
    }
    let (width, shape) = (options.width, size.split(separator: " x ").compactMap { Int($0) })
    guard (1...4096).contains(width), shape.count == 2,
      shape.allSatisfy({ (1...4096).contains($0) })
    else {
      throw CheckpointError(
        path: path, problem: "has width \(width) and images of \(size), which cannot be")
    }
    let network = ResidualNetwork(width: width, classes: Self.classNames.count)
    do {
      try network.load(saved.model)
    } catch {
      throw CheckpointError(path: path, problem: "does not fit the network: \(error)")
    }
    try self.init(network, width: width, imageShape: shape)
  }

  init(_ network: ResidualNetwork, width: Int, imageShape: [Int]) throws {
    self.imageShape = imageShape
    self.network = try Snapshot(of: network) {
      ResidualNetwork(width: width, classes: Self.classNames.count)
    }
  }

  /// The probability of each class.
  /// - Parameter image: gray levels from 0 to 255, `[height, width]`.
  /// - Throws: `TensorError` for a mistake in the network or an image of another rank.
  public func probabilities(of image: Tensor) throws -> [Double] {
    try catchingTensorErrors {
      // Requests use the cores among them; more threads for each would wait for one another.
      try withThreads(1) {
        try network { network in
          let pixels = (image.cast(to: .float32) / 255.0 - Self.mean) / Self.std
          let scores = network(pixels.unsqueezed(0).unsqueezed(0))
          return try scores.softmax(over: 1).validated().array(of: Double.self)
        }
      }
    }
  }
}
