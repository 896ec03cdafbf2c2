/// A recipe written out as lines of code, so that two recipes can be compared line by line.
struct Formula {
  /// The result of a line; lines of two formulas with the same role correspond.
  enum Role: Int, Hashable, Comparable {
    case input, view, mean, spread, runningMean, runningVariance, result, layer

    static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
  }

  struct Line: Hashable {
    let role: Role
    let text: String

    init(_ role: Role, _ text: String) {
      self.role = role
      self.text = text
    }
  }

  let recipe: Recipe
  let layer: LayerNumbers
  let frame: Frame
  let notation: Notation
  /// The names of the formula's input and output.
  var value = "x"
  var result = "y"

  /// The lines, in order.
  var lines: [Line] {
    if let function = recipe.replaced {
      return [Line(.result, notation.line(result, function.rawValue))]
    }
    var lines: [Line] = []
    if let before { lines.append(Line(.input, before)) }
    if let view { lines.append(Line(.view, notation.line("g", notation.reshaped(value, view)))) }
    if recipe.source == .batch {
      if recipe.centred { lines.append(Line(.mean, notation.line("mean", mean))) }
      lines.append(Line(.spread, notation.line(spreadName, spread)))
    } else {
      lines += running
    }
    lines.append(Line(.result, notation.line(result, last)))
    return lines
  }

  /// Whether some line is not code because its operation has no short form.
  var isVague: Bool {
    recipe.blocks != .none || recipe.replaced != nil || layer.extra != nil && recipe.hasExtra
      || lines.contains { $0.text.contains("rearranged(") || $0.text.contains("over batches") }
  }

  /// The name of a layer of this kind in code.
  var layerName: String {
    switch layer.reach {
    case .batch: "bn"
    case .instance: "inorm"
    case .groups: "gn"
    case .axes: layer.subtractsMean ? "ln" : "rms"
    }
  }

  // MARK: Before statistics are taken

  private var before: String? {
    switch recipe.surroundings.before {
    case .rectifiedBefore: notation.line(value, notation.rectified(value))
    case .affineBefore:
      notation.line(value, "\(value) * \(weight)" + (layer.bias == nil ? "" : " + \(bias)"))
    default:
      recipe.mask == .filled ? notation.line(value, "\(value) * mask") : nil
    }
  }

  // MARK: Statistics

  /// The shape that axes refer to, if it is not the input's.
  private var view: [Int]? { recipe.shape ?? (frame.isGrouped ? frame.shape : nil) }

  /// The input in that shape.
  private var seen: String { view == nil ? value : "g" }

  private var mean: String {
    if recipe.mask == .statistics || recipe.mask == .zeroed {
      return masked(value, recipe.meanAxes)
    }
    return notation.reduced(seen, "mean", over: recipe.meanAxes)
  }

  /// A mean over unmasked values.
  private func masked(_ value: String, _ axes: [Int]) -> String {
    let brackets = value.contains(" ") ? "(\(value))" : value
    return notation.reduced("(\(brackets) * mask)", "sum", over: axes) + " / "
      + notation.reduced("mask", "sum", over: axes)
  }

  /// Whether the formula uses the deviation rather than its square.
  private var usesDeviation: Bool {
    if recipe.source != .batch || recipe.aboutZero { return false }
    if recipe.steps.contains(where: { [.deviation, .absolute].contains($0.statistic) }) {
      return true
    }
    let isPlain = recipe.mask == .ignored || recipe.mask == .filled
    let isKnown = recipe.correction == .none || recipe.correction == .one
    let isOutside = [.outside, .largerDeviation, .reciprocal].contains(recipe.placement)
    return isPlain && isKnown && (isOutside || recipe.epsilon == 0)
  }

  private var spreadName: String {
    recipe.aboutZero ? "ms" : usesDeviation ? "std" : notation.variance
  }

