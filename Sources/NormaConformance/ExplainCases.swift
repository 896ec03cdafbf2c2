/// Explains every case in a folder and compares the causes with the known ones; see `ExplainTruth`.
///
/// A case whose layer `explain` does not support yet counts as not supported.
///
/// - Parameter isVerbose: whether to print each explanation.
/// - Throws: if the folder cannot be read; a broken case is a failure in the report.
public func runExplainCases(
  in folder: String, isVerbose: Bool = false, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  try CaseFolders(in: folder).report(isWanted: isWanted) { folder, report in
    report.record(folder.lastPathComponent, operation: "explain") {
      let item = try ExplainCase(folder: folder)
      guard let found = try explain(item) else { throw CaseObstacle.unsupported(item.kind) }
      if isVerbose { print("== \(folder.lastPathComponent)\n\(found)\n") }
      return item.truth.complaint(
        about: found.causes.map { ($0.name.rawValue, $0.share) },
        leavesRounding: found.unexplainedIsRounding)
    }
  }
}
