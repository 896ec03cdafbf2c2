import Foundation

/// A file that a command writes when its work is done.
enum OutputPath {
  /// Checks before the work whether a file can be written.
  ///
  /// - Throws: if the path is a folder, or its folder does not exist or is not writable.
  static func check(_ path: String, option: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    let exists = files.fileExists(atPath: path, isDirectory: &isFolder)
    if path.isEmpty || exists && isFolder.boolValue {
      throw DataError("\(option) needs the name of a file, and \"\(path)\" is a folder")
    }
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw DataError("\(option) \(path): there is no folder \(folder)")
    }
    guard files.isWritableFile(atPath: exists ? path : folder) else {
      throw DataError("\(option) \(path): no permission to write there")
    }
  }
}
