import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Repairs are written in the framework of the network.
@Suite struct RepairCodeTests {
  typealias Small = SmallNetworks

  @Test(arguments: [
    ("torch 2.13.0+cpu", NetworkCapture.Framework.pytorch), ("keras 3.15.1, jax", .keras),
    ("flax 0.12.8", .flax),
    ("norma", .norma), ("", .pytorch), ("mindspore 2", .pytorch),
  ])
  func frameworksOfCaptures(_ name: String, _ expected: NetworkCapture.Framework) {
    #expect(NetworkCapture(framework: name, samples: 1, layers: []).language == expected)
  }

  /// Whatever is repaired by code in PyTorch is so in the other frameworks.
  @Test func noFrameworkIsForgotten() {
    for defect in Defect.allCases {
      for repair in [defect.now, defect.next].compactMap({ $0 }) {
        let counts = NetworkCapture.Framework.allCases.map { repair.code(for: $0).count }
        // Flax keeps statistics in float32 whatever is asked for.
        let isComplete = counts.allSatisfy { $0 > 0 } || counts.allSatisfy { $0 == 0 }
        #expect(isComplete || defect == .nonFinite, "\(defect): \(counts)")
        #expect(!(repair.keras + repair.flax).contains { $0.contains("torch") }, "\(defect)")
      }
    }
  }

  @Test(arguments: [
    ("torch 2.13.0+cpu", "update_bn(train_loader"),
    ("keras 3.15.1, jax", "model(x, training=True)"),
    ("flax 0.12.8", "nnx.iter_modules(model)"), ("norma", "try recalibrate(network"),
  ])
  func theTextShowsIt(framework: String, line: String) {
    let network = Small.trained()
    for name in Small.layers { Small.norm(network, name).resetRunningStatistics() }
    var capture = CaptureFileTests.capture(network, Small.batch)
    capture.framework = framework
    let found = capture.diagnosis()
    #expect(found.findings.first?.defect == .neverTrained)
    let text = found.description
    #expect(text.contains(line), "\(text)")
    #expect(text.contains("update_bn") == framework.hasPrefix("torch"), "\(text)")
    #expect(found.report(capture: capture).html.contains(line.prefix(12)))
  }

  /// A large share of the new batch is a large momentum in PyTorch and a small one in Keras.
  @Test(arguments: [
    ("torch 2", "so large", "0.99, the share of the new"),
    ("keras 3", "so small", "0.01, the share of the old"),
  ])
  func momentumInTheFrameworksWords(framework: String, size: String, momentum: String) throws {
    let network = Small.network(momentum: 0.99)
    Small.train(network, steps: 100)
    var capture = CaptureFileTests.capture(network, Small.batch)
    capture.framework = framework
    capture.facts = CaptureFacts()
    let first = try #require(capture.diagnosis().findings.first)
    #expect(first.defect == .momentumConvention && first.statement.contains(size), "\(first)")
    #expect(first.evidence[0].contains(momentum), "\(first.evidence)")
  }
}
