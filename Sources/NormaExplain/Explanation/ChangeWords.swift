/// A change as text: what the user's computation did, and what the layer does.
struct ChangeWords {
  let yours: String
  let layers: String
  /// Why that makes a difference.
  let reason: String
  /// The remark for a difference that has no effect.
  let idle: String
  let change: Change
  /// The context that the words are made from.
  let scene: ChangeScene

  init(
    _ change: Change, recipe: Recipe, right: Recipe, layer: LayerNumbers, frame: Frame,
    identity: LayerChange.LayerPart? = nil
  ) {
    let scene = ChangeScene(
      recipe: recipe, right: right, layer: layer, frame: frame, identity: identity)
    (self.change, self.scene) = (change, scene)
    (yours, layers) = scene.words(for: change)
    reason = scene.reason(for: change)
    let title = change.cause.title
    idle =
      "Not to blame: \(title) (yours: \(yours); the layer's: \(layers)). The gap closes without "
      + "touching that."
  }
}

/// The context of a change.
struct ChangeScene {
  let recipe: Recipe
  let right: Recipe
  let layer: LayerNumbers
  let frame: Frame
  let identity: LayerChange.LayerPart?

  func words(for change: Change) -> (String, String) {
    let rare = RareWords(recipe: recipe, right: right, layer: layer, frame: frame)
    if let words = rare.words(for: change) { return words }
    switch change.cause {
    case .axes:
      return (
        change.words ?? axesWords(),
        right.blocks == .none ? over(right.meanAxes) : "statistics of each part of the batch"
      )
    case .groupAssignment: return (change.words ?? axesWords(), groups())
    case .correction: return correction()
    case .epsilonPlacement, .epsilonValue: return epsilon()
    case .affine: return affine(change)
    case .runningVersusBatch:
      let pooled = "statistics of all training data together"
      let yours =
        recipe.momentum == .pooled
        ? pooled : recipe.momentum == .last ? "the last batch's statistics" : source(recipe.source)
      return (yours, source(right.source))
    case .runningVarianceCorrection:
      let words = (
        "running variance averaged over n", "running variance averaged over n - 1 (larger)"
      )
      return right.runningVariance == .biased ? (words.1, words.0) : words
    case .momentumConvention:
      let m = layer.momentum.map { text($0) } ?? "1 / batches"
      return recipe.momentum == .cumulative
        ? ("running statistics are the mean over all batches", "a new batch weighs \(m)")
        : ("momentum \(m) weighs the old value", "momentum \(m) weighs the new value")
    case .orderOfOperations: return order(change)
    case .meanNotSubtracted: return centring()
    case .perAxisComposition:
      return (change.words ?? nesting(), "one statistic \(over(right.meanAxes))")
    case .mask:
      return recipe.mask == .filled
        ? ("masked positions count as 0", "every position counts as it is")
        : ("statistics of unmasked positions only", "every position counts")
    case .rounding: return rounding()
    case .other: return other()
    }
  }

  /// The reason, with numbers if there are any.
  func reason(for change: Change) -> String {
    switch change.cause {
    case .correction where recipe.correction == .one && recipe.observedScale == nil:
      let n = recipe.source == .batch ? usersCount : frame.count
      guard n > 1, recipe.steps.count == 1 else { return change.cause.meaning }
      let (part, factor) = (Double(n - 1) / Double(n), Double(n) / Double(n - 1))
      let root = text(factor.squareRoot(), digits: n < 1000 ? 5 : 9)
      let fraction = "\(grouped(n - 1))/\(grouped(n))"
      let whole = n < 1000 ? " = \(text(part))" : ""
      return identity == nil
        ? "The layer divides by n, so its result is sqrt(n / (n - 1)) = \(root) times yours."
        : "That leaves a variance of \(fraction)\(whole) by the layer's count, which divides by n: "
          + "it multiplies by \(root)."
    case .axes where change.words == nil && identity == nil:
      let n = grouped(usersCount)
      return usersCount == frame.count
        ? "As many values, but others: \(n) for each \(layer.unit(frame))."
        : "Your variance rests on \(n) values, the layer's on \(grouped(frame.count)) for each "
          + "\(layer.unit(frame))."
    case .epsilonPlacement:
      return "Where the variance is small, that changes the divisor most."
    case .epsilonValue where identity == .epsilon && recipe.epsilon != 0:
      return "Epsilon is added twice: by you, and by the layer to a variance that is already 1."
    case .epsilonValue where identity == .epsilon && recipe.observedScale == nil:
      return "The layer adds epsilon to a variance that is already 1."
    case .other where change.isObserved:
      return "Nothing that Norma knows of the layer makes these numbers."
    default: return change.cause.meaning
    }
  }

