/// Orders the causes of a gap, and describes each as text and code.
///
/// Starting with the whole gap, the change that leaves least comes next. The remaining gap is that
/// of ``Split`` for a growing set of fixed causes.
struct Ladder {
  let split: Split
  /// A description of every change of the split.
  let words: [ChangeWords]
  let alternatives: [[CauseName]]
  /// Changes that are also present, but that no step fixes.
  var idle: [Change] = []
  /// Whether the unexplained remainder is rounding, which shrinks with the numbers that are
  /// rounded.
  var isRounding = false

  var steps: [LadderStep] {
    var steps: [LadderStep] = []
    var fixed = 0
    for _ in words {
      let open = words.indices.filter { fixed & (1 << $0) == 0 }
      let next = open.min { split.left[fixed | 1 << $0] < split.left[fixed | 1 << $1] }
      guard let next else { break }
      let kept = open.filter { $0 != next }
      let change = split.changes[next]
      let here = words[next].scene.words(
        change, among: open.map { split.changes[$0] } + idle)
      let rung = Rung(
        words: here, before: open.map { words[$0] }, after: kept.map { words[$0] }, idle: idle)
      steps.append(
        LadderStep(
          cause: change.cause, alternatives: alternatives[next],
          advice: here.scene.advice(for: change), reason: here.reason, yours: rung.yours,
          layers: rung.layers, code: rung.code, gapBefore: steps.last?.gapAfter ?? split.gap,
          gapAfter: left(fixed, next)))
      fixed |= 1 << next
      // The remaining changes have no more effect.
      if split.left[fixed] <= 1e-10 * (steps.last?.gapBefore ?? 0) { break }
    }
    return steps
  }

  /// The gap with one more cause fixed: no less than what no cause accounts for.
  private func left(_ fixed: Int, _ next: Int) -> Double {
    max(split.left[fixed | 1 << next], isRounding ? 0 : min(split.division.rest, split.gap))
  }
}

/// A step of the ladder: the formula with all changes before it, and with all after it.
private struct Rung {
  let words: ChangeWords
  let before: [ChangeWords]
  let after: [ChangeWords]
  let idle: [Change]

  private var scene: ChangeScene { words.scene }
  private var isIdentity: Bool { scene.identity != nil }

  private func formula(_ changes: [ChangeWords], _ notation: Notation) -> Formula {
    let recipe = scene.right.applying(changes.map(\.change) + idle)
    return Formula(recipe: recipe, layer: scene.layer, frame: scene.frame, notation: notation)
  }

  /// The lines of a formula, and the line that creates the layer.
  private func lines(_ changes: [ChangeWords], _ notation: Notation) -> [Formula.Line] {
    let formula = formula(changes, notation)
    guard isIdentity else { return formula.lines }
    let parts = changes.compactMap(\.scene.identity)
    return formula.lines + [
      Formula.Line(
        .layer, formula.constructor(holding: parts, of: before.compactMap(\.scene.identity)))
    ]
  }

  /// The roles of the lines in which the formula changes.
  private func roles(_ notation: Notation) -> Set<Formula.Role> {
    let (old, new) = (lines(before, notation), lines(after, notation))
    let changed = old.filter { !new.contains($0) } + new.filter { !old.contains($0) }
    return Set(changed.map(\.role))
  }

  /// Whether the formula describes the change better than words.
  private var isExpressible: Bool {
    let change = words.change
    if change.isObserved || change.cause == .rounding { return false }
    let recipe = formula(before, .short).recipe
    return recipe.blocks == scene.right.blocks && !formula(before, .short).isVague
  }

  private func joined(_ lines: [Formula.Line], _ roles: Set<Formula.Role>) -> String {
    lines.filter { roles.contains($0.role) }.map(\.text).joined(separator: "; ")
  }

  var yours: String {
    let roles = roles(.short).subtracting([.layer])
    let formula = joined(formula(before, .short).lines, roles)
    return isExpressible && !formula.isEmpty ? formula : words.yours
  }