  private var spread: String {
    let axes = recipe.steps[0].axes
    if recipe.mask == .statistics || recipe.mask == .zeroed {
      return masked(
        recipe.aboutZero ? notation.squared("x") : notation.squared("(x - mean)"), axes)
    }
    var text = seen
    for (index, step) in recipe.steps.enumerated() {
      text = reduced(text, step, isFirst: index == 0)
    }
    return text + divisorChange(count: Frame.count(axes, of: recipe.shape ?? frame.shape))
  }

  private func reduced(_ text: String, _ step: Recipe.Step, isFirst: Bool) -> String {
    let correction = recipe.correction == .one || recipe.correction == .twice ? 1 : 0
    // A sum needs no divisor, and neither does a value that is multiplied afterwards.
    switch step.statistic {
    case .mean: return notation.reduced(text, "mean", over: step.axes)
    case .absolute:
      return notation.reduced("(\(text) - mean).abs()", "mean", over: step.axes)
    case .variance, .deviation:
      if recipe.aboutZero && isFirst {
        return notation.reduced("(\(notation.squared(text)))", "mean", over: step.axes)
      }
      if recipe.correction == .sum && recipe.steps.count == 1 {
        return notation.reduced("((\(text) - mean).abs() ** 2)", "sum", over: step.axes)
      }
      let isRoot = step.statistic == .deviation || recipe.steps.count == 1 && usesDeviation
      return notation.reduced(
        text, isRoot ? "std" : "var", over: step.axes, correction: correction)
    }
  }

  /// The factor for the variance, as code.
  private func divisorChange(count: Int) -> String {
    let batch = frame.outer[0]
    switch recipe.correction {
    case .one: return recipe.aboutZero ? " * \(count) / \(count - 1)" : ""
    case .twice: return " * \(count) / \(count - 1)"
    case .inverse: return " * \(count - 1) / \(count)"
    case .batchSize: return " * \(batch) / \(batch - 1)"
    default: return ""
    }
  }

  /// Running statistics instead of the batch's.
  private var running: [Line] {
    func cell(_ name: String) -> String { notation.cell(name, of: layerName, view: parameterView) }
    var lines: [Line] = []
    if recipe.source == .updated || recipe.momentum != .layers {
      lines.append(Line(.runningMean, notation.line("running_mean", update("running_mean"))))
    }
    let own = layer.ownRunningVariance
    if recipe.source == .updated || recipe.momentum != .layers || recipe.runningVariance != own {
      lines.append(Line(.runningVariance, notation.line("running_var", update("running_var"))))
    }
    let isOwn = recipe.source == .running
    let (mean, variance) =
      isOwn ? (cell("running_mean"), cell("running_var")) : ("running_mean", "running_var")
    if recipe.centred { lines.append(Line(.mean, notation.line("mean", mean))) }
    lines.append(Line(.spread, notation.line(notation.variance, variance)))
    return lines
  }

  /// A new running statistic from the old one and the batch.
  private func update(_ name: String) -> String {
    let correction = recipe.runningVariance == .biased || recipe.correction == .none ? 0 : 1
    let new =
      name == "running_mean"
      ? notation.reduced(value, "mean", over: frame.axes)
      : notation.reduced(value, "var", over: frame.axes, correction: correction)
    let share = layer.momentum
    switch recipe.momentum {
    case .layers:
      guard let share else { return "mean over batches of \(new)" }
      return "\(text(1 - share)) * \(name) + \(text(share)) * \(new)"
    case .exchanged:
      guard let share else { return "mean over batches of \(new)" }
      return "\(text(share)) * \(name) + \(text(1 - share)) * \(new)"
    case .last: return new
    default: return "mean over batches of \(new)"
    }
  }

  // MARK: The result

