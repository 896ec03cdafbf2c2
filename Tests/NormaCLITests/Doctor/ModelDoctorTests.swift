import Foundation
import Norma
import NormaExplain
import NormaONNX
import Testing

@testable import NormaCLI

/// `norma doctor model.onnx --data`.
@Suite struct ModelDoctorTests {
  private func report(_ model: SmallModel, _ path: String) throws -> ModelReport {
    let network = try ONNXModel(contentsOf: model.path)
    let data = try ModelData(
      path, for: network, others: [], count: nil, preparation: .init(mean: [], deviation: []))
    return try ModelReport(file: model.path, data: data, model: network)
  }

  @Test func dataOfItsOwnKindAreHealthyAndMadeUpOnesAreNot() throws {
    try SmallModel.with { model in
      for count in [1, 2, 40] {
        let own = try model.file("own", SmallModel.pictures(count, seed: 7))
        let healthy = try report(model, own)
        #expect(healthy.isHealthy && healthy.verdict == "healthy", "\(count): \(healthy)")
        // No count of batches is in the file.
        #expect(healthy.diagnosis.layers.map(\.batchesTracked) == [nil, nil])
        #expect(exitStatus("doctor", model.path, "--data", own) == 0)
      }
      let unscaled = (SmallModel.pictures(40, seed: 7) + 1) * 127.5
      for (name, values) in [("unscaled", unscaled), ("few", unscaled[0..<2])] {
        let path = try model.file(name, values)
        let found = try report(model, path)
        #expect(!found.isHealthy && found.verdict.hasPrefix("other data than in training"))
        #expect(found.diagnosis.findings.map(\.defect).contains(.domainShift))
        #expect(found.text(style: Terminal.style, showsAll: false).contains("Verdict: other data"))
        #expect(exitStatus("doctor", model.path, "--data", path, "--json") == 1)
      }
    }
  }

  @Test func withoutStatisticsItSaysWhatCannotBeTold() throws {
    try SmallModel.with(hasNorms: false) { model in
      let found = try report(model, model.file("x", SmallModel.pictures(4, seed: 1)))
      #expect(found.isHealthy && found.verdict.hasPrefix("unknown"))
      let limits = try #require(found.limits)
      #expect(limits.contains("cannot be told") && limits.contains("1 other normalization layer"))
      #expect(found.text(style: Terminal.style, showsAll: false).contains("cannot be told"))
      let broken = SmallModel.pictures(4, seed: 1) / 0
      let wrong = try report(model, model.file("nan", broken))
      #expect(!wrong.isHealthy && wrong.verdict == "results that are not finite")
    }
  }

  @Test func aFolderOfFilesIsOneBatch() throws {
    try SmallModel.with { model in
      let folder = model.folder + "/data"
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      let pictures = SmallModel.pictures(5, seed: 2)
      for index in 0..<3 { try pictures[index].write(npy: "\(folder)/\(index).npy") }
      try pictures[3..<5].write(npy: "\(folder)/3.npy")
      let network = try ONNXModel(contentsOf: model.path)
      let data = try ModelData(
        folder, for: network, others: [], count: nil, preparation: .init())
      #expect(data.samples == 5)
      #expect(try #require(data.inputs["input"]).isEqual(to: pictures))
      try Tensor.ones(3, 9, 9).write(npy: "\(folder)/4.npy")
      #expect(throws: DataError.self) {
        try ModelData(folder, for: network, others: [], count: nil, preparation: .init())
      }
    }
  }

  @Test func wrongOptions() throws {
    try SmallModel.with { model in
      let x = try model.file("x", SmallModel.pictures(2, seed: 1))
      #expect(exitStatus("doctor", model.path) == 64)
      #expect(exitStatus("doctor", model.path, "--mean", "0.5") == 64)
      #expect(exitStatus("doctor", model.path, "--data", x, "--mean", "a") == 64)
      #expect(exitStatus("doctor", x, "--data", x) == 64)
      #expect(exitStatus("doctor", model.path, "--data", x, "--repair", "y") == 64)
      #expect(exitStatus("doctor", model.path, "--data", model.folder + "/none.npy") == 2)
    }
  }

  /// What else is done with networks works on those of others, too.
  @Test func importedNetworksRecalibrateFreezeAndAreWatched() throws {
    try SmallModel.with { file in
      let model = try ONNXModel(contentsOf: file.path)
      let norms = model.namedModules.compactMap { $0.module as? BatchNorm }
      let before = norms.map { $0.runningMean?.value.array(of: Float.self) }
      let batches = [SmallModel.pictures(32, seed: 9) * 3 + 1]
      let moved = try recalibrate(model, over: batches) { try $0([$1])[0].evaluated() }
      #expect(moved.map(\.name) == ["1", "4"])
      #expect(norms.map { $0.runningMean?.value.array(of: Float.self) } != before)
      model.eval()
      #expect(try model.diagnosis(samples: 32) { try model(batches)[0] }.isHealthy)
      #expect(throws: ONNXError.self) { try model.diagnosis(samples: 1) { try model([])[0] } }
      model.train()
      let watch = model.watch()
      for norm in norms { norm.freeze() }
      let frozen = norms.map { $0.runningMean?.value.array(of: Float.self) }
      try model(batches)[0].sum().backward()
      #expect(norms.map { $0.runningMean?.value.array(of: Float.self) } == frozen)
      #expect(watch.report().layers.map(\.name).contains("1"))
      model.eval()
      let x = withSeed(1) { Tensor.randn(4, 8, 5, 5) }
      let explanation = norms[0].explain(x, expecting: norms[0](x) * 2)
      #expect(explanation.causes.map(\.name) == [.affine])
    }
  }
}
