import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Pairs of captures of PyTorch's networks, written by Tools/make-capture-pairs.py: a port beside what it
/// was ported from.
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

  static func compared(_ name: String) throws -> CaptureComparison {
    let truth = try #require(truths.first { $0.name == name })
    let captures = try [truth.first, truth.second].map {
      try Capture(contentsOf: folder.appending(path: $0).path)
    }
    return compare(captures[0], captures[1], names: ("a", "b"))
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

  /// What comes behind the origin gets other inputs, and is not blamed for it.
  @Test func whatFollowsIsJudgedByEqualInputs() throws {
    let found = try Self.compared("two")
    #expect(found.layers.map(\.behaviour) == [.same, .different, .same, .different])
    #expect(found.layers[3].causes.map(\.name) == ["weight"])
    #expect(found.layers[3].causes[0].reason.contains("0.9 times the first"))
    #expect(found.layers[2].input?.agrees == false)
  }

  /// Both directions find the same, with the sides exchanged.
  @Test func directions() throws {
    for name in ["token-by-hand", "other-variance", "half-eps", "rms-offset"] {
      let truth = try #require(Self.truths.first { $0.name == name })
      let captures = try [truth.second, truth.first].map {
        try Capture(contentsOf: Self.folder.appending(path: $0).path)
      }
      let found = compare(captures[0], captures[1])
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
}
