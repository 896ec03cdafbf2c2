import NormaTensor

/// Fallbacks when no formula fits: numbers derived from the data.
extension Finder {
  /// An epsilon that is in no list, alone or with one everyday change.
  func withObservedEpsilon() -> Result? {
    let everyday = ChangeList(evidence: evidence, right: right).everyday
    let bases = [[]] + everyday.filter { $0.rarity <= 1 && $0.cause != .epsilonValue }.map { [$0] }
    var best: Candidate?
    for base in bases {
      guard let start = right.applyingAll(base) else { continue }
      for epsilon in evidence.observedEpsilons(start) {
        guard base.allSatisfy(epsilon.combines), let recipe = right.applyingAll(base + [epsilon])
        else { continue }
        let candidate = Candidate(
          changes: base + [epsilon], recipe: recipe,
          misfit: evidence.misfit(recipe, count: RecipeSearch.coarse))
        // Fewer digits come first and win unless more digits fit much better.
        if candidate.misfit < 0.5 * (best?.misfit ?? evidence.careless) { best = candidate }
      }
    }
    guard let best, explains(best.recipe, fitted: 1) else { return nil }
    return Result(changes: best.changes, alternatives: best.changes.map { _ in [] }, fits: true)
  }

  /// The correct formula with steps in a narrower type that is in no list, if the results or the
  /// normalized values show it: they are numbers of that type, and the remainder is no larger than
  /// its rounding.
  func withNarrowSteps() -> Result? {
    for type in [DType.float16, .bfloat16, .float32] where unitRoundoff(type) > evidence.rounding {
      var recipe = right
      recipe.narrow = type
      guard
        evidence.targetIsRepresentable(in: type)
          || type != .float32 && evidence.normalizedIsRepresentable(in: type, right),
        evidence.misfit(recipe, count: .max) <= evidence.careless(type)
      else { continue }
      evidence.keepResidual(of: recipe)
      if abs(evidence.residualTrend(right)) >= 0.9 { return nil }
      return Result(
        changes: [Change(.rounding, .narrow(type), .holdsResidual(true))], alternatives: [[]],
        fits: true)
    }
    return nil
  }

  /// An unexplained factor and addend per channel or per statistic, or per channel in addition to
  /// one mistake: a weight and bias that the layer does not have.
  func withObservedLine() -> Result? {
    let frame = evidence.frame
    if let line = line(over: right, frame.parameterShape) { return named(line, isChannels: true) }
    let list = ChangeList(evidence: evidence, right: right)
    var best: (misfit: Double, changes: [Change])?
    // The rounding of half types would allow a line through anything.
    let isHalf = evidence.rounding > 0x1p-20
    let usualFirst = isHalf ? [] : (list.everyday + list.regions).sorted { $0.rarity < $1.rarity }
    for base in usualFirst where base.cause != .affine {
      guard let start = right.applyingAll([base]), start.surroundings == .none,
        start.mask == right.mask, start.narrow == right.narrow,
        let line = line(over: start, frame.parameterShape)
      else { continue }
      let change = unknown(line)
      if !change.combines(with: base) { continue }
      if line.misfit < 0.5 * (best?.misfit ?? .infinity) { best = (line.misfit, [base, change]) }
    }
    if let best {
      return Result(changes: best.changes, alternatives: [[], []], fits: true, isKnown: false)
    }
    return line(over: right, frame.statisticsShape).map { named($0, isChannels: false) }
  }

  private typealias Line = (scale: Grid, shift: Grid, misfit: Double)

  /// Factors and addends that turn a recipe's result into the target, if there are any.
  private func line(over start: Recipe, _ shape: [Int]) -> Line? {
    guard let (scale, shift) = evidence.observedLine(start, shape) else { return nil }
    var recipe = start
    recipe.observedScale = scale
    recipe.observedShift = shift
    let misfit = evidence.misfit(recipe, count: .max)
    guard misfit <= evidence.careless, explains(recipe, fitted: 2 * scale.values.count) else {
      return nil
    }
    return (scale, shift, misfit)
  }

  /// An unexplained line: its possible origin, without certainty.
  private func named(_ line: Line, isChannels: Bool) -> Result {
    if isCancellation(line.scale) {
      let change = Change(.rounding, .observedScale(line.scale), .observedShift(line.shift))
      return Result(changes: [change], alternatives: [[.other]], fits: true)
    }
    let isShift = line.scale.values.allSatisfy { abs($0 - 1) <= 64 * evidence.rounding }
    let others: [CauseName] =
      isChannels
      ? isShift
        ? [.affine, .orderOfOperations, .meanNotSubtracted]
        : [.affine, .correction, .epsilonValue, .runningVersusBatch]
      : isShift ? [.meanNotSubtracted, .axes] : [.correction, .epsilonValue, .axes]
    let change = isShift ? Change(.other, .observedShift(line.shift)) : unknown(line)
    return Result(changes: [change], alternatives: [others], fits: true, isKnown: false)
  }

  /// A factor and an addend that do not come from weight, bias or a statistic.
  private func unknown(_ line: Line) -> Change {
    Change(.other, .observedScale(line.scale), .observedShift(line.shift))
  }

  /// Whether the factors are those of `E[x^2] - E[x]^2` for data far from zero: the difference of
  /// two large numbers keeps only their last digits.
  private func isCancellation(_ scale: Grid) -> Bool {
    let (mean, variance) = evidence.statistics(right)
    guard mean.shape == scale.shape, variance.shape == scale.shape else { return false }
    let means = mean.array(of: Double.self)
    let variances = variance.array(of: Double.self)
    return scale.values.indices.allSatisfy { c in
      let condition = means[c] * means[c] / max(variances[c], .leastNormalMagnitude)
      return condition > 100 && abs(scale.values[c] - 1) <= 16 * evidence.rounding * condition
    }
  }
}
