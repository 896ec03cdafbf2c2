import Foundation
import NormaTensor
import Testing

@testable import NormaConformance

/// The recorded cases of the repository.
private let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Fixtures/torch").path

@Suite struct CaseRunnerTests {
  @Test func allRecordedCasesHold() throws {
    let report = try runTorchCases(in: fixtures)
    #expect(report.failures.isEmpty, "\(report.text)")
    #expect(report.unsupported.isEmpty, "\(report.text)")
    #expect(report.passed >= 400)
  }

  @Test func runsOnlyWhatIsWanted() throws {
    let report = try runTorchCases(in: fixtures) { $0 == "dot" }
    #expect(report.passed + report.failures.count == 4)
  }

  @Test func aMissingFolderIsAnError() {
    #expect(throws: (any Error).self) { try runTorchCases(in: "/nowhere") }
  }

  @Test func aWrongResultFails() throws {
    // Sums compared with differences: all but the empty cases are wrong.
    try withChangedEntry("add", named: "sub") { folder in
      let report = try runTorchCases(in: folder)
      #expect(report.failures.count >= 5)
      #expect(report.text.contains("FAILED add#0: out.0: "))
      #expect(report.text.hasSuffix(report.summary))
    }
  }

  @Test func whatPyTorchRefusesMustBeRefused() throws {
    // A shape error of `add` that broadcasts in `zeros_like`.
    try withChangedEntry("add", named: "zeros_like", errorsOnly: true) { folder in
      let report = try runTorchCases(in: folder)
      #expect(report.passed == 0)
    }
  }

  @Test func unknownOperationsAndOptionsAreCounted() throws {
    try withChangedEntry("add", named: "no_such_operation") { folder in
      let report = try runTorchCases(in: folder)
      #expect(report.passed == 0 && report.failures.isEmpty)
      #expect(report.unsupported == ["no_such_operation": 11])
    }
    try withChangedEntry("sum", from: "\"kwargs\":{}", to: "\"kwargs\":{\"loud\":true}") { folder in
      let report = try runTorchCases(in: folder)
      #expect(report.unsupported["sum with argument loud"] != nil)
    }
  }

  /// Copies one entry to a folder of its own, changed, and maybe under another operation's name.
  private func withChangedEntry(
    _ entry: String, named name: String? = nil, from old: String = "", to new: String = "",
    errorsOnly: Bool = false, _ body: (String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = URL(filePath: fixtures).appending(path: "ops")
    var text = try String(contentsOf: source.appending(path: "\(entry).json"), encoding: .utf8)
    if !old.isEmpty {
      #expect(text.contains(old))
      text = text.replacingOccurrences(of: old, with: new)
    }
    if errorsOnly { text = text.replacingOccurrences(of: "\"cases\":[", with: "\"left_out\":[") }
    try text.write(to: folder.appending(path: "case.json"), atomically: true, encoding: .utf8)
    try FileManager.default.copyItem(
      at: source.appending(path: "\(entry).safetensors"),
      to: folder.appending(path: "case.safetensors"))
    let manifest = """
      {"entries": [{"name": "\(name ?? entry)", "kind": "op",
        "json": "case.json", "data": "case.safetensors"}]}
      """
    try manifest.write(
      to: folder.appending(path: "manifest.json"), atomically: true, encoding: .utf8)
    try body(folder.path)
  }
}

@Suite struct CallTextTests {
  @Test func readsCallsAsCasesNameThem() throws {
    let conv = try #require(CallText("Conv2d(4,6,(3,2),groups=2)"))
    #expect(conv.name == "Conv2d")
    #expect(conv.arguments[2].ints == [3, 2])
    #expect(conv.options["groups"] == .number(2))
    let draw = try #require(CallText("randint(-2^40,2^28-1)_i64"))
    #expect(draw.numbers == [-1_099_511_627_776, 268_435_455])
    #expect(draw.suffix == "_i64")
    #expect(CallText("rand_f32") == .word("rand_f32"))
    #expect(CallText("Sequential(Linear(4,8),ReLU())")?.arguments.count == 2)
    #expect(CallText("init(8,6)std=0.02")?.suffix == "std=0.02")
  }

  @Test func refusesOtherTexts() {
    for text in ["", "f(", "f(1", "f(1,)", ")", "-", "2^x", "1 2"] {
      #expect(CallText(text) == nil, "\(text)")
    }
  }
}
