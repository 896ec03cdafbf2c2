import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Lines of code in a text of a few columns are still code.
@Suite struct CodeLineTests {
  private let style = TextStyle(width: 60)

  @Test func whatFitsStaysAsItIs() {
    #expect(style.code("let y = bn(x)", first: "  Norma ", indent: 8) == "  Norma let y = bn(x)")
    #expect(style.statements("a = 1; b = 2", first: "> ", indent: 4) == "> a = 1; b = 2")
  }

  @Test func callsBreakBehindTheirBracket() {
    let line = "let variance = x.variance(over: 0, 2, 3, correction: 0, keepDims: true)"
    #expect(
      style.code(line, first: "> ", indent: 4, isSwift: true)
        == "> let variance = x.variance(\n    over: 0, 2, 3, correction: 0, keepDims: true)")
  }

  @Test func swiftBreaksInFrontOfOperators() {
    let line = "let y = (x - mean) / (variance + 1e-05).sqrt() * bn.weight!.value + bn.bias!.value"
    let broken = style.code(line, indent: 2, isSwift: true)
    #expect(broken.contains("\n  * bn.weight!.value + bn.bias!.value"), "\(broken)")
    // Python would take the second line for another statement.
    #expect(style.code(line, indent: 2) == line)
  }

  @Test func argumentsBreakBehindCommas() {
    let names = (0..<12).map { "argument\($0)" }.joined(separator: ", ")
    let broken = style.code("result = call(\(names))", indent: 4)
    let lines = broken.split(separator: "\n")
    #expect(lines.count > 2 && lines.allSatisfy { $0.count <= 60 }, "\(broken)")
    #expect(lines.dropFirst().dropLast().allSatisfy { $0.hasSuffix(",") }, "\(broken)")
  }

  @Test func whatCannotBreakIsLeftLong() {
    let line = "a = " + String(repeating: "b", count: 80)
    #expect(style.code(line, first: "> ", indent: 4) == "> " + line)
    let text = "print(\"" + String(repeating: "(, ", count: 30) + "\")"
    #expect(style.code(text).split(separator: "\n").count == 2)
  }

  @Test func remarksComeInFront() {
    let line = "y = bn(h + preceding_bias)  # the bias goes in front of the layer, not behind"
    let lines = style.code(line, first: "> ", indent: 4).split(separator: "\n")
    #expect(lines.first == "> # the bias goes in front of the layer, not behind", "\(lines)")
    #expect(lines.last == "  y = bn(h + preceding_bias)", "\(lines)")
    let remark = "# leave out: " + String(repeating: "word ", count: 20)
    #expect(style.code(remark).split(separator: "\n").allSatisfy { $0.hasPrefix("# ") })
  }

  /// Every line of code in the texts, at 80 columns and at 50, is what the JSON holds.
  @Test(arguments: [50, 80]) func explanationsHoldWholeStatements(width: Int) {
    let x = withSeed(2) { Tensor.randn(6, 5, 4, 4) * 2 + 1 }.evaluated()
    let bn = BatchNorm2d(5)
    bn.weight?.value = Tensor([0.5, 1, 1.5, 2, 2.5] as [Float])
    bn.bias?.value = Tensor([0.5, 1, 1.5, 2, 2.5] as [Float])
    let mean = x.mean(over: 0, keepDims: true)
    let y = ((x - mean) / (x.variance(over: 0, keepDims: true) + 1e-2).sqrt()).evaluated()
    let found = bn.explain(x, expecting: y)
    let text = found.text(style: TextStyle(width: width))
    let joined = text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
      .filter { $0 != " " }
    #expect(!found.steps.isEmpty)
    for line in found.steps.compactMap(\.code).flatMap({ [$0.pytorch, $0.norma] }) {
      #expect(joined.contains(line.filter { $0 != " " && $0 != "\n" }), "\(line)\n\(text)")
    }
    for line in text.split(separator: "\n") where line.hasSuffix(":") || line.hasSuffix("=") {
      #expect(!line.hasPrefix("  "), "\(line)")
    }
  }
}
