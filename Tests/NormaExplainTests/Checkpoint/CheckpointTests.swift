import Foundation
import NormaExplain
import NormaFiles
import NormaTensor
import Testing

/// A checkpoint of two batch norms and a linear layer, healthy as it is made.
struct Made {
  var tensors: [String: Tensor] = [:]

  /// Numbers that look like those of training, and differ from layer to layer.
  init(channels: Int = 16, prefix: String = "") {
    for (place, name) in ["bn1", "bn2", "bn3"].enumerated() {
      let value = { (scale: Double, offset: Double) in
        Tensor((0..<channels).map { scale * sin(Double(7 * $0 + 3 * place)) + offset })
          .cast(to: .float32)
      }
      tensors["\(prefix)\(name).running_mean"] = value(0.7, 0.1)
      tensors["\(prefix)\(name).running_var"] = value(0.4, 0.6)
      tensors["\(prefix)\(name).weight"] = value(0.3, 0.9)
      tensors["\(prefix)\(name).bias"] = value(0.2, 0)
      tensors["\(prefix)\(name).num_batches_tracked"] = Tensor.full([], 1000, dtype: .int64)
    }
    tensors["\(prefix)fc.weight"] = Tensor.ones(4, channels)
    tensors["\(prefix)fc.bias"] = Tensor.zeros(4)
  }

  /// Sets one element of a tensor with one axis.
  mutating func set(_ name: String, _ channel: Int, _ value: Double) {
    var values = tensors[name]?.array(of: Double.self) ?? []
    let dtype = tensors[name]?.dtype ?? .float32
    values[channel] = value
    tensors[name] = Tensor(values).cast(to: dtype)
  }

  func diagnosis() throws -> CheckpointDiagnosis {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("norma-checkpoint-\(UInt64.random(in: 0 ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SafeTensors.write(tensors, to: path)
    return try StateFile(contentsOf: path).diagnosis()
  }
}

@Suite struct `A checkpoint alone` {
  /// The only finding, which has words to it.
  private func only(_ made: Made) throws -> CheckpointFinding {
    let diagnosis = try made.diagnosis()
    #expect(diagnosis.findings.count == 1, "\(diagnosis)")
    let finding = try #require(diagnosis.findings.first)
    #expect(diagnosis.description.contains(finding.name))
    return finding
  }

  @Test func `is healthy where its numbers are`() throws {
    let diagnosis = try Made().diagnosis()
    #expect(diagnosis.findings.isEmpty && diagnosis.isHealthy, "\(diagnosis)")
    #expect(diagnosis.layers.map(\.name) == ["bn1", "bn2", "bn3"])
    #expect(diagnosis.layers[0].channels == 16 && diagnosis.layers[0].batchesTracked == 1000)
    #expect(diagnosis.prefix == "" && diagnosis.tensors == 17)
    let text = diagnosis.description
    #expect(text.contains("nothing wrong") && text.contains("norma capture --script"))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `with statistics that are not finite`(_ value: Double) throws {
    var made = Made()
    made.set("bn2.running_var", 3, value)
    let finding = try only(made)
    #expect(finding.name == "non-finite-statistics" && finding.severity == .error)
    #expect(finding.layers == ["bn2"] && finding.channels == ["bn2": [3]])
    #expect(finding.alternatives.count == 2)
  }

  @Test func `with an overflow of float16, stored as it is or widened later`() throws {
    var made = Made()
    for name in ["bn1", "bn2", "bn3"] {
      made.tensors["\(name).running_var"] = made.tensors["\(name).running_var"]?.cast(to: .float16)
    }
    made.set("bn1.running_var", 0, .infinity)
    var finding = try only(made)
    #expect(finding.name == "non-finite-statistics" && finding.alternatives.isEmpty)
    #expect(finding.evidence.contains { $0.contains("stored in float16") })
    made.tensors["bn1.running_var"] = made.tensors["bn1.running_var"]?.cast(to: .float32)
    finding = try only(made)
    #expect(finding.evidence.contains { $0.contains("had been float16 once") })
    made.set("bn1.running_var", 0, 1)
    #expect(try made.diagnosis().findings.isEmpty)
    made.tensors["bn1.running_var"] = made.tensors["bn1.running_var"]?.cast(to: .float16)
    made.set("bn1.running_var", 0, 50_000)
    #expect(try only(made).name == "half-precision-range")
  }

