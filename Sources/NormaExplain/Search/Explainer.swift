import NormaTensor

/// Makes explanations of normalization layers.
package struct Explainer {
  let layer: LayerNumbers
  /// The layer's input and its own output for it.
  let input: Tensor
  let output: Tensor
  var expected: Tensor?
  /// What the input was computed from.
  var origin: Tensor?
  /// The batches that led to the running statistics, and how often they were repeated.
  var history: [Tensor] = []
  var repetitions = 1
  /// 1 at selected positions, 0 at padding.
  var mask: Tensor?
  /// The sizes of parts of the batch that were normalized separately.
  var blocks: [Int] = []

  package init(
    layer: LayerNumbers, input: Tensor, output: Tensor, expected: Tensor? = nil,
    origin: Tensor? = nil, history: [Tensor] = [], repetitions: Int = 1, mask: Tensor? = nil,
    blocks: [Int] = []
  ) {
    self.layer = layer
    self.input = input
    self.output = output
    self.expected = expected
    self.origin = origin
    self.history = history
    self.repetitions = repetitions
    self.mask = mask
    self.blocks = blocks
  }

  /// The explanation. With a gap, it takes several passes over the data for every cause.
  package func explanation() -> Explanation {
    if let survey = NonFiniteSurvey(self) { return explanation(besides: survey) }
    guard let expected else { return explanation(of: nil) }
    require(
      expected.shape == input.shape,
      "explain(_:expecting:): expected shape \(expected.shape) is not the input's \(input.shape)")
    if same(expected, input) {
      if let origin, !same(origin, input) {
        require(
          origin.shape == input.shape,
          "explain(_:expecting:from:): from has shape \(origin.shape), the input \(input.shape)")
        return explanation(of: identity(from: origin, expected: expected))
      }
      return explanation(of: identity(expected: expected))
    }
    return explanation(of: formula(expected: expected))
  }

  /// A gap with its causes, before it is described.
  struct Account {
    var split: Split
    var alternatives: [[CauseName]]
    var words: [ChangeWords]
    var isRounding: Bool
    var notes: [String] = []
    /// Changes that are also present, but not causes.
    var idle: [Change] = []
  }

  // MARK: The user has a formula of their own for the layer's result

  private func formula(expected: Tensor) -> Account {
    let evidence = Evidence(
      input: input, target: expected, layer: layer, shift: knownShift(), history: history,
      repetitions: repetitions, mask: mask, blocks: blocks)
    let right = layer.recipe(evidence.frame, input.dtype)
    var found = Finder(evidence: evidence, right: right).run()
    if found.fits { addRounding(to: &found, evidence, right) }
    var split = Split(evidence: evidence, right: right, changes: found.changes, actual: output)
    let all = found
    let idle = split.idle(bound: evidence.visible) + split.faintRounding
    if !idle.isEmpty {
      found.changes = found.changes.indices.filter { !idle.contains($0) }.map { found.changes[$0] }
      found.alternatives = found.alternatives.indices.filter { !idle.contains($0) }
        .map { found.alternatives[$0] }
      split = Split(evidence: evidence, right: right, changes: found.changes, actual: output)
    }
    let recipe = right.applying(found.changes)
    var result = account(
      split, found, isRounding: found.fits && found.isKnown,
      words: found.changes.map {
        ChangeWords($0, recipe: recipe, right: right, layer: layer, frame: evidence.frame)
      })
    if let note = doubt(of: all, evidence, right, split) {
      result.notes.append(note)
      result.isRounding = false
    }
    return result
  }

  /// Intermediate half types, where the layer rounds once at the end.
  private func addRounding(to found: inout Finder.Result, _ evidence: Evidence, _ right: Recipe) {
    let recipe = right.applying(found.changes)
    guard evidence.roundsMoreThanOnce(recipe) else { return }
    evidence.keepResidual(of: recipe)
    let gap = (evidence.target - evidence.frame.seen(output)).abs().max().item()
    let left = evidence.residual?.abs().max().item() ?? 0
    // Besides a real mistake, rounding is only worth mentioning if it causes much of the gap.
    if !found.changes.isEmpty && left < 0.05 * gap { return }
    let early = Change(.rounding, .narrowsEarly(true))
    let isEarly = evidence.agreement(right.applying(found.changes + [early])) > 0.98
    found.changes.append(isEarly ? early : Change(.rounding, .holdsResidual(true)))
    found.alternatives.append(isEarly ? [.orderOfOperations] : [])
  }

  /// What a preceding layer added to every channel: the input minus what it was computed from.
  private func knownShift() -> Grid? {
    guard let origin, origin.shape == input.shape else { return nil }
    let frame = layer.frame(input.shape)
    let difference = frame.seen(input.cast(to: .float64) - origin.cast(to: .float64))
    let axes = frame.shape.indices.filter { !frame.parameterAxes.contains($0) }
    guard Frame.count(axes, of: frame.shape) > 1 else { return nil }
    let shift = difference.mean(over: axes, keepDims: true)
    let spread = (difference - shift).abs().max().item()
    let size = input.abs().max().item()
    guard spread <= 8 * unitRoundoff(input.dtype) * size else { return nil }
    let values = shift.array(of: Double.self)
    guard values.contains(where: { abs($0) > spread }) else { return nil }
    return Grid(shape: frame.parameterShape, values: values)
  }

  // MARK: The user expects the layer to leave its input unchanged

  private func identity(from origin: Tensor, expected: Tensor) -> Account {
    let evidence = Evidence(input: origin, target: expected, layer: layer)
    let right = layer.standardization(evidence.frame)
    let found = Finder(evidence: evidence, right: right).run()
    if !found.fits || isMissed(evidence, right.applying(found.changes)) {
      return identity(expected: expected)
    }
    let changes = layerChanges(found.changes)
    let game = IdentityGame(evidence: evidence, right: right, changes: changes)
    let needed = game.needed()
    let blamed = changes.indices.filter { needed & (1 << $0) != 0 }
    let split = Split(
      identity: evidence, right: right, changes: blamed.map { changes[$0] },
      idle: changes.indices.filter { !blamed.contains($0) }.map { changes[$0] }, actual: output)
    let recipe = right.applying(found.changes)
    let words = changes.map {
      ChangeWords(
        $0.change, recipe: recipe, right: right, layer: layer, frame: evidence.frame,
        identity: $0.layer)
    }
    var result = account(
      split,
      Finder.Result(changes: blamed.map { changes[$0].change }, alternatives: [], fits: true),
      isRounding: true, words: blamed.map { words[$0] })
    for index in changes.indices where !blamed.contains(index) {
      result.notes.append(words[index].idle)
      result.idle.append(changes[index].change)
    }
    return result
  }

  /// The changes, each with the layer's own contribution to it.
  private func layerChanges(_ found: [Change]) -> [LayerChange] {
    var changes = found.map { LayerChange(change: $0) }
    func add(_ part: LayerChange.LayerPart, to cause: CauseName) {
      if let index = changes.firstIndex(where: { $0.change.cause == cause }) {
        changes[index].layer = part
      } else {
        changes.append(LayerChange(change: Change(cause), layer: part))
      }
    }
    if layer.epsilon > 0 { add(.epsilon, to: .epsilonValue) }
    if layer.changesScale { add(.affine, to: .affine) }
    if !layer.usesBatch { add(.statistics, to: .runningVersusBatch) }
    return changes
  }

  /// Without the data that the input was computed from, only what the layer does to it.
  private func identity(expected: Tensor) -> Account {
    let evidence = Evidence(input: input, target: expected, layer: layer)
    let right = layer.standardization(evidence.frame)
    let (mean, variance) = evidence.statistics(right)
    let means = mean.array(of: Double.self)
    let variances = variance.array(of: Double.self)
    let shape = evidence.frame.statisticsShape
    let noise = 16 * evidence.rounding
    var found: [Change] = []
    var alternatives: [[CauseName]] = []
    if variances.contains(where: { abs($0 - 1) > noise }) {
      let (cause, others) = scaleCause(variances, evidence.frame)
      let scale = Grid(shape: shape, values: variances.map { $0.squareRoot() })
      found.append(Change(cause, .observedScale(scale)))
      alternatives.append(others)
    }
    if zip(means, variances).contains(where: { abs($0) > noise * $1.squareRoot() }) {
      found.append(
        Change(.meanNotSubtracted, .observedShift(Grid(shape: shape, values: means))))
      alternatives.append([.axes])
    }
    let changes = layerChanges(found)
    let split = Split(
      identity: evidence, right: right, changes: changes, actual: output)
    let recipe = right.applying(found)
    var result = account(
      split,
      Finder.Result(
        changes: changes.map(\.change),
        alternatives: alternatives + changes.dropFirst(found.count).map { _ in [] }, fits: true),
      isRounding: true,
      words: changes.map {
        ChangeWords(
          $0.change, recipe: recipe, right: right, layer: layer, frame: evidence.frame,
          identity: $0.layer)
      })
    if !found.isEmpty {
      result.notes.append(
        "To distinguish these causes, pass the data that the input was computed from (from:).")
    }
    return result
  }

  /// The most likely reason for a variance other than 1.
  private func scaleCause(_ variances: [Double], _ frame: Frame) -> (CauseName, [CauseName]) {
    let middle = median(variances) ?? 1
    let even = variances.allSatisfy { abs($0 / middle - 1) < 1e-3 }
    if even, isDivisor(middle, frame) { return (.correction, [.epsilonValue, .affine]) }
    if even, abs(middle - 1) < 1e-3 { return (.epsilonValue, [.correction, .affine]) }
    return (.other, [.affine, .perAxisComposition, .axes, .epsilonValue])
  }

  /// Whether the variance is `(n - 1) / n` for one of the counts n that the shape suggests.
  private func isDivisor(_ variance: Double, _ frame: Frame) -> Bool {
    let inner = frame.outer.dropFirst(2).reduce(1, *)
    return ([inner, frame.count] + frame.outer).contains {
      1 < $0 && $0 < 1000 && abs(variance * Double($0) / Double($0 - 1) - 1) < 1e-3
    }
  }

  private func same(_ a: Tensor, _ b: Tensor) -> Bool {
    a.shape == b.shape && (a - b).abs().max().item() == 0
  }

  private func account(
    _ split: Split, _ found: Finder.Result, isRounding: Bool, words: [ChangeWords]
  ) -> Account {
    Account(
      split: split,
      alternatives: found.alternatives.isEmpty ? split.changes.map { _ in [] } : found.alternatives,
      words: words, isRounding: isRounding)
  }
}
