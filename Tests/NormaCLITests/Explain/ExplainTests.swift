import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

@Suite struct ExplainTests {
  private func explanation(_ arguments: String...) throws -> Explanation {
    let command = try NormaCommand.parseAsRoot(["explain"] + arguments) as? ExplainCommand
    let explain = try #require(command)
    return try explain.explanation(of: try #require(explain.input))
  }

  private func isRefused(_ arguments: String...) -> Bool {
    (try? NormaCommand.parseAsRoot(["explain"] + arguments)) == nil
  }

  /// A file with numbers of its own, removed afterwards.
  private func withFile<R>(_ tensor: Tensor, _ body: (String) throws -> R) throws -> R {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try tensor.write(npy: path)
    return try body(path)
  }

  private var batch: Tensor { withSeed(3) { Tensor.randn(4, 6, 5, 5) * 2 + 1 } }

  @Test(arguments: [
    ["batchnorm"], ["BatchNorm2d"], ["instancenorm"], ["groupnorm", "--groups", "3"],
    ["layernorm"], ["layerNorm", "--last-axes", "3"],
  ])
  func everyLayerKnowsItsDivisor(layer: [String]) throws {
    try withFile(batch) { path in
      let command =
        try NormaCommand.parseAsRoot(
          ["explain", "--input", path, "--correction", "1", "--layer"] + layer) as? ExplainCommand
      let found = try #require(command).explanation(of: path)
      #expect(found.causes.map(\.name) == [.correction], "\(layer)")
    }
  }

  @Test func weightsAndResultsFromFiles() throws {
    let x = batch
    let weight = Tensor([0.5, 0.7, 0.9, 1.1, 1.3] as [Float])
    let root = (x.squared().mean(over: 3, keepDims: true) + 1e-6).sqrt().evaluated()
    let mine = (x / root * (1 + weight)).evaluated()
    try withFile(x) { input in
      try withFile(weight) { weights in
        try withFile(mine) { expected in
          let found = try explanation(
            "--layer", "rmsnorm", "--eps", "1e-6", "--weight", weights, "--input", input,
            "--expect", expected)
          #expect(found.causes.map(\.name) == [.affine])
          #expect(found.layer == "RMSNorm(5)")
        }
      }
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    #expect(isRefused("--input", "x.npy", "--layer", "groupnorm"))
    #expect(isRefused("--input", "x.npy", "--groups", "2"))
    #expect(isRefused("--input", "x.npy", "--last-axes", "2"))
    #expect(isRefused("--input", "x.npy", "--layer", "rmsnorm", "--bias", "b.npy"))
    #expect(isRefused("--weight", "w.npy"))
    try withFile(batch) { path in
      #expect(throws: DataError.self) {
        try explanation("--input", path, "--layer", "groupnorm", "--groups", "4")
      }
      #expect(throws: DataError.self) {
        try explanation("--input", path, "--layer", "rmsnorm", "--correction", "1")
      }
      #expect(throws: DataError.self) {
        try explanation(
          "--input", path, "--layer", "layernorm", "--last-axes", "1", "--weight", path)
      }
    }
  }

  /// 0 agrees, 1 a gap, 2 unusable, 64 wrong options.
  @Test func exitStatuses() throws {
    try withFile(batch) { path in
      let own = BatchNorm2d(6)(batch).evaluated()
      try withFile(own) { #expect(exitStatus("explain", "--input", path, "--expect", $0) == 0) }
      try withFile(own * 2) { #expect(exitStatus("explain", "--input", path, "--expect", $0) == 1) }
      #expect(exitStatus("explain", "--input", path) == 0)
      #expect(exitStatus("explain", "--input", path, "--correction", "1", "--json") == 1)
      #expect(exitStatus("explain", "--input", path + ".none") == 2)
      #expect(exitStatus("explain", "--input", path, "--layer", "instancenorm2") == 64)
      #expect(exitStatus("explain", "--expect", path) == 64)
    }
  }

  /// The page shows both results, and the differences before and after the change.
  @Test(arguments: [["--correction", "1"], ["--expect"]])
  func thePageHoldsTheResults(target: [String]) throws {
    let x = batch
    let mine = BatchNorm2d(6)(x).evaluated() * 1.5
    try withFile(x) { input in
      try withFile(mine.evaluated()) { expected in
        let options = target == ["--expect"] ? ["--expect", expected] : target
        let command =
          try NormaCommand.parseAsRoot(["explain", "--input", input] + options) as? ExplainCommand
        let explain = try #require(command)
        let found = try explain.explanation(of: input)
        let html = try explain.report(found, of: input).html
        for words in ["the layer&#39;s", "expected", "Differences before and after the change"] {
          #expect(html.contains(words), "\(words)")
        }
      }
    }
  }
}
