import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// A folder of PNG and JPEG images with one subfolder for each class.
///
///     animals/cat/1.png  animals/cat/2.jpg  animals/dog/a.JPEG
///
///     let data = try ImageFolder("animals", channels: 3)
///     data.classes                                            // ["cat", "dog"]
///     let loader = DataLoader(data, batchSize: 32, shuffle: true, workers: 2)
///
/// A batch consists of the images, `uint8 [N, channels, H, W]`, and the indices of their classes,
/// `int64 [N]`. Classes and files are sorted by name, including nested folders. Images are read
/// when a batch needs them, and all images of a batch must have the same size. Images in other
/// formats, judged by their names, are an error; hidden files and files that are not images are
/// skipped. PyTorch: `torchvision.datasets.ImageFolder`.
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

  /// File extensions in lower case.
  private static let readable: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif"]
  private static let others: Set<String> = [
    "avif", "bmp", "gif", "heic", "heif", "jp2", "jxl", "pbm", "pgm", "pnm", "ppm", "tga", "tif",
    "tiff", "webp",
  ]

  /// - Parameters:
  ///   - path: the folder.
  ///   - channels: 1 gray, 3 RGB, 4 with alpha; see `Tensor(image:channels:appliesOrientation:)`.
  ///   - appliesOrientation: whether to rotate JPEG images upright according to their EXIF
  ///     orientation; by default they stay as they are stored, as in torchvision.
  /// - Throws: ``ImageFolderError`` if the folder has no classes, a class has no image, or an image
  ///   has an unsupported format.
  public init(_ path: String, channels: Int = 3, appliesOrientation: Bool = false) throws {
    self.channels = channels
    self.appliesOrientation = appliesOrientation
    let manager = FileManager.default
    guard let entries = try? manager.contentsOfDirectory(atPath: path) else {
      throw ImageFolderError(path: path, problem: "is not a readable folder")
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
          problem: "has an unsupported format; convert it to PNG or JPEG, or move it away")
      }
      let files = all.filter { Self.readable.contains(Self.ending(of: $0)) }
      if files.isEmpty {
        throw ImageFolderError(
          path: folder, problem: "has no .png, .jpg or .jpeg files; a class needs at least one")
      }
      samples += files.map { Sample(path: "\(folder)/\($0)", label: label) }
    }
    self.samples = samples
  }

  private static func ending(of name: String) -> String {
    name.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() ?? ""
  }

  /// The number of images.
  public var count: Int { samples.count }

  /// Images and labels.
  /// - Throws: `FileError` for an image that cannot be read, ``ImageFolderError`` if sizes differ.
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
            + "\(first.dtype) \(first.shape): images of a batch must have the same size; crop or "
            + "resize them")
      }
      images.append(image)
    }
    return [.stacked(images), Tensor(indices.map { Int64(samples[$0].label) })]
  }
}

/// A reason why a folder is not a dataset.
public struct ImageFolderError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The folder or file.
  public let path: String
  /// The problem.
  public let problem: String
  /// Both, in one line.
  public var description: String { "ImageFolder(_:): \(path) \(problem)" }
}
