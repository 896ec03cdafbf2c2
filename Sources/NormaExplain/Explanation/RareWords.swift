/// Rare mistakes as text: what the user's computation did, and what the layer does.
struct RareWords {
  let recipe: Recipe
  let right: Recipe
  let layer: LayerNumbers
  let frame: Frame

  /// The words for a change that has a field of its own; nil for others.
  func words(for change: Change) -> (String, String)? {
    if change.cause == .other, let words = line(change) { return words }
    for field in change.fields {
      switch field {
      case .replaced(let function):
        return ("\(function.rawValue) of the input, which is not a normalization", "normalizes")
      case .meanFactor(let value): return mean(value)
      case .gain(let value): return gain(value)
      case .fold(let value): return fold(value)
      case .buffers(let value): return buffers(value)
      case .rows(let rows):
        return (
          "statistics of the first \(rows) of \(frame.outer[0]) samples", "of the whole batch"
        )
      case .narrowSteps(let value): return steps(value)
      case .observedFactors:
        return ("variance as a difference of large numbers, E[x^2] - E[x]^2", "centered sums")
      case .momentum(.value(let m)): return momentum(m)
      case .affine(.weightMinusOne):
        return ("times (weight - 1): the 1 is forgotten", "times weight")
      case .affine(.absoluteWeight): return ("times the absolute weight", "times weight")
      default: break
      }
    }
    return nil
  }

  /// A factor and an addend that fit the data but no formula, with the first few of them.
  private func line(_ change: Change) -> (String, String)? {
    guard let shift = recipe.observedShift, change.isObserved else { return nil }
    let scale = recipe.observedScale
    let unit = shift.shape == frame.parameterShape ? "channel" : layer.unit(frame)
    let shown = min(3, shift.values.count)
    let numbers = (0..<shown).map { index in
      let addend = text(shift.values[index], digits: 4)
      return scale.map { "\(text($0.values[index], digits: 4)) and \(addend)" } ?? addend
    }
    let kind = scale == nil ? "shift" : "factor and shift"
    let more = shift.values.count - shown
    return (
      "every \(unit) differs by its own \(kind); the reason is unknown: "
        + numbers.joined(separator: "; ") + (more > 0 ? "; and \(grouped(more)) more" : ""),
      scale == nil ? "shift 0" : "factor 1 and shift 0"
    )
  }

  private func momentum(_ m: Double) -> (String, String) {
    let layers = layer.momentum.map { "a new batch weighs \(text($0))" }
    return (
      "a new batch weighs \(text(m)), and the old value \(text(1 - m))",
      layers ?? "the mean over all batches"
    )
  }

  private func mean(_ factor: Recipe.MeanFactor) -> (String, String) {
    let n = grouped(frame.count)
    return switch factor {
    case .one: ("the mean", "the mean")
    case .negative: ("the mean is added", "the mean is subtracted")
    case .count(let k), .countBoth(let k):
      ("the mean is the sum over \(grouped(k))", "the sum over n = \(n)")
    }
  }

  private func gain(_ gain: Recipe.Gain) -> (String, String) {
    let n = grouped(frame.count)
    return switch gain {
    case .one: ("no factor", "no factor")
    case .count: ("times n = \(n)", "no factor")
    case .root: ("times sqrt(n), n = \(n)", "no factor")
    case .inverseCount: ("divided by n = \(n)", "no factor")
    case .inverseRoot: ("divided by sqrt(n), n = \(n)", "no factor")
    }
  }

  private func fold(_ fold: Recipe.Fold) -> (String, String) {
    let layers = "bias - mean * weight / deviation"
    return switch fold {
    case .right: (layers, layers)
    case .plain: ("folded with the shift bias - mean", layers)
    case .weight: ("folded with the shift bias - mean * weight", layers)
    case .reciprocal: ("folded with the shift bias - mean / deviation", layers)
    }
  }

  private func buffers(_ buffers: Recipe.Buffers) -> (String, String) {
    let layers = "running statistics as they are"
    return switch buffers {
    case .kept: (layers, layers)
    case .initial: ("running mean 0 and variance 1, as before training", "the trained ones")
    case .times(let k): ("running mean and variance times \(text(k))", layers)
    case .varianceTimes(let k): ("running variance times \(text(k))", layers)
    case .meanTimes(let k): ("running mean times \(text(k))", layers)
    case .deviation: ("running_var taken for a deviation", "the variance")
    case .reciprocal: ("running_var taken for 1 / deviation", "the variance")
    }
  }

  private func steps(_ narrow: Recipe.NarrowSteps) -> (String, String) {
    let steps = Recipe.NarrowSteps.Step.allCases.filter(narrow.contains).map(\.rawValue)
    return (
      "\(steps.joined(separator: ", ")) in \(narrow.type)", "rounded to the tensor's type only"
    )
  }
}
