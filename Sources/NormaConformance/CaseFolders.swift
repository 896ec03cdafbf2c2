import Foundation

/// The cases that lie in a folder, each a folder of its own or a symbolic link to one.
struct CaseFolders {
  let parent: String
  /// The cases' folders, by name.
  let all: [URL]

  /// - Throws: when the folder cannot be read.
  init(in parent: String) throws {
    self.parent = parent
    let entries = try FileManager.default.contentsOfDirectory(
      at: URL(filePath: parent).resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
    all = entries.filter { entry in
      var isFolder: ObjCBool = false
      // Follows links, unlike the properties of a URL.
      let exists = FileManager.default.fileExists(atPath: entry.path, isDirectory: &isFolder)
      // A link to nothing is a case that cannot be read, not one case less.
      return (!exists || isFolder.boolValue) && !entry.lastPathComponent.hasPrefix(".")
    }.sorted { $0.lastPathComponent < $1.lastPathComponent }
  }

  /// A report of the cases that are wanted, into which `run` records each. A folder without a case is a
  /// failure: whoever names it expects some.
  func report(
    isWanted: (String) -> Bool, _ run: (URL, inout ConformanceReport) throws -> Void
  ) rethrows -> ConformanceReport {
    var report = ConformanceReport()
    if all.isEmpty { report.record(parent, operation: "") { "holds no case" } }
    for folder in all where isWanted(folder.lastPathComponent) { try run(folder, &report) }
    return report
  }
}
