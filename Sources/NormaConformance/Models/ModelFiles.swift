import Foundation
import NormaFiles

/// Where the files of third-party packages are: in folders of wheels, or of unpacked ones.
///
/// What is inside an archive is extracted to a temporary folder, which lives as long as this does.
final class ModelFiles {
  private let folders: [URL]
  private var archives: [(url: URL, content: ArchivedFiles)]?
  private var found: [String: String] = [:]
  private let temporary = FileManager.default.temporaryDirectory
    .appendingPathComponent("norma-models-\(UInt64.random(in: 0 ... .max))")

  /// - Parameter folders: Each contains .whl, .zip, .tar or .tar.gz files, or their content, at the
  ///   top or in a folder for each package.
  init(_ folders: [String]) { self.folders = folders.map { URL(filePath: $0) } }

  deinit { try? FileManager.default.removeItem(at: temporary) }

  /// The path of a file of a package, or nil if it is nowhere.
  ///
  /// - Parameter name: its path inside the package, such as `silero_vad/data/silero_vad.onnx`.
  func path(of name: String) throws -> String? {
    if let known = found[name] { return known }
    let path = try unpacked(name) ?? extracted(name)
    found[name] = path
    return path
  }

  private func unpacked(_ name: String) throws -> String? {
    let manager = FileManager.default
    for folder in folders {
      let direct = folder.appendingPathComponent(name).path
      if manager.fileExists(atPath: direct) { return direct }
      for child in try manager.contentsOfDirectory(atPath: folder.path).sorted() {
        let nested = folder.appendingPathComponent(child).appendingPathComponent(name).path
        if manager.fileExists(atPath: nested) { return nested }
      }
    }
    return nil
  }

  private func extracted(_ name: String) throws -> String? {
    for (url, content) in try openArchives() {
      // A source distribution has a folder of its own around everything.
      guard let member = content.names.first(where: { $0 == name || $0.hasSuffix("/\(name)") })
      else { continue }
      let target = temporary.appendingPathComponent("\(found.count)")
        .appendingPathComponent(url.lastPathComponent)
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      let path = target.appendingPathComponent(URL(filePath: name).lastPathComponent).path
      try content.extract(member, to: path)
      return path
    }
    return nil
  }

  private func openArchives() throws -> [(url: URL, content: ArchivedFiles)] {
    if let archives { return archives }
    var result: [(url: URL, content: ArchivedFiles)] = []
    for folder in folders {
      for child in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      where [".whl", ".zip", ".tar", ".tar.gz", ".tgz"].contains(where: child.hasSuffix) {
        let url = folder.appendingPathComponent(child)
        result.append((url, try ArchivedFiles(contentsOf: url.path)))
      }
    }
    archives = result
    return result
  }
}
