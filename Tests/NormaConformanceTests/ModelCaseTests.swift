import Foundation
import NormaFiles
import NormaNN
import NormaTensor
import Testing

@testable import NormaConformance

@Suite struct ModelCaseTests {
  /// A folder that is removed afterwards.
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("norma-models-test-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test func boundsHoldAndFail() {
    let truth = Tensor([1, -4] as [Double])
    let bound = ErrorBound(truth: truth, bound: 0.5)
    #expect(bound.complaint(about: Tensor([1.5, -4] as [Float])) == nil)
    #expect(bound.complaint(about: Tensor([1.6, -4] as [Float])) != nil)
    #expect(bound.complaint(about: Tensor([1, .nan] as [Float])) != nil)
    #expect(bound.complaint(about: Tensor([1] as [Float])) != nil)
    #expect(bound.complaint(about: Tensor([[1, -4]] as [[Float]])) != nil)
    #expect(ErrorBound(truth: truth, peer: truth).bound == 4 * 0x1p-17)
    #expect(ErrorBound(truth: truth, peer: Tensor([1, -3] as [Double])).bound == 4)
  }

  @Test func filesAreFoundInFoldersAndArchives() throws {
    try withFolder { folder in
      let manager = FileManager.default
      let nested = folder.appendingPathComponent("unpacked/pack/data")
      try manager.createDirectory(at: nested, withIntermediateDirectories: true)
      try Data("one".utf8).write(to: nested.appendingPathComponent("a.txt"))
      // A tar archive with one file of a source distribution.
      var header = [UInt8](repeating: 0, count: 512)
      func put(_ text: String, at place: Int) {
        for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
      }
      put("pack-1.0/pack/data/b.txt", at: 0)
      put("00000000003\u{0}", at: 124)
      put("0", at: 156)
      let sum = header.reduce(8 * 0x20) { $0 + Int($1) }
      put(String(sum, radix: 8), at: 148)
      let content = Array("two".utf8) + [UInt8](repeating: 0, count: 509 + 1024)
      let tar = folder.appendingPathComponent("pack-1.0.tar")
      try Data(header + content).write(to: tar)
      let files = ModelFiles([folder.path])
      func text(_ name: String) throws -> String? {
        try files.path(of: name).flatMap { manager.contents(atPath: $0) }
          .map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(try text("pack/data/a.txt") == "one")
      #expect(try text("pack/data/b.txt") == "two")
      #expect(try text("pack/data/c.txt") == nil)
      header[0] = UInt8(ascii: "q")
      try Data(header + content).write(to: tar)
      #expect(throws: FileError.self) {
        try ModelFiles([folder.path]).path(of: "pack/data/b.txt")
      }
    }
  }

  @Test func meaningsOfAnswers() throws {
    let json: JSON = [
      "name": "n", "split": "visible", "format": "onnx", "file": "f",
      "calls": [["inputs": [:], "outputs": [["name": "y", "max_abs_tol": 0.1]]]],
    ]
    let item = try ModelCase(json, in: ".")
    func decide(_ rule: String, _ output: Tensor, _ notes: [String: String] = [:]) throws -> JSON {
      try ModelDecision.value(rule, outputs: ["y": output], of: item, notes: notes)
    }
    let picks = Tensor.eye(4)[[1, 1, 0, 1, 2, 3]]
    #expect(try decide("argmax per column", picks) == [1, 1, 0, 1, 2, 3])
    #expect(try decide("text (CTC)", picks, ["character": "a\nb"]) == "aab ")
    #expect(
      try decide("label of each image (0 or 180 degrees)", Tensor([[2, 1], [1, 2]] as [[Float]]))
        == ["0", "180"])
    #expect(throws: CaseObstacle.self) { try decide("what else", picks) }
    #expect(throws: CaseObstacle.self) { try decide("argmax, output z", picks) }
  }
}
