import NormaKernels
import NormaTensor

/// Finds the changes that made a target, with what to fall back on when no formula fits.
struct Finder {
  let evidence: Evidence
  let right: Recipe

  /// What was found, and for each change the causes that it cannot be told from.
  struct Result {
    var changes: [Change]
    var alternatives: [[CauseName]]
    var fits: Bool
  }

  /// Above so many elements, a part of the input is searched first: it holds the same formula.
  static let many = 1 << 20

  func run() -> Result {
    let part = 0..<8
    let frame = evidence.frame
    if frame.shape.reduce(1, *) > Self.many, let axis = frame.sliceAxis,
      frame.shape[axis] > part.count
    {
      let few = Finder(evidence: evidence.narrowed(to: part), right: right).search()
      let isCertain = few.alternatives.allSatisfy(\.isEmpty)
      let isLocal = few.changes.allSatisfy { !$0.isObserved && !$0.hasShape }
      if few.fits && isCertain && isLocal { return few }
    }
    return search()
  }

  private func search() -> Result {
    let finding = RecipeSearch(evidence: evidence, right: right).run()
    if finding.fits {
      return Result(
        changes: finding.best.changes,
        alternatives: alternatives(to: finding.best, in: finding.equals), fits: true)
    }
    if let changes = withObservedEpsilon() {
      return Result(changes: changes, alternatives: changes.map { _ in [] }, fits: true)
    }
    if let (change, others) = withObservedLine() {
      return Result(changes: [change], alternatives: [others], fits: true)
    }
    if let change = withNarrowSteps() {
      return Result(changes: [change], alternatives: [[]], fits: true)
    }
    return Result(
      changes: finding.best.changes,
      alternatives: alternatives(to: finding.best, in: finding.equals), fits: false)
  }

  /// For each change the other names that candidates which do as well give it.
  private func alternatives(to best: Candidate, in equals: [Candidate]) -> [[CauseName]] {
    best.changes.map { change in
      let others = best.changes.filter { $0 != change }
      var names: [CauseName] = []
      for candidate in equals where others.allSatisfy(candidate.changes.contains) {
        for other in candidate.changes
        where !best.changes.contains(other) && other.cause != change.cause
          && !names.contains(other.cause)
        {
          names.append(other.cause)
        }
      }
      return names
    }
  }

  /// An epsilon that is in no list, alone or with one everyday change.
  private func withObservedEpsilon() -> [Change]? {
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
        // Fewer digits come first and keep their place unless more digits fit much better.
        if candidate.misfit < 0.5 * (best?.misfit ?? RecipeSearch.careless) { best = candidate }
      }
    }
    return best?.changes
  }

  /// The right formula with steps in a half type, when what is left looks like its rounding: as
  /// large, and not a part of the result.
  private func withNarrowSteps() -> Change? {
    for type in [DType.float16, .bfloat16] where unitRoundoff(type) > evidence.rounding {
      var recipe = right
      recipe.narrow = type
      guard evidence.misfit(recipe, count: .max) <= 2 else { continue }
      evidence.keepResidual(of: right)
      return abs(evidence.residualTrend(right)) < 0.9
        ? Change(.rounding, .holdsResidual(true)) : nil
    }
    return nil
  }

  /// A factor or an addend per channel or per statistic that nothing accounts for.
  private func withObservedLine() -> (Change, [CauseName])? {
    let frame = evidence.frame
    let noise = 64 * evidence.rounding
    for shape in [frame.parameterShape, frame.statisticsShape] {
      guard let (scale, shift) = evidence.observedLine(right, shape) else { continue }
      var recipe = right
      recipe.observedScale = scale
      recipe.observedShift = shift
      guard evidence.misfit(recipe, count: .max) <= RecipeSearch.careless else { continue }
      let isChannels = shape == frame.parameterShape
      if isCancellation(scale) {
        return (Change(.rounding, .observedScale(scale), .observedShift(shift)), [.other])
      }
      if scale.values.allSatisfy({ abs($0 - 1) <= noise }) {
        let others: [CauseName] = [.orderOfOperations, .meanNotSubtracted]
        return isChannels
          ? (Change(.affine, .observedShift(shift)), others)
          : (Change(.meanNotSubtracted, .observedShift(shift)), [.axes, .other])
      }
      let change = Change(
        isChannels ? .affine : .other, .observedScale(scale), .observedShift(shift))
      return (
        change,
        isChannels
          ? [.correction, .epsilonValue, .runningVersusBatch, .other]
          : [.correction, .epsilonValue, .axes]
      )
    }
    return nil
  }

  /// Whether the factors are what `E[x^2] - E[x]^2` makes of data far from zero: the difference
  /// of two large numbers keeps only their last digits.
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
