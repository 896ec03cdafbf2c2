import NormaKernels

/// A change in words: what the user's result was made with, and what the layer does.
struct ChangeWords {
  let yours: String
  let layers: String
  /// Why that makes a difference.
  let reason: String
  /// The remark for a difference that has no influence.
  let idle: String

  init(
    _ change: Change, recipe: Recipe, right: Recipe, layer: LayerNumbers, shape: [Int],
    identity: LayerChange.LayerPart? = nil
  ) {
    let scene = Scene(recipe: recipe, right: right, layer: layer, shape: shape, identity: identity)
    (yours, layers) = scene.words(for: change)
    reason = scene.reason(for: change)
    idle =
      "\(change.cause.rawValue) differ too (you: \(yours); layer: \(layers)), but are not to "
      + "blame: with the causes above put right, the gap closes without touching them."
  }
}

/// The circumstances in which a change is described.
private struct Scene {
  let recipe: Recipe
  let right: Recipe
  let layer: LayerNumbers
  let shape: [Int]
  let identity: LayerChange.LayerPart?

  func words(for change: Change) -> (String, String) {
    switch change.cause {
    case .axes:
      if recipe.blocks > 1 {
        return ("statistics of each of \(recipe.blocks) parts of the batch", over(right.meanAxes))
      }
      return (axesWords(), over(right.meanAxes))
    case .correction: return correction()
    case .epsilonPlacement, .epsilonValue: return epsilon()
    case .affine: return affine(change)
    case .runningVersusBatch:
      let pooled = "statistics of all the training data at once"
      let yours =
        recipe.momentum == .pooled
        ? pooled : recipe.momentum == .last ? "the last batch's statistics" : source(recipe.source)
      return (yours, source(right.source))
    case .runningVarianceCorrection:
      return (
        "running variance averaged over n", "running variance averaged over n - 1 (larger)"
      )
    case .momentumConvention:
      let m = layer.momentum.map { text($0) } ?? "1 / batches"
      return recipe.momentum == .cumulative
        ? ("running statistics are the mean over all batches", "a new batch weighs \(m)")
        : ("momentum \(m) weighs the old value", "momentum \(m) weighs the new value")
    case .orderOfOperations: return order(change)
    case .meanNotSubtracted:
      return recipe.observedShift == nil
        ? ("the mean is not subtracted", "the mean of every channel is subtracted")
        : ("the channels' means are not 0", "subtracts the mean of every channel")
    case .perAxisComposition:
      let yours = recipe.blocks > 1 ? "the mean of \(recipe.blocks) parts' statistics" : nesting()
      return (yours, "one statistic \(over(right.meanAxes))")
    case .mask: return ("statistics of unmasked positions only", "every position counts")
    case .rounding:
      return recipe.narrow.map { ("rounded to \($0)", "rounded to the tensor's type only") }
        ?? ("variance as a difference of large numbers, E[x^2] - E[x]^2", "centred sums")
    case .groupAssignment, .other: return other()
    }
  }

  /// The reason in numbers where there are some, in general otherwise.
  func reason(for change: Change) -> String {
    switch change.cause {
    case .correction where recipe.correction == .one && recipe.observedScale == nil:
      let steps = recipe.steps.flatMap(\.axes)
      let n = recipe.source == .batch ? count(steps) / recipe.blocks : count(right.meanAxes)
      guard n > 1, recipe.steps.count == 1 else { return change.cause.meaning }
      let (part, factor) = (Double(n - 1) / Double(n), Double(n) / Double(n - 1))
      let root = text(factor.squareRoot(), digits: n < 1000 ? 5 : 9)
      let fraction = "\(grouped(n - 1))/\(grouped(n))"
      let whole = n < 1000 ? " = \(text(part))" : ""
      return identity == nil
        ? "The layer divides by n, so its result is sqrt(n / (n - 1)) = \(root) times yours."
        : "That leaves a variance of \(fraction)\(whole) by the layer's count, which divides by n: "
          + "it multiplies by \(root)."
    case .epsilonValue where identity == .epsilon && recipe.epsilon != 0:
      return "Epsilon is added twice: by you, and by the layer to a variance that is already 1."
    case .epsilonValue where identity == .epsilon && recipe.observedScale == nil:
      return "The layer adds epsilon to a variance that is already 1."
    default: return change.cause.meaning
    }
  }

  private func over(_ axes: [Int]) -> String {
    "over \(list(axes)), \(grouped(count(axes))) values each"
  }

