import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// A folder of PNG images with one folder inside for each class.
///
///     animals/cat/1.png  animals/cat/2.png  animals/dog/a.png
///
///     let data = try ImageFolder("animals", channels: 3)
///     data.classes                                            // ["cat", "dog"]
///     let loader = DataLoader(data, batchSize: 32, shuffle: true, workers: 2)
///
/// A batch is the images, `uint8 [N, channels, H, W]`, and the numbers of their classes, `int64 [N]`.
/// Classes and files are in the order of their names, inner folders included; images are read when a
/// batch asks for them, and those of a batch have one size. PyTorch: `torchvision.datasets.ImageFolder`.
public struct ImageFolder: Dataset {
  /// The names of the classes; a label is a place among them.
  public let classes: [String]
  /// Each image's file and class.
  public let samples: [(path: String, label: Int)]
  private let channels: Int

  /// - Parameters:
  ///   - path: the folder.
  ///   - channels: 1 gray, 3 RGB, 4 with alpha; see `Tensor(png:channels:)`.
  /// - Throws: ``ImageFolderError`` where the folder has no classes, or a class no image.
  public init(_ path: String, channels: Int = 3) throws {
    self.channels = channels
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
    var samples: [(path: String, label: Int)] = []
    for (label, name) in classes.enumerated() {
      let folder = "\(path)/\(name)"
      let files = (manager.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
        .filter { $0.lowercased().hasSuffix(".png") }.sorted()
      if files.isEmpty {
        throw ImageFolderError(path: folder, problem: "has no .png files; a class needs some")
      }
      samples += files.map { ("\(folder)/\($0)", label) }
    }
    self.samples = samples
  }

  /// How many images there are.
  public var count: Int { samples.count }

  /// Images and labels.
  /// - Throws: `FileError` of an image, ``ImageFolderError`` where sizes differ.
  public func batch(_ indices: [Int]) throws -> [Tensor] {
    var images: [Tensor] = []
    for index in indices {
      let path = samples[index].path
      let image = try Tensor(png: path, channels: channels)
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
