import ArgumentParser
import Foundation
import Norma

/// `norma predict`: classifies images with a trained network.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify images with a network that norma train has trained.",
    discussion: """
      Prints the most likely classes of each image with their probabilities. Images are IDX files \
      (optionally .gz; all images in them), .npy arrays of bytes [H, W] or [N, H, W], or PNG or \
      JPEG files, of the size that the network was trained on, light on dark. With --resize, \
      images of another size are resized: averaged over areas when they shrink, and bilinearly \
      interpolated when they grow.

      EXAMPLES:
        norma predict --checkpoint norma-train.safetensors shoe.npy
        norma predict --checkpoint norma-train.safetensors --count 5 t10k-images-idx3-ubyte.gz

      EXIT STATUS:
        0 when all images were classified, 1 when a file cannot be used (the others are still \
      classified), 64 for wrong options.
      """)

  @Option(help: ArgumentHelp("A checkpoint of norma train.", valueName: "file"))
  var checkpoint: String

  @Option(help: ArgumentHelp("Classify only this many images of a file.", valueName: "n"))
  var count: Int?

  @Flag(help: "Resize images to the size that the network was trained on.")
  var resize = false

  @Flag(help: "Print one JSON object for each image.")
  var json = false

  @Argument(help: "Files with images.")
  var images: [String]

  func validate() throws {
    if images.isEmpty { throw ValidationError("name an image") }
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() throws {
    let saved = try Checkpoint(contentsOf: checkpoint)
    let options = try TrainingOptions(saved, path: checkpoint)
    let network = try ResidualNetwork(saved, options, path: checkpoint)
    network.eval()
    let size = saved.notes[ClothingData.imageNote]
    if size == nil {
      warn("\(checkpoint) does not say which image size it was trained on; any size is accepted")
    }
    var failures = 0
    for path in images {
      do {
        try classify(path, by: network, size: size)
      } catch {
        warn(error)
        failures += 1
      }
    }
    if failures > 0 { throw ExitCode(1) }
  }

  /// Prints the classes of all images of a file.
  private func classify(_ path: String, by network: ResidualNetwork, size: String?) throws {
    let names = ClothingData.classNames
    let batch = try fitted(try read(path), to: size, path: path)
    let shares = try catchingTensorErrors {
      withoutGradients { network(ClothingData.normalized(batch)).softmax(over: 1) }
        .array(of: Double.self)
    }
    for index in 0..<batch.shape[0] {
      let row = shares[(index * names.count)..<((index + 1) * names.count)]
      let ranked = zip(names, row).sorted { $0.1 > $1.1 }
      let name = batch.shape[0] == 1 ? path : "\(path)[\(index)]"
      try show(name, ranked.map { (name: $0.0, share: $0.1) })
    }
  }

  /// The images, resized if necessary to the size that the network was trained on.
  private func fitted(_ images: Tensor, to size: String?, path: String) throws -> Tensor {
    let found = Array(images.shape.suffix(2))
    guard let size, size != ClothingData.sizeText(found) else { return images }
    guard resize else {
      throw TrainingError(
        "\(path) has images of \(ClothingData.sizeText(found)), and the network was trained on "
          + "images of \(size); --resize resizes them")
    }
    let wanted = size.split(separator: " x ").compactMap { Int($0) }
    guard wanted.count == 2, wanted.allSatisfy({ (1...4096).contains($0) }) else {
      throw CheckpointError(path: checkpoint, problem: "has an invalid image size: \(size)")
    }
    let shrinks = zip(wanted, found).allSatisfy { $0 <= $1 }
    return try catchingTensorErrors {
      Tensor.interpolate(
        images.unsqueezed(1).cast(to: .float32), size: wanted,
        mode: shrinks ? .area : .bilinear
      ).squeezed(1)
    }
  }

  /// Bytes `[N, H, W]`.
  private func read(_ path: String) throws -> Tensor {
    var images =
      try [.png, .jpeg].contains(FileFormat.detect(path))
      ? Tensor(image: path, channels: 1) : Tensor(contentsOf: path)
    if images.rank == 2 { images = images.unsqueezed(0) }
    guard images.rank == 3, images.dtype == .uint8, images.count > 0 else {
      throw TrainingError(
        "\(path) holds \(images.dtype) of shape \(images.shape); bytes [H, W] or [N, H, W] are "
          + "needed")
    }
    return count.map { images[0..<Swift.min($0, images.shape[0])] } ?? images
  }

  private struct Line: Encodable {
    let image: String
    let classes: [String]
    let probabilities: [Double]
  }

  private func show(_ image: String, _ ranked: [(name: String, share: Double)]) throws {
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let line = Line(
        image: image, classes: ranked.map(\.name), probabilities: ranked.map(\.share))
      Terminal.show(String(decoding: try encoder.encode(line), as: UTF8.self))
      return
    }
    let text = ranked.prefix(3).map { "\($0.name) \(decimal($0.share * 100, 1)) %" }
    Terminal.show("\(image): \(text.joined(separator: ", "))")
  }
}
