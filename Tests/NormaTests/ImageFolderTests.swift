import Foundation
import Norma
import NormaTensor
import Testing

@Suite struct ImageFolderTests {
  /// 2 x 2 gray PNG images: all black, all white, and one of 1 x 1.
  private static let black =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAAC0lEQVR4nGNgAAEAAAYAAf6MZ8gAAAAASUVORK5CYII="
  private static let white =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGP4/5/h/38AC/oD/eAlihAAAAAASU"
    + "VORK5CYII="
  private static let dot =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

  /// A gray JPEG image of 2 rows and 3 columns, which its EXIF orientation turns to 3 and 2.
  private static let turned =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAEBAQEB"
    + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAAC"
    + "AAMBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACv/EACEQAAIBAwMFAAAAAAAAAAAAAAECBQMGEQAECQcIEiEx/9oA"
    + "CAEBAAA/AFMcRVpWpT41OzdKds29TRejcP4okLGoozISZOFXbADJJJwPZJP06//Z"

  private func folder(_ files: [String: String]) throws -> String {
    let root = NSTemporaryDirectory() + "norma-\(UUID().uuidString)"
    for (path, content) in files {
      let url = URL(fileURLWithPath: "\(root)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try #require(Data(base64Encoded: content)).write(to: url)
    }
    return root
  }

  @Test func foldersAreClasses() throws {
    let root = try folder([
      "night/b.png": Self.black, "night/deep/a.PNG": Self.black, "day/x.png": Self.white,
      "day/notes.txt": "", ".git/ignored.png": Self.dot,
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    let data = try ImageFolder(root, channels: 1)
    #expect(data.classes == ["day", "night"] && data.count == 3)
    #expect(data.samples.map(\.label) == [0, 1, 1])
    let batch = try data.batch([2, 0])
    #expect(batch[0].shape == [2, 1, 2, 2] && batch[0].dtype == .uint8)
    #expect(batch[0].array(of: Int.self) == [0, 0, 0, 0, 255, 255, 255, 255])
    #expect(batch[1].array(of: Int.self) == [1, 0])
    #expect(try ImageFolder(root).batch([0])[0].shape == [1, 3, 2, 2])
    var labels: [Int] = []
    try DataLoader(data, batchSize: 2, workers: 2).forEach { labels += $0[1].array(of: Int.self) }
    #expect(labels == [0, 1, 1])
  }

  @Test func jpegBesidePNG() throws {
    let root = try folder([
      "a/1.JPG": Self.turned, "a/2.jpeg": Self.turned, "b/x.png": Self.black,
      "b/._x.png": "", "b/.hidden/y.gif": "",
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    let data = try ImageFolder(root)
    #expect(data.samples.map(\.label) == [0, 0, 1])
    #expect(try data.batch([0, 1])[0].shape == [2, 3, 2, 3])
    let upright = try ImageFolder(root, channels: 1, appliesOrientation: true)
    #expect(try upright.batch([1])[0].array(of: Int.self) == [60, 20, 161, 120, 250, 220])
  }

  @Test(arguments: ["z.gif", "deep/z.WebP", "z.tiff"])
  func imagesAreNeverSkippedInSilence(name: String) throws {
    let root = try folder(["a/1.png": Self.black, "a/\(name)": ""])
    defer { try? FileManager.default.removeItem(atPath: root) }
    #expect { try ImageFolder(root) } throws: {
      "\($0)".contains("a/\(name) has an unsupported format")
    }
  }

  @Test func mistakesAreNamed() throws {
    let root = try folder(["a/1.png": Self.black, "a/2.png": Self.dot, "a/3.png": ""])
    defer { try? FileManager.default.removeItem(atPath: root) }
    let data = try ImageFolder(root, channels: 1)
    #expect { try data.batch([0, 1]) } throws: { "\($0)".contains("2.png is uint8 [1, 1, 1]") }
    #expect { try data.batch([2]) } throws: { $0 is FileError && "\($0)".contains("3.png") }
    #expect { try ImageFolder(root + "/a") } throws: { "\($0)".contains("no folders inside") }
    #expect { try ImageFolder(root + "/none") } throws: {
      "\($0)".contains("not a readable folder")
    }
    let empty = try folder(["b/readme.txt": ""])
    defer { try? FileManager.default.removeItem(atPath: empty) }
    #expect { try ImageFolder(empty) } throws: {
      "\($0)".contains("b has no .png, .jpg or .jpeg files")
    }
  }
}