  private func count(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * shape[$1] } }

  private func axesWords() -> String {
    let spread = recipe.steps.flatMap(\.axes)
    if spread == recipe.meanAxes { return "statistics \(over(spread))" }
    return "mean over \(list(recipe.meanAxes)), variance over \(list(spread))"
  }

  private func correction() -> (String, String) {
    let axes = recipe.source == .batch ? recipe.steps.flatMap(\.axes) : right.meanAxes
    let n =
      recipe.source == .batch && recipe.steps.count == 1
      ? count(axes) / max(recipe.blocks, 1) : count(right.meanAxes)
    let layers = "divides by n"
    if recipe.observedScale != nil {
      return ("the input's variance is not 1, as after dividing by n - 1", layers)
    }
    if recipe.steps.count > 1 { return ("std with n - 1 at every step", layers) }
    return switch recipe.correction {
    case .none: ("variance over n", layers)
    case .one: ("n - 1 over n = \(grouped(n)) values", "n over \(grouped(count(right.meanAxes)))")
    case .twice: ("n / (n - 1) applied twice, n = \(grouped(n))", layers)
    case .inverse: ("variance times (n - 1) / n, n = \(grouped(n))", layers)
    case .batchSize: ("variance times N / (N - 1), N = \(shape[0]) rows", layers)
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
    if recipe.epsilon == 0 { return "no epsilon: sqrt(var)" }
    return switch recipe.placement {
    case .inside: "sqrt(var + \(value))"
    case .outside: "sqrt(var) + \(value)"
    case .larger: "sqrt(max(var, \(value)))"
    case .both: "sqrt(var + \(value)) + \(value)"
    case .reciprocal: "1 / (1 / sqrt(var) + \(value))"
    }
  }

  private func affine(_ change: Change) -> (String, String) {
    let layers = "times weight, plus bias"
    if identity == .affine { return ("no weight and bias", layers) }
    if recipe.observedShift != nil && recipe.observedScale == nil {
      return ("a constant added to every channel", layers)
    }
    if recipe.observedScale != nil { return ("another factor in every channel", layers) }
    return switch recipe.affine {
    case .none: ("no weight and bias", layers)
    case .weightOnly: ("no bias", layers)
    case .biasOnly: ("no weight", layers)
    case .onePlusWeight: ("times (1 + weight), plus bias", layers)
    case .exchanged: ("times bias, plus weight", layers)
    case .minusBias: ("times weight, minus bias", layers)
    case .weightTwice: ("times weight twice", layers)
    case .dividedByWeight: ("divided by weight", layers)
    case .both, .biasFirst: ("weight and bias", layers)
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
    if change.touches(.affine(.both)) { return ("(x + bias) * weight", "x * weight + bias") }
    return switch recipe.surroundings {
    case .shiftAfter: ("the preceding bias is added after normalizing", "it is added before")
    case .shiftMissing: ("the preceding bias is left out", "it is part of the input")
    case .rectifiedAfter: ("negative results set to 0", "no activation")
    case .rectifiedBefore: ("negative inputs set to 0", "no activation")
    case .none: ("another order", "normalizes, scales, shifts")
    }
  }

  private func nesting() -> String {
    var words = ""
    for step in recipe.steps {
      let own = "\(step.statistic.rawValue) over \(list(step.axes))"
      words = words.isEmpty ? own : "\(own) of the \(words)"
    }
    return words
  }

  private func other() -> (String, String) {
    switch recipe.divisor {
    case .variance: ("divided by the variance", "divided by its root")
    case .reciprocal: ("multiplied by the deviation", "divided by it")
    case .deviation: ("another formula", "(x - mean) / sqrt(var + eps)")
    }
  }
}

/// Axes as Swift writes them: `(0, 2, 3)`.
func list(_ axes: [Int]) -> String { "(\(axes.map(String.init).joined(separator: ", ")))" }

/// A whole number with separators: `301,056`.
func grouped(_ number: Int) -> String {
  var digits = Array(String(number.magnitude))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return (number < 0 ? "-" : "") + String(digits)
}

/// A number in the shortest form that a reader takes in, with up to `digits` significant digits.
func text(_ value: Double, digits: Int = 5) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  let rounded = roundedTo(digits: digits, value)
  var words = "\(rounded)"
  if words.hasSuffix(".0") { words.removeLast(2) }
  return words
}
