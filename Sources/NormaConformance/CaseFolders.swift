import Foundation

/// The cases in a folder, each a folder of its own or a symbolic link to one.
struct CaseFolders {
  let parent: String
  /// The cases' folders, by name.
  let all: [URL]

  /// - Throws: if the folder cannot be read.
  init(in parent: String) throws {
    self.parent = parent
    let entries = try FileManager.default.contentsOfDirectory(
      at: URL(filePath: parent).resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
    all = entries.filter { entry in
      var isFolder: ObjCBool = false
      // Follows links, unlike the properties of a URL.
      let exists = FileManager.default.fileExists(atPath: entry.path, isDirectory: &isFolder)
      // A broken link is a case that cannot be read, rather than one case less.
      return (!exists || isFolder.boolValue) && !entry.lastPathComponent.hasPrefix(".")
    }.sorted { $0.lastPathComponent < $1.lastPathComponent }
  }

  /// A report of the selected cases, to which `run` adds each. A folder without cases is a failure.
  func report(
    isWanted: (String) -> Bool, _ run: (URL, inout ConformanceReport) throws -> Void
  ) rethrows -> ConformanceReport {
    var report = ConformanceReport()
    if all.isEmpty { report.record(parent, operation: "") { "contains no case" } }
    for folder in all where isWanted(folder.lastPathComponent) { try run(folder, &report) }
    return report
  }
}