  var layers: String {
    var roles = roles(.short)
    if !isIdentity {
      let formula = joined(formula([], .short).lines, roles)
      return isExpressible && !formula.isEmpty ? formula : words.layers
    }
    if roles.remove(.layer) != nil { roles.insert(.result) }
    var own = Formula(
      recipe: scene.layer.recipe(scene.frame), layer: scene.layer, frame: scene.frame,
      notation: .short)
    (own.value, own.result) = ("y", "\(own.layerName)(y)")
    let formula = joined(own.lines, roles)
    return formula.isEmpty ? words.layers : formula
  }

  var code: CodeChange? {
    if words.change.isObserved && words.change.cause != .rounding { return nil }
    guard let pytorch = code(.pytorch), let norma = code(.norma) else { return nil }
    return CodeChange(pytorch: pytorch, norma: norma)
  }

  private func code(_ notation: Notation) -> String? {
    if let special = scene.call(for: words.change, notation) { return special }
    if formula(after, notation).isVague { return nil }
    let (old, new) = (lines(before, notation), lines(after, notation))
    let added = new.filter { !old.contains($0) }
    if !added.isEmpty { return added.map(\.text).joined(separator: "\n") }
    let removed = old.filter { !new.contains($0) }
    if removed.isEmpty { return nil }
    return removed.map { notation.remark("leave out: \($0.text)") }.joined(separator: "\n")
  }
}

extension ChangeScene {
  /// The words for a change when it is combined with others.
  func words(_ change: Change, among changes: [Change]) -> ChangeWords {
    ChangeWords(
      change, recipe: right.applying(changes), right: right, layer: layer, frame: frame,
      identity: identity)
  }

  /// The call that fixes a change outside of the formula.
  func call(for change: Change, _ notation: Notation) -> String? {
    let isPyTorch = notation.library == .pytorch
    let own = Formula(recipe: right, layer: layer, frame: frame, notation: notation)
    let name = own.layerName
    if change.cause == .runningVersusBatch, layer.isTraining, recipe.source == .running {
      return "\(name).eval()"
    }
    if change.cause == .rounding, recipe.holdsResidual || recipe.narrowsEarly {
      return isPyTorch
        ? "y = \(name)(x.float()).to(x.dtype)"
        : "let y = \(name)(x.cast(to: .float32)).cast(to: x.dtype)"
    }
    switch recipe.surroundings {
    case .shiftAfter, .shiftMissing:
      guard change.cause == .orderOfOperations else { return nil }
      let line = notation.line("y", "\(name)(h + preceding_bias)")
      return "\(line)  \(notation.remark("the bias goes in front"))"
    default: return nil
    }
  }
}

extension Formula {
  /// The line that creates a layer, with corrections for those of its parts that are fixed.
  func constructor(
    holding parts: [LayerChange.LayerPart], of all: [LayerChange.LayerPart]
  ) -> String {
    let isPyTorch = notation.library == .pytorch
    func option(_ name: String, _ swift: String, _ value: String) -> String {
      isPyTorch ? ", \(name)=\(value)" : ", \(swift): \(value.lowercased())"
    }
    var call = layer.name
    if call.hasSuffix(")") { call.removeLast() } else { call += "(" }
    if all.contains(.epsilon) && !parts.contains(.epsilon) { call += option("eps", "eps", "1e-12") }
    if all.contains(.affine) && !parts.contains(.affine) {
      let isWide = if case .axes = layer.reach { true } else { false }
      call +=
        isWide
        ? option("elementwise_affine", "elementwiseAffine", "False")
        : option("affine", "affine", "False")
    }
    if all.contains(.statistics) && !parts.contains(.statistics) {
      return "\(layerName).train()"
    }
    return notation.line(layerName, (isPyTorch ? "torch.nn." : "") + call + ")")
  }
}
