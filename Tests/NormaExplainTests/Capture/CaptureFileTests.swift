import Foundation
import NormaFiles
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Captures are written and read without loss, and files that contradict themselves are errors.
@Suite struct CaptureFileTests {
  static func withFile<R>(_ body: (String) throws -> R) rethrows -> R {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// What a trained network shows, as a value.
  static func capture(_ network: Sequential, _ x: Tensor) -> NetworkCapture {
    NetworkProbe(network) { network(x) }
      .capture(samples: x.shape[0], facts: CaptureFacts(batches: 200, isShuffled: true))
  }

  @Test func roundTrip() throws {
    var capture = Self.capture(SmallNetworks.trained(), SmallNetworks.batch)
    capture.layers[0].before = CapturedNeighbour(kind: "Dropout", name: "drop", dropout: 0.5)
    capture.layers[1].standsStill = "frozen"
    capture.layers[2].aloneResult = capture.result
    let moments = try #require(capture.layers[2].batch)
    capture.probes = [CaptureProbe(layers: ["1", "4"], epsilon: 1e-3, moments: ["7": moments])]
    let read = try Self.withFile { path in
      try capture.write(to: path)
      return try NetworkCapture(contentsOf: path)
    }
    #expect(read.framework == "norma" && read.samples == 128 && read.facts == capture.facts)
    #expect(read.layers.map(\.name) == SmallNetworks.layers)
    for (a, b) in zip(capture.layers, read.layers) {
      #expect(a.kind == b.kind && a.options.momentum == b.options.momentum)
      #expect(a.options.epsilon == b.options.epsilon && a.batchesTracked == b.batchesTracked)
      #expect(a.before == b.before && a.after == b.after && a.between == b.between)
      #expect(a.standsStill == b.standsStill)
      #expect(
        a.runningMean?.array(of: Float.self) == b.runningMean?.array(of: Float.self)
          && a.weight?.array(of: Float.self) == b.weight?.array(of: Float.self))
      let (x, y) = (try #require(a.batch).total, try #require(b.batch).total)
      for (p, q) in zip(x.mean, y.mean) { #expect(abs(p - q) <= 1e-6 * max(abs(p), 1)) }
      for (p, q) in zip(x.m2, y.m2) { #expect(abs(p - q) <= 1e-5 * p) }
    }
    #expect(read.probes.map(\.layers) == [["1", "4"]] && read.probes[0].epsilon == 1e-3)
    #expect(read.layers[2].aloneResult?.count == capture.result?.count)
  }

  /// A file is diagnosed as the live network is.
  @Test func diagnosesAreThoseOfTheNetwork() throws {
    let network = SmallNetworks.trained()
    SmallNetworks.norm(network, "4").resetRunningStatistics()
    let live = network.diagnosis(on: SmallNetworks.batch)
    let capture = Self.capture(network, SmallNetworks.batch)
    let read = try Self.withFile { path in
      try capture.write(to: path)
      return try NetworkCapture(contentsOf: path)
    }
    let found = read.diagnosis()
    #expect(found.findings.map(\.defect) == live.findings.map(\.defect))
    #expect(found.findings.map(\.layers) == [["4"]], "\(found)")
  }

  @Test func hostileFilesAreErrors() throws {
    let capture = Self.capture(SmallNetworks.trained(), SmallNetworks.batch)
    func attempt(
      _ change: (inout StateDict, inout [String: String]) -> Void
    ) throws -> String? {
      try Self.withFile { path in
        try capture.write(to: path)
        let file = try SafeTensors(contentsOf: path)
        var (tensors, notes) = (try file.tensors(), file.metadata)
        change(&tensors, &notes)
        try SafeTensors.write(tensors, metadata: notes, to: path)
        do {
          _ = try NetworkCapture(contentsOf: path)
          return nil
        } catch {
          return "\(error)"
        }
      }
    }
    #expect(try attempt { _, _ in } == nil)
    #expect(try attempt { $1["format"] = "pt" }?.contains("is not a capture") == true)
    #expect(try attempt { $1["version"] = "2" }?.contains("a version other than 1") == true)
    #expect(try attempt { $1["capture"] = "{" }?.contains("damaged description") == true)
    #expect(try attempt { $1["capture"] = "{}" }?.contains("how many samples") == true)
    #expect(
      try attempt { tensors, _ in tensors["layer/4/running_var"] = .ones(3) }?
        .contains("3 values in \"running_var\"") == true)
    #expect(
      try attempt { tensors, _ in tensors["layer/4/batch/m2"] = nil }?
        .contains("incomplete moments") == true)
    #expect(
      try attempt { tensors, _ in tensors["layer/4/batch/count"] = -Tensor.ones(128) }?
        .contains("contradict each other") == true)
    #expect(
      try attempt { tensors, _ in tensors["layer/4/num_batches_tracked"] = Tensor(Int64(-1)) }?
        .contains("below zero") == true)
    #expect(
      try attempt { tensors, _ in tensors["result/batch"] = .ones(2) }?.contains("\"result\"")
        == true)
  }

  /// The buffers of exact recalibration are the pooled moments, and repair what was lost.
  @Test func recalibratedBuffers() throws {
    let network = SmallNetworks.trained()
    for name in SmallNetworks.layers {
      SmallNetworks.norm(network, name).resetRunningStatistics()
    }
    let capture = Self.capture(network, SmallNetworks.batch)
    let buffers = capture.recalibratedBuffers()
    #expect(buffers.count == 9)
    try recalibrate(network, over: [SmallNetworks.batch])
    for name in SmallNetworks.layers {
      let norm = SmallNetworks.norm(network, name)
      let expected = norm.runningVar?.value.array(of: Double.self) ?? []
      let found = buffers["\(name).running_var"]?.array(of: Double.self) ?? []
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-5 * b, "\(name) \(a) \(b)") }
    }
  }
}
