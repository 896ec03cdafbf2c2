import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// A folder of PNG and JPEG images with one folder inside for each class.
///
///     animals/cat/1.png  animals/cat/2.jpg  animals/dog/a.JPEG
///
///     let data = try ImageFolder("animals", channels: 3)
///     data.classes                                            // ["cat", "dog"]
///     let loader = DataLoader(data, batchSize: 32, shuffle: true, workers: 2)
///
/// A batch is the images, `uint8 [N, channels, H, W]`, and the numbers of their classes, `int64 [N]`.
/// Classes and files are in the order of their names, inner folders included; images are read when a
/// batch asks for them, and those of a batch have one size. Images of other formats, by their names, are
/// an error; files that are no images, and hidden ones, are skipped. PyTorch:
/// `torchvision.datasets.ImageFolder`.
public struct ImageFolder: Dataset {
  /// An image.
  public struct Sample: Sendable, Hashable, Codable {
    /// Its file.
    public let path: String
    /// Its class, an index into ``ImageFolder/classes``.
    public let label: Int
  }

  /// The names of the classes; a label is an index into them.
  public let classes: [String]
  /// Each image's file and class.
  public let samples: [Sample]
  private let channels: Int
  private let appliesOrientation: Bool

  /// Endings of names, in lower case.
  private static let readable: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif"]
  private static let others: Set<String> = [
    "avif", "bmp", "gif", "heic", "heif", "jp2", "jxl", "pbm", "pgm", "pnm", "ppm", "tga", "tif",
    "tiff", "webp",
  ]

  /// - Parameters:
  ///   - path: the folder.
  ///   - channels: 1 gray, 3 RGB, 4 with alpha; see `Tensor(image:channels:appliesOrientation:)`.
  ///   - appliesOrientation: whether JPEG images are set upright as their EXIF orientation says; by
  ///     default they stay as they are stored, as in torchvision.
  /// - Throws: ``ImageFolderError`` where the folder has no classes, a class has no image, or images of a format
  ///   that is not read.
  public init(_ path: String, channels: Int = 3, appliesOrientation: Bool = false) throws {
    self.channels = channels
    self.appliesOrientation = appliesOrientation
    let manager = FileManager.default
    guard let entries = try? manager.contentsOfDirectory(atPath: path) else {
      throw ImageFolderError(path: path, problem: "is no folder that can be read")
    }
    classes = entries.filter { name in
      var isFolder: ObjCBool = false
      return !name.hasPrefix(".")
        && manager.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
        && isFolder.boolValue
    }.sorted()
    guard !classes.isEmpty else {
      throw ImageFolderError(
        path: path, problem: "has no folders inside; each class is a folder of images")
    }
    var samples: [Sample] = []
    for (label, name) in classes.enumerated() {
      let folder = "\(path)/\(name)"
      let all = (manager.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
        .filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }.sorted()
      if let other = all.first(where: { Self.others.contains(Self.ending(of: $0)) }) {
        throw ImageFolderError(
          path: "\(folder)/\(other)",
          problem: "is of a format that is not read; PNG and JPEG are: convert it, or move it away")
      }
      let files = all.filter { Self.readable.contains(Self.ending(of: $0)) }
      if files.isEmpty {
        throw ImageFolderError(
          path: folder, problem: "has no .png, .jpg or .jpeg files; a class needs some")
      }
      samples += files.map { Sample(path: "\(folder)/\($0)", label: label) }
    }
    self.samples = samples
  }

  private static func ending(of name: String) -> String {
    name.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() ?? ""
  }

  /// How many images there are.
  public var count: Int { samples.count }

  /// Images and labels.
  /// - Throws: `FileError` of an image, ``ImageFolderError`` where sizes differ.
  public func batch(_ indices: [Int]) throws -> [Tensor] {
    var images: [Tensor] = []
    for index in indices {
      let path = samples[index].path
      let image = try Tensor(
        image: path, channels: channels, appliesOrientation: appliesOrientation)
      if let first = images.first, image.shape != first.shape || image.dtype != first.dtype {
        throw ImageFolderError(
          path: path,
          problem: "is \(image.dtype) \(image.shape) and \(samples[indices[0]].path) "
            + "\(first.dtype) \(first.shape): images of a batch have one size; crop or resize them")
      }
      images.append(image)
    }
    return [.stacked(images), Tensor(indices.map { Int64(samples[$0].label) })]
  }
}

/// What keeps a folder from being a dataset.
public struct ImageFolderError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The folder or file.
  public let path: String
  /// What is wrong with it.
  public let problem: String
  /// Both, in one line.
  public var description: String { "ImageFolder(_:): \(path) \(problem)" }
}
