import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

@Suite struct CompareTests {
  private func comparison(_ x: Tensor, _ arguments: String...) throws -> LayerComparison {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try x.write(npy: path)
    let command = try NormaCommand.parseAsRoot(["compare"] + arguments + ["--input", path])
    return try #require(command as? CompareCommand).comparison()
  }

  private var batch: Tensor { withSeed(3) { Tensor.randn(4, 6, 5, 5) * 2 + 1 } }

  @Test func conventions() throws {
    let found = try comparison(batch, "keras", "PyTorch")
    #expect(found.first == "keras" && found.second == "PyTorch")
    #expect(found.options.map(\.option) == [.eps, .momentum, .runningVarianceCorrection])
    #expect(found.quantities.count == 3 && !found.isSame)
    #expect(try comparison(batch, "pytorch", "pytorch").isSame)
  }

  @Test func layersInJSON() throws {
    let found = try comparison(
      batch, #"{"layer": "GroupNorm", "groups": 3}"#,
      #"{"layer": "layernorm", "last-axes": 3, "eps": 0.1}"#)
    #expect(found.options.map(\.option) == [.axes, .eps])
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString)"
    defer {
      for end in [".json", ".safetensors"] {
        try? FileManager.default.removeItem(atPath: path + end)
      }
    }
    let norm = BatchNorm2d(6, momentum: 0.5)
    _ = norm(batch)
    try SafeTensors.write(norm.stateDict(), to: path + ".safetensors")
    let text = "{\"momentum\": 0.5, \"training\": false, \"state\": \"\(path).safetensors\"}"
    try text.write(toFile: path + ".json", atomically: true, encoding: .utf8)
    let other = try comparison(batch, path + ".json", #"{"momentum": 0.5}"#)
    #expect(
      other.options.map(\.option) == [.statisticsSource, .runningStatistics, .updates], "\(other)")
  }

  /// Everything that a file has for a layer is used or rejected: a prefix once made two different
  /// layers equal.
  @Test func statesOfLayersWithOtherNames() throws {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let norm = BatchNorm2d(6)
    norm.weight?.value = Tensor(2) * Tensor.ones(6)
    var state: [String: Tensor] = [:]
    for (name, value) in norm.stateDict() { state["module.bn1.\(name)"] = value }
    try SafeTensors.write(state, to: path)
    func layer(_ name: String) -> String { "{\"state\": \"\(path)\"\(name)}" }
    func message(_ name: String) -> String {
      do {
        return try comparison(batch, layer(name), "pytorch").description
      } catch { return "\(error)" }
    }
    #expect(message("").contains("\"name\" selects a layer of the file: module.bn1"))
    #expect(message(", \"name\": \"bn1\"").contains("has nothing named bn1"))
    let found = try comparison(batch, layer(", \"name\": \"module.bn1\""), "pytorch")
    #expect(found.options.map(\.option) == [.weight], "\(found)")
  }

  @Test func mistakes() {
    func message(_ first: String) -> String {
      do {
        _ = try comparison(batch, first, "keras")
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      message(#"{"epsilon": 1}"#).hasPrefix("a layer has no option epsilon; there are layer,"))
    #expect(message(#"{"layer": "norm"}"#) == "there is no layer norm")
    #expect(message(#"{"eps": -1}"#).contains("eps must be positive"))
    #expect(message(#"{"convention": "caffe"}"#) == "there is no convention caffe")
    #expect(message("nothing.json").contains("nor one of flax, keras, mlx, pytorch"))
    #expect(message(#"{"layer": "groupnorm", "groups": 4}"#).contains("do not divide"))
    #expect((try? NormaCommand.parseAsRoot(["compare", "keras"])) == nil)
  }

  /// 0 agrees, 1 a gap, 2 unusable, 64 wrong options.
  @Test func exitStatuses() throws {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try batch.write(npy: path)
    #expect(exitStatus("compare", "keras", "keras", "--input", path) == 0)
    #expect(exitStatus("compare", "keras", "pytorch", "--input", path) == 1)
    #expect(exitStatus("compare", "keras", "caffe", "--input", path) == 2)
    #expect(exitStatus("compare", "keras", "pytorch", "--input", path + ".none") == 2)
    #expect(exitStatus("compare", "keras", "pytorch") == 64)
  }

  /// The network of `norma train` folds to the last of its norms.
  @Test func theResidualNetworkFolds() {
    let network = withSeed(4) { ResidualNetwork(width: 4) }
    let x = withSeed(5) { Tensor.randn(6, 1, 28, 28) }
    for _ in 0..<3 { _ = network(x) }
    network.eval()
    let before = network(x).evaluated()
    let report = foldBatchNorms(inside: network, on: x)
    #expect(report.folds.count == 15 && report.rest.isEmpty, "\(report)")
    let change = (network(x) - before).abs().max().item()
    #expect(change == report.largestDifference && change < 1e-4 * before.abs().max().item())
  }

  private static let captures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/captures")

  private func command(_ arguments: String...) throws -> CompareCommand {
    let command = try NormaCommand.parseAsRoot(["compare"] + arguments)
    return try #require(command as? CompareCommand)
  }

  /// Two captures are compared by what they hold; one capture and something else is an error.
  @Test func captures() throws {
    let (first, second) = (
      Self.captures.appending(path: "same.first.safetensors").path,
      Self.captures.appending(path: "eps-of-third.second.safetensors").path
    )
    let captures = try #require(try command(first, second).captures())
    let found = compareCaptures(captures.first, captures.second)
    #expect(found.verdict == .layer && found.originLayer?.first == "blocks.2.1")
    #expect(try command("keras", "pytorch", "--input", "x.npy").captures() == nil)
    for arguments in [(first, "keras"), ("keras", first), (first, "missing.safetensors")] {
      #expect {
        try command(arguments.0, arguments.1).captures()
      } throws: {
        "\($0)".contains("is a capture and")
      }
    }
    #expect(throws: (any Error).self) { try command(first, second, "--input", "x.npy").captures() }
    #expect(throws: (any Error).self) { try command("keras", "pytorch").comparison() }
  }
}
