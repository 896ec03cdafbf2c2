import Foundation
import Norma
import NormaExplain
import Testing

@testable import NormaCLI

/// `norma inspect`.
@Suite struct InspectTests {
  /// The fixtures of the readers, written by torch.
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../NormaFilesTests/Fixtures").path

  private func withFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = NSTemporaryDirectory() + "norma-inspect-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  @Test func aCheckpointIsATreeOfItsModel() throws {
    let found = try FileInspection(Self.fixtures + "/training.pt", withValues: false)
    #expect(found.kind == "a file of torch.save" && found.container == "state_dict")
    #expect(found.otherParts.contains("optimizer_states"))
    #expect(found.tensors.contains { !$0.isModel } && found.tensors.contains { $0.isModel })
    let text = found.text(style: TextStyle(width: 80), showsAll: false)
    #expect(text.contains("in state_dict") && text.contains("--all lists them"))
    #expect(!text.contains("exp_avg"))
    #expect(found.text(style: TextStyle(width: 80), showsAll: true).contains("exp_avg"))
    #expect(!found.normalizations.isEmpty)
    let json = try encoded(found)
    for key in ["file", "kind", "container", "tensors", "normalizations", "deadChannels"] {
      #expect(json.contains("\"\(key)\""), "\(key)")
    }
  }

  @Test func whatCannotBeReadHasAReason() throws {
    let found = try FileInspection(Self.fixtures + "/partial.pt", withValues: true)
    let unreadable = found.tensors.filter { $0.reason != nil }
    #expect(!unreadable.isEmpty && unreadable.count < found.tensors.count)
    let text = found.text(style: TextStyle(width: 80), showsAll: true)
    #expect(text.contains("Not readable"))
    for entry in unreadable { #expect(text.contains("  \(entry.name): ")) }
  }

  @Test func aNormalizationIsItsScaleAndShift() throws {
    try withFolder { folder in
      let path = folder + "/x.safetensors"
      try SafeTensors.write(
        [
          "bn.weight": Tensor([2, 0, 1] as [Float]), "bn.bias": Tensor([1, 5, .nan] as [Float]),
          "bn.running_mean": Tensor([3, 7, 0] as [Float]),
          "bn.running_var": Tensor([4, 1, -1] as [Float]),
          "bn.num_batches_tracked": Tensor.full([], 12, dtype: .int64),
          "fresh.running_mean": Tensor.zeros(2), "fresh.running_var": Tensor.ones(2),
          "fresh.weight": Tensor.ones(2), "fresh.bias": Tensor.zeros(2),
          "ln.weight": Tensor([1, 2] as [Float]), "ln.bias": Tensor([0, 1] as [Float]),
        ], to: path)
      let found = try FileInspection(path, withValues: false)
      #expect(found.normalizations.map(\.name) == ["bn", "fresh", "ln"])
      let bn = found.normalizations[0]
      #expect(bn.channels == 3 && bn.batchesTracked == 12 && bn.epsilon == 1e-5)
      let scale = 2 / (4 + 1e-5).squareRoot()
      #expect(bn.scale?.largest == scale && bn.scale?.smallest == 0 && bn.scale?.nonFinite == 1)
      #expect(bn.shift?.smallest == 1 - 3 * scale && bn.shift?.largest == 5)
      #expect(bn.deadChannels == [1] && bn.nonFinite == 1 && bn.negativeVariances == 1)
      #expect(!bn.isNeverTrained && found.normalizations[1].isNeverTrained)
      let ln = found.normalizations[2]
      #expect(ln.epsilon == nil && ln.scale?.largest == 2 && ln.shift?.largest == 1)
      let text = found.text(style: TextStyle(width: 80), showsAll: false)
      for words in ["never trained", "1 values are NaN", "1 variances are negative", "dead: 1"] {
        #expect(text.contains(words), "\(words) in \(text)")
      }
    }
  }

  @Test func valuesAreSummarized() throws {
    let tensor = Tensor([-1, 0, 2, .nan, .infinity] as [Float])
    let summary = ValueSummary(tensor)
    #expect(summary.smallest == -1 && summary.largest == 2 && summary.zeros == 1)
    #expect(summary.nonFinite == 2 && abs((summary.mean ?? 9) - 1.0 / 3) < 1e-15)
    #expect(abs((summary.deviation ?? 9) - (14.0 / 9).squareRoot()) < 1e-15)
    #expect(summary.text.hasPrefix("-1 to 2, mean 0.333, std 1.25, 1 zero, 2 NaN or infinite"))
    let none = ValueSummary(Tensor([.nan] as [Float]))
    #expect(none.smallest == nil && none.text == "1 NaN or infinite")
    #expect(ValueSummary(Tensor.zeros(0)).text == "no values")
    #expect(ValueSummary(Tensor([3, 5] as [Int64])).mean == 4)
  }

  @Test func equalBlocksArePrintedOnce() {
    let names = (0..<12).flatMap { ["a.\($0).w", "a.\($0).b"] } + ["z"]
    let tree = TensorTree(names.sorted()) { names.sorted()[$0].hasPrefix("a.7") ? "odd" : "usual" }
    #expect(
      tree.lines(showsAll: false).map(\.name) == [
        "a", "0 ... 6", "b", "w", "7", "b", "w", "8 ... 11", "b", "w", "z",
      ])
    #expect(tree.lines(showsAll: true).count == 1 + 12 * 3 + 1)
    #expect(TensorTree([""]) { _ in "" }.lines(showsAll: false).map(\.name) == ["(the array)"])
  }

  @Test func allKindsOfFiles() throws {
    try withFolder { folder in
      let x = Tensor([1, 2] as [Float])
      try x.write(npy: folder + "/x.npy")
      try NPZ.write(["a/kernel": x, "n": Tensor([1, 2] as [Int32])], to: folder + "/x.npz")
      var checkpoint = Checkpoint(model: ["fc.weight": x])
      checkpoint.generators = ["default": [1, 2]]
      try checkpoint.write(to: folder + "/c.safetensors")
      let array = try FileInspection(folder + "/x.npy", withValues: true)
      #expect(array.tensors.map(\.shape) == [[2]] && array.tensors[0].values?.mean == 1.5)
      let archive = try FileInspection(folder + "/x.npz", withValues: false)
      #expect(archive.tensors.map(\.dtype) == ["<f4", "<i4"] && archive.bytes == 16)
      let saved = try FileInspection(folder + "/c.safetensors", withValues: false)
      #expect(saved.kind == "a checkpoint of Norma" && saved.otherParts == ["generator"])
      // The folder has a single safetensors file.
      #expect(try FileInspection(folder, withValues: false).tensors.count == 2)
    }
  }

  /// No line is wider than the terminal, whatever the file.
  @Test(arguments: [80, 100]) func linesFit(_ width: Int) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures).sorted()
    var count = 0
    for name in names {
      guard let found = try? FileInspection("\(Self.fixtures)/\(name)", withValues: true) else {
        continue
      }
      count += 1
      let text = found.text(style: TextStyle(width: width), showsAll: false)
      for line in text.split(separator: "\n") where !line.contains("/") {
        #expect(line.count <= width, "\(name): \(line)")
      }
    }
    #expect(count > 50)
  }

  @Test func statuses() {
    #expect(exitStatus("inspect", Self.fixtures + "/training.pt") == 0)
    #expect(exitStatus("inspect", "--json", "--stats", Self.fixtures + "/training.pt") == 0)
    #expect(exitStatus("inspect", Self.fixtures + "/refused-jit.pt") == 2)
    #expect(exitStatus("inspect", "/nowhere") == 2)
    #expect(exitStatus("inspect") == 64)
  }
}
