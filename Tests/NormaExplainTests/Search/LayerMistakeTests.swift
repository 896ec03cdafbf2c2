import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// The mistakes that every layer shares, on every layer.
@Suite struct LayerMistakeTests {
  /// The names of the causes; the shares and the rest must add up to 1.
  private func names(_ explanation: Explanation) -> [CauseName] {
    let sum = explanation.causes.reduce(explanation.unexplained) { $0 + $1.share }
    #expect(explanation.gap?.maximum == 0 || abs(sum - 1) < 1e-9, "shares add up to \(sum)")
    return explanation.causes.map(\.name)
  }

  private func names(
    _ subject: Subject, scale: Double = 1, _ change: (inout HandMade) -> Void
  ) -> [CauseName] {
    let x = subject.input(scale: scale)
    var formula = subject.right
    change(&formula)
    let found = subject.explain(x, expecting: formula(x))
    #expect(found.causes.isEmpty || abs(found.unexplained) < 0.01, "\(found)")
    return names(found)
  }

  @Test(arguments: Subject.allCases)
  func theRightFormulaHasNoCause(subject: Subject) {
    let x = subject.input()
    let explanation = subject.explain(x, expecting: subject.right(x))
    #expect(names(explanation).isEmpty)
    #expect(explanation.agrees)
  }

  @Test(arguments: Subject.allCases)
  func otherOrdersOfTheSameFormulaHaveNoCause(subject: Subject) {
    let x = subject.input()
    let formula = subject.right
    // Weight and deviation first, and one multiplication with an addition, as folding makes it.
    let split = formula.shape.map { x.reshaped($0) } ?? x
    let mean = split.mean(over: formula.axes, keepDims: true).evaluated()
    let spread =
      formula.aboutZero
      ? split.squared().mean(over: formula.axes, keepDims: true)
      : (split - mean).squared().mean(over: formula.axes, keepDims: true).evaluated()
    let root = (1 / (spread + 1e-5).sqrt()).evaluated()
    func whole(_ tensor: Tensor) -> Tensor {
      tensor.broadcast(to: split.shape).reshaped(x.shape).evaluated()
    }
    let scale = (formula.weight.map { $0 * whole(root) } ?? whole(root)).evaluated()
    var y = x * scale
    if formula.subtracts { y = y - (whole(mean) * scale).evaluated() }
    if let bias = formula.bias { y = y.evaluated() + bias }
    #expect(names(subject.explain(x, expecting: y.evaluated())).isEmpty)
    // In double, rounded at the end.
    var wide = formula
    wide.weight = formula.weight?.cast(to: .float64)
    wide.bias = formula.bias?.cast(to: .float64)
    let exact = wide(x.cast(to: .float64)).cast(to: .float32)
    #expect(names(subject.explain(x, expecting: exact)).isEmpty)
  }

  @Test(arguments: Subject.allCases)
  func correction(subject: Subject) {
    if subject == .rms { return }
    #expect(names(subject) { $0.correction = 1 } == [.correction])
  }

  @Test(arguments: Subject.allCases)
  func epsilonOutside(subject: Subject) {
    #expect(names(subject, scale: 0.05) { $0.isOutside = true } == [.epsilonPlacement])
  }

  @Test(arguments: Subject.allCases)
  func epsilonOfAnotherFramework(subject: Subject) {
    for eps in [0, 1e-3, 1e-6, 1e-12, 3.7e-4] {
      #expect(names(subject, scale: 0.02) { $0.eps = eps } == [.epsilonValue], "\(eps)")
    }
  }

  @Test(arguments: Subject.allCases)
  func parametersLeftOut(subject: Subject) {
    #expect(names(subject) { ($0.weight, $0.bias) = (nil, nil) } == [.affine])
    #expect(names(subject) { $0.weight = ($0.weight.map { 1 + $0 })?.evaluated() } == [.affine])
    if subject == .rms { return }
    #expect(names(subject) { $0.bias = nil } == [.affine])
  }

  @Test(arguments: Subject.allCases)
  func parametersThatTheLayerDoesNotHave(subject: Subject) {
    let x = subject.input()
    // The data show a line; that it comes from a weight and a bias is a guess.
    let found = subject.explain(x, expecting: subject.right(x), affine: false)
    #expect(names(found) == [.other])
    #expect(found.causes.first?.alternatives.contains(.affine) ?? false)
    #expect(found.causes.first?.yours.contains("the reason is unknown") ?? false, "\(found)")
    #expect(!found.unexplainedIsRounding)
  }

