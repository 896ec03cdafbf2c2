extension RunningAccount {
  /// The update of the running statistic, as a line of code.
  func line(_ recipe: RunningRecipe, _ notation: Notation) -> String {
    let name = statistic.rawValue
    let isPyTorch = notation.library == .pytorch
    let old =
      recipe.startsAtZero ? "0" : isPyTorch ? name : statistic == .mean ? "mean" : "variance"
    let new = batchValue(recipe, notation)
    let share: Double? =
      switch recipe.weight {
      case .layers: layer.momentum(.layers)
      case .exchanged: layer.momentum(.exchanged)
      case .cumulative: layer.momentum(.cumulative)
      case .replaced: 1
      case .kept: 0
      case .value(let value): value
      }
    var value = "\(text(1 - (share ?? 1))) * \(old) + \(text(share ?? 1)) * \(new)"
    if share == 1 { value = new }
    if share == 0 { value = old }
    let line = "\(isPyTorch ? name : old == "0" ? "running" : old) = \(value)"
    return recipe.updates > 1 ? "\(line)  \(notation.remark("\(recipe.updates) times"))" : line
  }

  private func batchValue(_ recipe: RunningRecipe, _ notation: Notation) -> String {
    let frame = layer.frame(input.shape)
    let all = frame.shape.indices.filter { !frame.parameterAxes.contains($0) }
    let plain = Notation(library: notation.library, keepsAxes: false)
    if statistic == .mean { return plain.reduced("x", "mean", over: all) }
    let correction = recipe.correction == .one || recipe.correction == .twice ? 1 : 0
    func variance(_ value: String, _ axes: [Int], _ name: String = "var") -> String {
      var text = plain.reduced(value, name, over: axes, correction: correction)
      let (n, batch) = (Frame.count(axes, of: frame.shape), frame.shape[0])
      if recipe.correction == .twice { text += " * \(n) / \(n - 1)" }
      if recipe.correction == .batchSize { text += " * \(batch) / \(batch - 1)" }
      return text
    }
    let inner = Array(frame.axes.dropFirst())
    switch recipe.value {
    case .deviation: return variance("x", frame.axes, "std")
    case .variancePlusEpsilon: return "(\(variance("x", frame.axes)) + \(text(layer.epsilon)))"
    case .wholeBatch: return variance("x", all)
    case .meanOverBatch: return plain.reduced(variance("x", inner), "mean", over: [0])
    case .meanOverParts(let parts):
      let shape = [parts, frame.shape[0] / parts] + frame.shape.dropFirst()
      let split = plain.reshaped("x", shape)
      return plain.reduced(variance(split, frame.axes.map { $0 + 1 }), "mean", over: [0])
    case .overBatchOnly:
      return plain.reduced(variance("x", [0]), "mean", over: inner.map { $0 - 1 })
    default:
      // Instance norm: the mean of the samples' statistics.
      let others = all.filter { !frame.axes.contains($0) }
      let own = variance("x", frame.axes)
      return others.isEmpty ? own : plain.reduced(own, "mean", over: others)
    }
  }

  /// How to fix a mistake in an update, in a sentence; `recipe` is the correct one with the
  /// mistake.
  func advice(_ recipe: RunningRecipe) -> String {
    let share = layer.momentum(.layers)
    if recipe.updates != right.updates { return "Update once for each batch." }
    if recipe.startsAtZero { return "Start from the layer's old value, not from 0." }
    switch recipe.weight {
    case .layers: break
    case .exchanged, .cumulative, .value:
      return "Give the new batch the weight \(text(share)), and the old value \(text(1 - share))."
    case .replaced: return "Keep \(text(1 - share)) of the old value; you replace all of it."
    case .kept: return "Compare after the update: a call in training changes the statistic."
    }
    if recipe.correction != right.correction {
      let divisor = right.correction == .none ? "n" : "n - 1"
      return "Divide by \(divisor) in the running variance."
    }
    switch recipe.value {
    case .deviation: return "Keep the variance, not its root."
    case .variancePlusEpsilon: return "Add no epsilon: it comes where the variance is used."
    case .wholeBatch: return "Average the variances of the samples."
    default: return "Take one variance of the whole batch."
    }
  }

  /// The steps, starting with the one that closes most.
  func steps(_ set: [Option], causes: [Explanation.Cause], left: [Double]) -> [LadderStep] {
    var steps: [LadderStep] = []
    var fixed = 0
    for _ in set {
      let open = set.indices.filter { fixed & (1 << $0) == 0 }
      guard let next = open.min(by: { left[fixed | 1 << $0] < left[fixed | 1 << $1] }) else {
        break
      }
      let before = recipe(keeping: open.map { set[$0] })
      let after = recipe(keeping: open.filter { $0 != next }.map { set[$0] })
      steps.append(
        LadderStep(
          cause: causes[next].name, alternatives: causes[next].alternatives,
          advice: advice(recipe(keeping: [set[next]])), reason: causes[next].reason,
          yours: line(before, .short), layers: line(right, .short),
          code: CodeChange(pytorch: line(after, .pytorch), norma: line(after, .norma)),
          gapBefore: left[fixed], gapAfter: left[fixed | 1 << next]))
      fixed |= 1 << next
    }
    return steps
  }
}