  private func over(_ axes: [Int]) -> String {
    let n = grouped(Frame.count(axes, of: frame.shape))
    return "over \(frame.words(axes)), \(n) values for each \(layer.unit(frame))"
  }

  /// The number of values of the user's statistic.
  private var usersCount: Int {
    Frame.count(recipe.steps.flatMap(\.axes), of: recipe.shape ?? frame.shape)
  }

  private func groups() -> String {
    guard frame.isGrouped else { return over(frame.axes) }
    return "\(frame.shape[1]) groups of \(frame.shape[2]) neighboring channels"
  }

  private func axesWords() -> String {
    let spread = recipe.steps.flatMap(\.axes)
    let n = grouped(Frame.count(spread, of: frame.shape))
    if spread == recipe.meanAxes {
      return "statistics over \(frame.words(spread)), \(n) values each"
    }
    let square = recipe.aboutZero ? "mean square" : "variance"
    let mean = recipe.centred ? "mean over \(frame.words(recipe.meanAxes)), " : ""
    return "\(mean)\(square) over \(frame.words(spread))"
  }

  private func centring() -> (String, String) {
    if recipe.observedShift != nil {
      return ("the means are not 0", "subtracts the mean of every \(layer.unit(frame))")
    }
    func words(_ recipe: Recipe) -> String {
      switch (recipe.centred, recipe.aboutZero) {
      case (true, true): "the mean is subtracted, but the root mean square divides"
      case (true, false): "the mean is subtracted, and the deviation divides"
      case (false, true): "the mean is not subtracted, and the root mean square divides"
      case (false, false): "the mean is not subtracted, but the deviation divides"
      }
    }
    return (words(recipe), words(right))
  }

  private func rounding() -> (String, String) {
    let type = right.narrow.map { "\($0)" }
    if recipe.narrowsEarly, let type {
      return (
        "rounded to \(type) before the weight, and once more in the end",
        "rounded to \(type) once, in the end"
      )
    }
    if recipe.holdsResidual {
      return type.map { ("rounded to \($0) on the way", "rounded to \($0) once, in the end") }
        ?? (
          "rounded to \(recipe.narrow.map { "\($0)" } ?? "a narrower type") on the way",
          "rounded to the tensor's type only"
        )
    }
    return recipe.narrow.map { ("rounded to \($0)", "rounded to the tensor's type only") }
      ?? ("variance as a difference of large numbers, E[x^2] - E[x]^2", "centered sums")
  }

  private func correction() -> (String, String) {
    let n = recipe.source == .batch && recipe.steps.count == 1 ? usersCount : frame.count
    let layers = "divides by n"
    if recipe.observedScale != nil {
      return ("the input's variance is not 1, as after dividing by n - 1", layers)
    }
    if recipe.steps.count > 1 { return ("std with n - 1 at every step", layers) }
    return switch recipe.correction {
    case .none: ("variance over n", layers)
    case .one: ("n - 1 over n = \(grouped(n)) values", "n over \(grouped(frame.count))")
    case .twice: ("n / (n - 1) applied twice, n = \(grouped(n))", layers)
    case .inverse: ("variance times (n - 1) / n, n = \(grouped(n))", layers)
    case .batchSize: ("variance times N / (N - 1), N = \(frame.outer[0]) rows", layers)
    case .sum: ("the sum of squares, not divided by n", layers)
    case .count(let k):
      ("the sum of squares over \(grouped(k))", "over n = \(grouped(frame.count))")
    }
  }

  private func epsilon() -> (String, String) {
    if let identity {
      let own = "\(text(layer.epsilon)) added to the variance by the layer as well"
      if identity == .epsilon, recipe.epsilon == 0 {
        return recipe.observedScale == nil
          ? ("no epsilon", "\(text(layer.epsilon)) added to the variance")
          : ("not known without from:", own)
      }
      return (placed(recipe), identity == .epsilon ? own : "no epsilon")
    }
    return (placed(recipe), placed(right))
  }

  private func placed(_ recipe: Recipe) -> String {
    let value = text(recipe.epsilon)
    let v = recipe.aboutZero ? "ms" : "var"
    if recipe.epsilon == 0 { return "no epsilon: sqrt(\(v))" }
    return switch recipe.placement {
    case .inside: "sqrt(\(v) + \(value))"
    case .outside: "sqrt(\(v)) + \(value)"
    case .larger: "sqrt(max(\(v), \(value)))"
    case .both: "sqrt(\(v) + \(value)) + \(value)"
    case .reciprocal: "1 / (1 / sqrt(\(v)) + \(value))"
    case .largerDeviation: "max(sqrt(\(v)), \(value))"
    case .sum: "sqrt((sum of squares + \(value)) / n)"
    }
  }

