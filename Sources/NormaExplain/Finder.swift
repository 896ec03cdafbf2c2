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

  /// Above so many elements, a few channels are searched first: they hold the same formula.
  static let many = 1 << 20

  func run() -> Result {
    let channels = 0..<8
    if evidence.input.shape.reduce(1, *) > Self.many, evidence.layer.features > channels.count {
      let few = Finder(evidence: evidence.narrowed(to: channels), right: right).search()
      let isCertain = few.alternatives.allSatisfy(\.isEmpty)
      let isLocal = few.changes.allSatisfy { !$0.isPerChannel }
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

  /// A factor or an addend per channel that nothing accounts for.
  private func withObservedLine() -> (Change, [CauseName])? {
    let (scale, shift) = evidence.observedLine(right)
    var recipe = right
    recipe.observedScale = scale
    recipe.observedShift = shift
    guard evidence.misfit(recipe, count: .max) <= RecipeSearch.careless else { return nil }
    let noise = 64 * evidence.rounding
    if scale.allSatisfy({ abs($0 - 1) <= noise }) {
      return (
        Change(.affine, .observedShift(shift)), [.orderOfOperations, .meanNotSubtracted]
      )
    }
    if isCancellation(scale) {
      return (Change(.rounding, .observedScale(scale), .observedShift(shift)), [.other])
    }
    return (
      Change(.affine, .observedScale(scale), .observedShift(shift)),
      [.correction, .epsilonValue, .runningVersusBatch, .other]
    )
  }

  /// Whether the factors are what `E[x^2] - E[x]^2` makes of data far from zero: the difference
  /// of two large numbers keeps only their last digits.
  private func isCancellation(_ scale: [Double]) -> Bool {
    let (mean, variance) = evidence.statistics(right)
    let means = mean.array(of: Double.self)
    let variances = variance.array(of: Double.self)
    guard means.count == scale.count, variances.count == scale.count else { return false }
    return scale.indices.allSatisfy { c in
      let condition = means[c] * means[c] / max(variances[c], .leastNormalMagnitude)
      return condition > 100 && abs(scale[c] - 1) <= 16 * evidence.rounding * condition
    }
  }
}