  @Test func `with a negative variance`() throws {
    var made = Made()
    made.set("bn3.running_var", 5, -0.25)
    let finding = try only(made)
    #expect(finding.name == "negative-running-variance" && finding.channels == ["bn3": [5]])
    #expect(finding.evidence.first?.contains("-0.25") == true)
  }

  @Test func `with parameters that are not finite`() throws {
    var made = Made()
    made.set("bn1.weight", 2, .nan)
    let finding = try only(made)
    #expect(finding.name == "non-finite-parameters" && finding.channels == ["bn1": [2]])
  }

  @Test(arguments: [0, 1000]) func `whose statistics were never trained`(_ count: Int) throws {
    var made = Made()
    made.tensors["bn2.running_mean"] = Tensor.zeros(16)
    made.tensors["bn2.running_var"] = Tensor.ones(16)
    made.tensors["bn2.num_batches_tracked"] = Tensor.full([], Double(count), dtype: .int64)
    let finding = try only(made)
    #expect(finding.name == "never-trained-statistics" && finding.layers == ["bn2"])
    #expect(finding.evidence.first?.contains("\(count) batches") == true)
  }

  @Test func `of a network before its first step`() throws {
    var made = Made()
    for name in ["bn1", "bn2", "bn3"] {
      for (part, value) in [("running_mean", 0.0), ("running_var", 1), ("weight", 1), ("bias", 0)] {
        made.tensors["\(name).\(part)"] = Tensor.full([16], value)
      }
      made.tensors["\(name).num_batches_tracked"] = Tensor.zeros([], dtype: .int64)
    }
    let finding = try only(made)
    #expect(finding.name == "never-trained-statistics" && finding.layers.count == 3)
    #expect(finding.statement.contains("show no training"))
  }

  @Test func `with dead channels, and none where all weights are small`() throws {
    var made = Made()
    made.set("bn1.weight", 4, 1e-9)
    made.set("bn2.running_var", 7, 0)
    let finding = try only(made)
    #expect(finding.name == "dead-channels" && finding.severity == .warning)
    #expect(finding.channels == ["bn1": [4], "bn2": [7]])
    var small = Made()
    small.tensors["bn1.weight"] = small.tensors["bn1.weight"].map { $0 * 0.001 }
    #expect(try small.diagnosis().findings.isEmpty)
  }

  @Test(arguments: ["module.", "model.", "_orig_mod.", "module._orig_mod."])
  func `with a prefix, which is told and no fault`(_ prefix: String) throws {
    let made = Made(prefix: prefix)
    let finding = try only(made)
    #expect(finding.name == "names-with-prefix" && finding.severity == .note)
    #expect(finding.statement.contains("\"\(prefix)\""))
    #expect(finding.statement.contains("strict=False"))
    #expect(try made.diagnosis().isHealthy && made.diagnosis().prefix == prefix)
  }

  @Test func `of an averaged model`() throws {
    var made = Made(prefix: "module.")
    made.tensors["n_averaged"] = Tensor.full([], 5, dtype: .int64)
    let diagnosis = try made.diagnosis()
    #expect(diagnosis.findings.map(\.name) == ["stale-statistics", "names-with-prefix"])
    #expect(diagnosis.isHealthy && diagnosis.prefix == "module.")
    #expect(diagnosis.findings[0].evidence == ["n_averaged is 5"])
    #expect(diagnosis.findings[1].repair?.pytorch[2].contains("if k != \"n_averaged\"") == true)
  }

