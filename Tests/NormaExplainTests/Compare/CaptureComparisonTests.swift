import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Pairs of captures of PyTorch's networks, written by Tools/make-capture-pairs.py: a port beside
/// what it was ported from.
@Suite struct CaptureComparisonTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/captures")

  struct Truth: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let first: String
    let second: String
    let verdict: CaptureComparison.Verdict
    let layer: String?
    let causes: Set<String>

    var testDescription: String { name }
  }

  static let truths: [Truth] = {
    do {
      let data = try Data(contentsOf: folder.appending(path: "truth.json"))
      return try JSONDecoder().decode([Truth].self, from: data)
    } catch {
      return []
    }
  }()

  static func captures(_ name: String) throws -> (first: NetworkCapture, second: NetworkCapture) {
    let truth = try #require(truths.first { $0.name == name })
    return (
      try NetworkCapture(contentsOf: folder.appending(path: truth.first).path),
      try NetworkCapture(contentsOf: folder.appending(path: truth.second).path)
    )
  }

  static func compared(_ name: String) throws -> CaptureComparison {
    let captures = try captures(name)
    return compareCaptures(captures.first, captures.second, names: ("a", "b"))
  }

  @Test func thereAreFixtures() { #expect(Self.truths.count >= 37) }

  @Test(arguments: truths) func findsTheLayerAndTheCauses(_ truth: Truth) throws {
    let found = try Self.compared(truth.name)
    #expect(found.verdict == truth.verdict, "\(found)")
    #expect(found.originLayer?.first == truth.layer, "\(found)")
    #expect(Set(found.originLayer?.causes.map(\.name) ?? []) == truth.causes, "\(found)")
    let total = (found.originLayer?.causes.map(\.share) ?? []).reduce(0, +)
    if !truth.causes.isEmpty { #expect(abs(total - 1) < 0.01, "\(found)") }
    #expect(found.isSame == (truth.verdict == .same))
    let copy = try JSONDecoder().decode(
      CaptureComparison.self, from: JSONEncoder().encode(found))
    #expect(copy == found)
  }

  /// Layers after the origin get different inputs, and are not blamed for it.
  @Test func whatFollowsIsJudgedByEqualInputs() throws {
    let found = try Self.compared("two")
    #expect(found.layers.map(\.behaviour) == [.same, .different, .same, .different])
    #expect(found.layers[3].causes.map(\.name) == ["weight"])
    #expect(found.layers[3].causes[0].reason.contains("0.9 times the first"))
    #expect(found.layers[2].input?.agrees == false)
  }

  /// Both directions give the same result, with the sides exchanged.
  @Test func directions() throws {
    for name in ["token-by-hand", "other-variance", "half-eps", "rms-offset"] {
      let truth = try #require(Self.truths.first { $0.name == name })
      let captures = try Self.captures(name)
      let found = compareCaptures(captures.second, captures.first)
      let straight = try Self.compared(name)
      #expect(found.originLayer?.second == truth.layer)
      #expect(found.originLayer?.causes.map(\.name) == straight.originLayer?.causes.map(\.name))
      let sides = straight.originLayer?.causes.first
      #expect(found.originLayer?.causes.first?.first == sides?.second, "\(found)")
      #expect(found.originLayer?.causes.first?.second == sides?.first, "\(found)")
    }
  }

  @Test func relationsAreNamed() throws {
    func reason(_ name: String) throws -> String {
      try Self.compared(name).originLayer?.causes.map(\.reason).joined() ?? ""
    }
    #expect(try reason("other-variance").contains("that of blocks.2.1 in the first"))
    #expect(try reason("fresh").contains("1 everywhere, as in a new layer"))
    #expect(try reason("deviation").contains("the square root of the first"))
    #expect(try reason("transposed").contains("the first transposed"))
    #expect(try reason("half-overflow").contains("65504"))
    #expect(try Self.compared("conv").originLayer?.input?.relation?.contains("1.2 times") == true)
    #expect(
      try Self.compared("scaled-batch").originLayer?.input?.relation?.contains("255 times") == true)
    #expect(
      try Self.compared("shuffled-batch").originLayer?.input?.relation?
        .contains("samples in another order") == true)
  }

  @Test func matchingIsSaid() throws {
    #expect(try Self.compared("renamed").matching == .order)
    #expect(try Self.compared("prefix").matching == .prefix)
    #expect(try Self.compared("same").matching == .names)
    #expect(try Self.compared("reordered").isReordered)
    let text = try Self.compared("renamed").description
    #expect(text.contains("order of their calls"), "\(text)")
    #expect(try Self.compared("shorter").onlyFirst == ["blocks.3.1"])
  }

  @Test(arguments: truths) func textFitsItsWidth(_ truth: Truth) throws {
    let text = try Self.compared(truth.name).description
    for line in text.split(separator: "\n") {
      // Lines of code are never broken.
      let isCode = line.contains(" = first[") || line.contains(".eps = ")
      #expect(line.count <= (isCode ? 100 : 80), "\(line)")
      #expect(line.last != " ")
    }
  }

  /// Without samples, options, parameters and buffers are compared, and the text says what is
  /// unknown.
  @Test func withoutSamples() throws {
    var captures = try Self.captures("eps-of-third")
    for index in captures.first.layers.indices {
      captures.first.layers[index].x = nil
      captures.second.layers[index].y = nil
    }
    let found = compareCaptures(captures.first, captures.second)
    #expect(found.verdict == .state && found.originLayer?.first == "blocks.2.1")
    #expect(found.layers.allSatisfy { $0.behaviour == .unknown })
    #expect(found.description.contains("captures do not\nshow"), "\(found)")
    captures.second = captures.first
    let same = compareCaptures(captures.first, captures.second)
    #expect(same.verdict == .undecided && !same.isSame)
    #expect(
      compareCaptures(NetworkCapture(samples: 0), NetworkCapture(samples: 0)).verdict == .undecided)
    var strange = captures.first
    strange.layers[0].options.normalizedShape = [.max, .max, 3]
    #expect(!compareCaptures(strange, captures.first).isSame)
  }

  @Test func otherTrainingsAreSaid() throws {
    var captures = try Self.captures("same")
    let note = "may be two training runs"
    #expect(!compareCaptures(captures.first, captures.second).description.contains(note))
    for index in captures.second.layers.indices {
      captures.second.layers[index].weight = withSeed(UInt64(index)) { Tensor.rand(4) + 0.5 }
    }
    #expect(compareCaptures(captures.first, captures.second).notes.contains { $0.contains(note) })
  }

  /// Live networks are captured without samples: moments of inputs, parameters and buffers remain.
  @Test func liveNetworks() {
    func capture(_ change: (Sequential) -> Void) -> NetworkCapture {
      let network = SmallNetworks.trained()
      change(network)
      let x = SmallNetworks.batch
      return NetworkProbe(network) { network(x) }.capture(samples: 128, facts: CaptureFacts())
    }
    let plain = capture { _ in }
    let reset = capture { SmallNetworks.norm($0, "4").resetRunningStatistics() }
    let found = compareCaptures(plain, reset)
    #expect(found.verdict == .state && found.originLayer?.first == "4", "\(found)")
    let names = found.originLayer?.differences.map(\.name)
    #expect(names == ["running_mean", "running_var"])
    for difference in found.originLayer?.differences ?? [] {
      #expect(difference.relation.contains("as in a new layer"), "\(difference)")
    }
    let scaled = capture { network in
      guard let first = network[0] as? Linear else { return }
      first.weight.value = first.weight.value * Tensor(1.5)
    }
    let early = compareCaptures(plain, scaled)
    #expect(early.verdict == .inputs, "\(early)")
    #expect(early.originLayer?.input?.relation?.contains("1.5 times") == true)
  }

  /// A file that describes many layers costs no more than necessary, and crashes nothing.
  @Test func manyLayers() {
    func capture(_ prefix: String) -> NetworkCapture {
      var capture = NetworkCapture(samples: 1)
      capture.layers = (0..<1500).map { CapturedLayer(name: prefix + "\($0)", kind: "LayerNorm") }
      return capture
    }
    let found = compareCaptures(capture("a"), capture("b"))
    #expect(found.layers.count == 1500 && found.matching == .order)
    #expect(found.description.split(separator: "\n").count < 40)
  }
}
