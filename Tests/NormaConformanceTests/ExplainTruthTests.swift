import Foundation
import NormaFiles
import Testing

@testable import NormaConformance

/// What counts as finding the causes of a gap.
@Suite struct ExplainTruthTests {
  static func truth(_ text: String) throws -> ExplainTruth {
    ExplainTruth(try JSON.parse([UInt8](text.utf8)))
  }

  static let pair = #"""
    {"causes": ["axes", "correction"], "accept": {"axes": ["group-assignment"]},
      "decoys": ["affine"], "order_strict": true, "gap": 2,
      "shapley": {"axes": 1.9, "correction": 0.1}}
    """#

  @Test func theFirstCauseMustComeFirst() throws {
    let truth = try Self.truth(Self.pair)
    for name in ["axes", "group-assignment"] {
      #expect(truth.complaint(about: [(name, 1)], leavesRounding: true) == nil)
    }
    #expect(
      truth.complaint(about: [("correction", 0.6), ("axes", 0.4)], leavesRounding: true)
        == #"wrong first cause: found ["correction 0.6", "axes 0.4"], "#
        + #"known are ["axes", "correction"]"#
    )
    let loose = try Self.truth(
      #"{"causes": ["axes", "correction"], "order_strict": false}"#)
    #expect(
      loose.complaint(about: [("correction", 0.6), ("axes", 0.4)], leavesRounding: true) == nil)
    #expect(truth.complaint(about: [], leavesRounding: true) != nil)
    #expect(truth.complaint(about: [], leavesRounding: false) != nil)
  }

  @Test func anImportantCauseMustBeFound() throws {
    let truth = try Self.truth(
      Self.pair.replacingOccurrences(of: #""correction": 0.1"#, with: #""correction": 0.5"#))
    #expect(
      truth.complaint(about: [("axes", 1)], leavesRounding: true)?.hasPrefix(
        "correction is missing") == true)
  }

  @Test func noOtherCauseMayBeFoundBesideThem() throws {
    let truth = try Self.truth(Self.pair)
    func isWrong(_ name: String, _ share: Double) -> Bool {
      truth.complaint(about: [("axes", 1 - share), (name, share)], leavesRounding: true) != nil
    }
    #expect(!isWrong("epsilon-value", 0.09))
    #expect(isWrong("epsilon-value", 0.11) && isWrong("epsilon-value", -0.11))
    #expect(isWrong("epsilon-value", .nan))
    // A decoy must have no part at all.
    #expect(!isWrong("affine", 0.001))
    #expect(isWrong("affine", 0.02))
    #expect(!isWrong("correction", 0.19))
  }

  /// 0.95 and 0.05 are known.
  @Test func eachCauseMustCarryItsPart() throws {
    let truth = try Self.truth(Self.pair)
    func complaint(_ first: Double, _ second: Double) -> String? {
      truth.complaint(about: [("axes", first), ("correction", second)], leavesRounding: true)
    }
    #expect(complaint(0.9, 0.1) == nil && complaint(0.81, 0.19) == nil)
    for (first, second) in [(0.75, 0.25), (1.95, -0.95), (65.87, -64.85), (.nan, 0.05)] {
      #expect(complaint(first, second)?.hasPrefix("axes carries 0.95: found") == true)
    }
    // A third of the gap may be rounding.
    #expect(complaint(0.63, 0.03) == nil)
    // Another name for a cause, or one cause fewer, says nothing of the shares.
    #expect(
      truth.complaint(
        about: [("group-assignment", 0.7), ("correction", 0.3)], leavesRounding: true) == nil)
  }

  @Test func anUnknownFormulaIsAnAnswerWhereThereIsNoBetter() throws {
    let other = try Self.truth(#"{"causes": ["other"], "accept": {}}"#)
    #expect(other.complaint(about: [], leavesRounding: false) == nil)
    #expect(other.complaint(about: [], leavesRounding: true) != nil)
    let known = try Self.truth(#"{"causes": ["correction"], "accept": {"correction": ["other"]}}"#)
    #expect(known.complaint(about: [("other", 1)], leavesRounding: true) == nil)
    #expect(known.complaint(about: [], leavesRounding: false) != nil)
  }

  @Test func aControlHasNoCause() throws {
    let control = try Self.truth(#"{"causes": [], "accept": {"none": ["dtype-rounding"]}}"#)
    #expect(control.complaint(about: [], leavesRounding: true) == nil)
    #expect(control.complaint(about: [("dtype-rounding", 1)], leavesRounding: true) == nil)
    #expect(control.complaint(about: [("axes", 1e-3)], leavesRounding: true) != nil)
    #expect(control.complaint(about: [], leavesRounding: false) != nil)
  }
}

/// Folders of cases.
@Suite struct CaseFoldersTests {
  @Test func linksAreFollowedAndAnEmptyFolderFails() throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: UUID().uuidString)
    let (cases, elsewhere) = (folder.appending(path: "cases"), folder.appending(path: "a"))
    for url in [cases, elsewhere] {
      try manager.createDirectory(at: url, withIntermediateDirectories: true)
    }
    defer { try? manager.removeItem(at: folder) }
    #expect(try runExplainCases(in: cases.path).failures == ["\(cases.path): contains no case"])
    #expect(try runDoctorCases(in: cases.path).failures.count == 1)
    try manager.createSymbolicLink(
      at: cases.appending(path: "linked"), withDestinationURL: elsewhere)
    try manager.createSymbolicLink(
      at: folder.appending(path: "all"), withDestinationURL: cases)
    try Data().write(to: cases.appending(path: "a file"))
    for name in ["cases", "all"] {
      let names = try CaseFolders(in: folder.appending(path: name).path).all
      #expect(names.map(\.lastPathComponent) == ["linked"])
    }
    // The case itself is broken, and says so.
    let report = try runExplainCases(in: cases.path)
    #expect(report.failures.count == 1 && report.failures[0].hasPrefix("linked: "))
    // So does a link whose target is gone.
    try manager.removeItem(at: elsewhere)
    let gone = try runExplainCases(in: cases.path)
    #expect(gone.failures.count == 1 && gone.failures[0].hasPrefix("linked: "))
    #expect(throws: (any Error).self) { try runExplainCases(in: "/nowhere") }
  }
}