  /// The divisor of the centered value.
  private var divisor: String {
    let eps = text(recipe.epsilon)
    let deviation = usesDeviation ? spreadName : notation.root(spreadName)
    let square = usesDeviation ? notation.squared(spreadName) : spreadName
    if recipe.epsilon == 0 { return deviation }
    return switch recipe.placement {
    case .inside: notation.root("\(square) + \(eps)")
    case .outside: "(\(deviation) + \(eps))"
    case .larger: notation.root(notation.atLeast(square, eps))
    case .both: "(\(notation.root("\(square) + \(eps)")) + \(eps))"
    case .reciprocal: "(1 / (1 / \(deviation) + \(eps)))"
    case .largerDeviation: notation.atLeast(deviation, eps)
    case .sum: notation.root("\(square) + \(eps) / n")
    }
  }

  private var parameterView: [Int]? {
    let rank = frame.outer.count
    let axes = frame.isGrouped ? [frame.channelAxis] : frame.parameterAxes
    if axes == Array(rank - axes.count..<rank) || axes.count != 1 { return nil }
    return (0..<rank).map { $0 == axes[0] ? -1 : 1 }
  }

  private var weight: String { notation.cell("weight", of: layerName, view: parameterView) }
  private var bias: String { notation.cell("bias", of: layerName, view: parameterView) }

  private var last: String {
    var text = recipe.centred ? "(\(seen) - mean)" : seen
    switch recipe.divisor {
    case .deviation: text += " / \(divisor)"
    case .variance: text += " / \(notation.squared(divisor))"
    case .reciprocal: text += " * \(divisor)"
    case .one: break
    }
    if view != nil { text = "(\(text)).\(notation.reshape)(\(value).shape)" }
    if recipe.narrowsEarly, let narrow = recipe.narrow {
      text = notation.cast(text, to: "\(narrow)")
    }
    text = affine(text)
    if let extra = layer.extra, recipe.hasExtra { text = "(\(text)) with \(extra.words)" }
    if recipe.observedScale != nil { text = "(\(text)) * factor" }
    if recipe.observedShift != nil { text += " + shift" }
    switch recipe.surroundings {
    case .rectifiedAfter: text = notation.rectified(text)
    case .inputAdded: text += " + \(value)"
    case .shiftAfter: text += " + preceding_bias"
    default: break
    }
    if recipe.mask == .zeroed { text = "(\(text)) * mask" }
    if let narrow = recipe.narrow { text = notation.cast(text, to: "\(narrow)") }
    return text
  }

  private func affine(_ text: String) -> String {
    // A weight of 1 and a bias of 0 are left out.
    let isPlain = recipe.affine == .both && !layer.hasAffine
    let weight = layer.weight == nil || isPlain ? nil : weight
    let bias = layer.bias == nil || isPlain ? nil : bias
    func scaled(_ text: String, by factor: String?, plus addend: String?) -> String {
      text + (factor.map { " * \($0)" } ?? "") + (addend.map { " + \($0)" } ?? "")
    }
    return switch recipe.affine {
    case .both: scaled(text, by: weight, plus: bias)
    case .none: text
    case .weightOnly: scaled(text, by: weight, plus: nil)
    case .biasOnly: scaled(text, by: nil, plus: bias)
    case .onePlusWeight where !layer.hasAffine: "\(text) * 2"
    case .onePlusWeight: scaled(text, by: weight.map { "(1 + \($0))" }, plus: bias)
    case .biasFirst: scaled("(\(scaled(text, by: nil, plus: bias)))", by: weight, plus: nil)
    case .exchanged: scaled(text, by: bias, plus: weight)
    case .minusBias: scaled(text, by: weight, plus: nil) + (bias.map { " - \($0)" } ?? "")
    case .weightTwice: scaled(scaled(text, by: weight, plus: nil), by: weight, plus: bias)
    case .dividedByWeight: scaled(weight.map { "\(text) / \($0)" } ?? text, by: nil, plus: bias)
    default: scaled(text, by: weight.map { "rearranged(\($0))" }, plus: bias)
    }
  }
}