  private func affine(_ change: Change) -> (String, String) {
    if !recipe.hasExtra, right.hasExtra, let extra = layer.extra {
      return (change.words ?? "", "with \(extra.words)")
    }
    let layers = layer.bias == nil ? "times weight" : "times weight, plus bias"
    let none = layer.bias == nil ? "no weight" : "no weight and bias"
    if identity == .affine { return (none, layers) }
    if recipe.observedShift != nil && recipe.observedScale == nil {
      return ("a constant added to every channel", layers)
    }
    if recipe.observedScale != nil { return ("another factor in every channel", layers) }
    return switch recipe.affine {
    case .none: (none, layers)
    case .weightOnly: ("no bias", layers)
    case .biasOnly: ("no weight", layers)
    case .onePlusWeight:
      (layer.bias == nil ? "times (1 + weight)" : "times (1 + weight), plus bias", layers)
    case .exchanged: ("times bias, plus weight", layers)
    case .minusBias: ("times weight, minus bias", layers)
    case .weightTwice: ("times weight twice", layers)
    case .dividedByWeight: ("divided by weight", layers)
    case .along(let axis):
      ("weight along axis \(frame.words([axis]))", "along axis \(frame.channelAxis)")
    case .interleaved: ("weight in another order of channels", "in order")
    case .stretched: ("one weight for each group", "one for each channel")
    case .repeated(let n): ("the first \(n) weights again and again", "one for each channel")
    case .weightMinusOne, .absoluteWeight, .both, .biasFirst: ("weight and bias", layers)
    }
  }

  private func source(_ source: Recipe.Source) -> String {
    switch source {
    case .batch: "the batch's own mean and variance"
    case .running: "running statistics"
    case .updated: "running statistics, updated with this batch first"
    }
  }

  private func order(_ change: Change) -> (String, String) {
    if recipe.affine == .biasFirst { return ("(x + bias) * weight", "x * weight + bias") }
    return switch recipe.surroundings {
    case .shiftAfter: ("the preceding bias is added after normalizing", "it is added before")
    case .shiftMissing: ("the preceding bias is left out", "it is part of the input")
    case .rectifiedAfter: ("negative results set to 0", "no activation")
    case .rectifiedBefore: ("negative inputs set to 0", "no activation")
    case .affineBefore: ("weight and bias come before normalizing", "they come after")
    case .none, .inputAdded: ("another order", "normalizes, scales, shifts")
    }
  }

  private func nesting() -> String {
    var words = ""
    for step in recipe.steps {
      let own = "\(step.statistic.rawValue) over \(frame.words(step.axes))"
      words = words.isEmpty ? own : "\(own) of the \(words)"
    }
    return words
  }

  private func other() -> (String, String) {
    let root = recipe.aboutZero ? "root mean square" : "deviation"
    if recipe.surroundings == .inputAdded { return ("the input is added", "normalizes only") }
    if recipe.correction == .sum { return ("divided by the root of the sum of squares", root) }
    if recipe.steps.contains(where: { $0.statistic == .absolute }) {
      return ("divided by the mean absolute deviation", "divided by the \(root)")
    }
    let formula = right.centred ? "(x - mean) / sqrt(var + eps)" : "x / sqrt(ms + eps)"
    return switch recipe.divisor {
    case .variance: ("divided by the square of the \(root)", "divided by the \(root)")
    case .reciprocal: ("multiplied by the \(root)", "divided by it")
    case .one: ("not divided", "divided by the \(root)")
    case .deviation: ("another formula", formula)
    }
  }
}

/// Axes as a Swift tuple: `(0, 2, 3)`.
func list(_ axes: [Int]) -> String { "(\(axes.map(String.init).joined(separator: ", ")))" }

/// An integer with separators: `301,056`.
func grouped(_ number: Int) -> String {
  var digits = Array(String(number.magnitude))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return (number < 0 ? "-" : "") + String(digits)
}

/// A number in its shortest readable form, with up to `digits` significant digits.
func text(_ value: Double, digits: Int = 5) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  let rounded = roundedTo(digits: digits, value)
  var words = "\(rounded)"
  if words.hasSuffix(".0") { words.removeLast(2) }
  return words
}