  @Test func `whose statistics are missing, all or in part`() throws {
    var made = Made()
    made.tensors["bn2.running_var"] = nil
    #expect(try only(made).layers == ["bn2"])
    made.tensors["bn2.running_mean"] = nil
    made.tensors["bn2.num_batches_tracked"] = nil
    let finding = try only(made)
    #expect(finding.name == "missing-statistics" && finding.layers == ["bn2"])
    #expect(finding.severity == .error && finding.alternatives.count == 1)
    for key in made.tensors.keys where key.contains("running") || key.contains("tracked") {
      made.tensors[key] = nil
    }
    #expect(try only(made).layers == ["bn1", "bn2", "bn3"])
  }

  @Test func `whose layers have statistics of each other`() throws {
    var made = Made()
    for part in ["running_mean", "running_var"] {
      made.tensors["bn3.\(part)"] = made.tensors["bn1.\(part)"]
    }
    #expect(try only(made).name == "copied-statistics")
    // With a shared layer everything is the same.
    for part in ["weight", "bias"] { made.tensors["bn3.\(part)"] = made.tensors["bn1.\(part)"] }
    #expect(try made.diagnosis().findings.isEmpty)
  }

  @Test func `whose layers counted different batches`() throws {
    var made = Made()
    made.tensors["bn2.num_batches_tracked"] = Tensor.full([], 200, dtype: .int64)
    var finding = try only(made)
    #expect(finding.name == "stale-statistics" && finding.layers == ["bn2"])
    #expect(finding.severity == .warning && finding.evidence == ["bn2: 200 of 1000 batches"])
    // If only the last layer differs, it may be a new head.
    made = Made()
    made.tensors["bn3.num_batches_tracked"] = Tensor.full([], 200, dtype: .int64)
    finding = try only(made)
    #expect(finding.severity == .note)
  }

  @Test func `that saw few batches, unless its variances show another momentum`() throws {
    var made = Made()
    for name in ["bn1", "bn2", "bn3"] {
      made.tensors["\(name).num_batches_tracked"] = Tensor.full([], 10, dtype: .int64)
    }
    #expect(try made.diagnosis().findings.isEmpty, "variances below 0.35")
    for name in ["bn1", "bn2", "bn3"] {
      made.tensors["\(name).running_var"] = made.tensors["\(name).running_var"].map { $0 + 0.4 }
    }
    let finding = try only(made)
    #expect(finding.name == "statistics-not-converged" && finding.layers.count == 3)
    #expect(finding.evidence.first?.contains("10 batches, which leave 34.9 %") == true)
  }

  @Test func `whose tensors have different lengths`() throws {
    var made = Made()
    made.tensors["bn1.running_mean"] = Tensor.full([15], 0.5)
    #expect(try only(made).name == "mismatched-shapes")
  }

  @Test func `names its layers in the order of their numbers`() throws {
    var made = Made()
    for part in ["running_mean", "running_var", "weight", "bias"] {
      made.tensors["bn10.\(part)"] = made.tensors["bn1.\(part)"]
    }
    #expect(try made.diagnosis().layers.map(\.name) == ["bn1", "bn2", "bn3", "bn10"])
  }

  @Test func `of other normalizations, and of none`() throws {
    var made = Made()
    made.tensors = [
      "norm.weight": Tensor.full([8], 1.5), "norm.bias": Tensor.zeros(8),
      "rms_norm.weight": Tensor.full([8], 0.5), "fc.weight": Tensor.ones(2, 8),
    ]
    let finding = try only(made)
    #expect(finding.severity == .note && finding.layers == ["norm", "rms_norm"])
    made.tensors = ["fc.weight": Tensor.ones(2, 8), "fc.bias": Tensor.ones(2)]
    #expect(throws: CheckpointDiagnosisError.self) { try made.diagnosis() }
  }
}