  @Test(arguments: Subject.allCases)
  func theMeanSubtractedOrNot(subject: Subject) {
    #expect(
      names(subject) {
        $0.subtracts.toggle()
        $0.aboutZero.toggle()
      } == [.meanNotSubtracted])
    #expect(
      names(subject) {
        $0.subtracts = false
        $0.aboutZero = !subject.right.aboutZero
      } == [.meanNotSubtracted])
  }

  @Test(arguments: Subject.allCases)
  func otherAxes(subject: Subject) {
    let x = subject.input()
    for axes in [[0], [1], [0, 1], [x.rank - 1], Array(1..<x.rank), Array(0..<x.rank)] {
      if axes == subject.right.axes && subject.right.shape == nil { continue }
      let found = names(subject) { ($0.axes, $0.shape) = (axes, nil) }
      #expect(found == [.axes], "axes \(axes)")
    }
  }

  @Test(arguments: Subject.allCases)
  func twoMistakesAtOnce(subject: Subject) {
    let small = names(subject, scale: 0.02) {
      ($0.axes, $0.shape) = ([0, 1], nil)
      $0.eps = 1e-3
    }
    #expect(Set(small) == [.axes, .epsilonValue])
    let plain = names(subject, scale: 0.02) {
      $0.weight = nil
      $0.bias = nil
      $0.isOutside = true
    }
    #expect(Set(plain) == [.affine, .epsilonPlacement])
    if subject == .rms { return }
    let divided = names(subject, scale: 0.02) {
      $0.correction = 1
      $0.isOutside = true
      $0.eps = 1e-4
    }
    #expect(divided.contains(.correction) && divided.contains(.epsilonPlacement))
  }

  @Test(arguments: Subject.allCases)
  func noiseIsNotExplained(subject: Subject) {
    let x = subject.input()
    let other = (x * x - 0.3 * x.abs()).evaluated()
    let explanation = subject.explain(x, expecting: other)
    #expect(names(explanation).isEmpty)
    #expect(explanation.unexplained == 1 && !explanation.agrees)
  }

  @Test(arguments: Subject.allCases)
  func whatIsNormalizedAlready(subject: Subject) {
    let x = subject.input()
    var formula = subject.right
    (formula.weight, formula.bias, formula.eps) = (nil, nil, 0)
    let own = formula(x)
    let twice = subject.explain(own, expecting: own, from: x, affine: false)
    #expect(names(twice) == [.epsilonValue])
    if subject == .rms { return }
    formula.correction = 1
    let y = formula(x)
    #expect(names(subject.explain(y, expecting: y, from: x, affine: false)).first == .correction)
    #expect(names(subject.explain(y, expecting: y, affine: false)).first == .correction)
  }

  @Test(arguments: Subject.allCases)
  func wordsOfTheLayer(subject: Subject) {
    let lines = subject.explain(subject.input()).description
    let text = lines.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let words: [String] =
      switch subject {
      case .layer: ["LayerNorm(24)", "24 values for each position", "(x - mean) / sqrt(var"]
      case .image: ["LayerNorm([6, 5, 5])", "150 values for each sample"]
      case .rms: ["RMSNorm(24)", "x / sqrt(mean of squares + 1e-05) * weight"]
      case .group: ["(2, 3) and the 4 channels of a group", "80 values for each group of a sample"]
      case .instance: ["42 values for each channel of a sample"]
      }
    for part in words { #expect(text.contains(part), "\(text)") }
    #expect(!text.contains("in training"))
  }

  @Test(arguments: Subject.allCases)
  func parametersOfTheUserAndAMistake(subject: Subject) {
    if subject == .image { return }  // Each position has its own weight, with few values.
    let x = subject.input()
    var formula = subject.right
    (formula.axes, formula.shape) = ([0, 1], nil)
    let found = subject.explain(x, expecting: formula(x), affine: false)
    #expect(Set(names(found)) == [.axes, .other])
  }

  @Test func differencesOfLargeNumbers() {
    // E[x^2] - E[x]^2 of data at 300: a false digit, and no formula.
    for subject in [Subject.layer, .group, .instance] {
      let x = (subject.input() + 300).evaluated()
      let formula = subject.right
      let split = formula.shape.map { x.reshaped($0) } ?? x
      let mean = split.mean(over: formula.axes, keepDims: true).evaluated()
      let squares = split.squared().evaluated().mean(over: formula.axes, keepDims: true)
      let variance = (squares.evaluated() - (mean * mean).evaluated()).evaluated()
      var y = ((split - mean) / (variance + 1e-5).sqrt()).reshaped(x.shape)
      if let weight = formula.weight { y = y * weight }
      if let bias = formula.bias { y = y + bias }
      #expect(names(subject.explain(x, expecting: y.evaluated())) == [.rounding], "\(subject)")
    }
  }

  @Test func manySamples() {
    // Over 1 << 20 elements a part is searched first; axes that cross it are found in the whole.
    let x = withSeed(11) { (Tensor.randn(40, 192, 144) * 2 + 1).evaluated() }
    let norm = LayerNorm(144, elementwiseAffine: false)
    #expect(
      names(norm.explain(x, expecting: HandMade(axes: [2], correction: 1)(x))) == [.correction])
    #expect(names(norm.explain(x, expecting: HandMade(axes: [0])(x))) == [.axes])
    #expect(names(norm.explain(x, expecting: HandMade(axes: [2])(x))).isEmpty)
  }
}
