import Foundation

/// A folder with 24 training and 6 test images of three classes, as IDX files.
struct SmallImages {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "norma-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, count) in [("train", 24), ("t10k", 6)] {
      let labels = (0..<count).map { UInt8($0 % 3) }
      var pixels: [UInt8] = []
      for image in 0..<count {
        for place in 0..<64 {
          // Each class is bright in rows of its own.
          let isBright = place / 24 == image % 3
          let noise = (image * 7 + place * 3) % 40
          pixels.append(UInt8(isBright ? 200 + noise : noise))
        }
      }
      try Self.write([0, 0, 8, 3], [count, 8, 8], pixels, "\(folder)/\(name)-images-idx3-ubyte")
      try Self.write([0, 0, 8, 1], [count], labels, "\(folder)/\(name)-labels-idx1-ubyte")
    }
  }

  static func write(
    _ magic: [UInt8], _ shape: [Int], _ values: [UInt8], _ path: String
  ) throws {
    let lengths: [UInt8] = shape.flatMap { [0, 0, 0, UInt8($0)] as [UInt8] }
    try Data(magic + lengths + values).write(to: URL(fileURLWithPath: path))
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
