import NormaTensor

/// Finds the changes that led to a target, with fallbacks if no formula fits.
struct Finder {
  let evidence: Evidence
  let right: Recipe

  /// The changes, and for each the causes that cannot be distinguished from it.
  struct Result {
    var changes: [Change]
    var alternatives: [[CauseName]]
    var fits: Bool
    /// Whether the reason is known: numbers derived from the data, and functions that are not
    /// normalizations, reproduce the target without explaining it.
    var isKnown = true
  }

  /// The largest fraction of a gap that an explanation may leave.
  static let mostUnexplained = 0.2

  /// How much more likely a formula has to be than the correct one, in nats: about 100,000 formulas
  /// are tried, 11.5 nats, and one false name in a thousand is accepted, 7 more.
  static let chance = 18.5

  /// For more elements, a part of the input is searched first, as it has the same formula.
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
      let holds = evidence.misfit(right.applying(few.changes), count: .max) <= evidence.careless
      if few.fits && isCertain && isLocal && holds { return few }
    }
    return search()
  }

  private func search() -> Result {
    if evidence.rounding > 0x1p-20
      || [.float16, .bfloat16].contains(where: evidence.targetIsRepresentable)
    {
      evidence.isRoundedOnce = true
      let finding = RecipeSearch(evidence: evidence, right: right).run()
      evidence.isRoundedOnce = false
      if finding.best.misfit <= RecipeSearch.careful, explains(finding.best) {
        return result(of: finding, fits: true)
      }
    }
    let finding = RecipeSearch(evidence: evidence, right: right).run()
    // A formula that fits no better than the correct one, and closes no gap, was not used.
    let isReached = explains(finding.best)
    if finding.fits && isReached {
      return closer(than: finding.best) ?? result(of: finding, fits: true)
    }
    let fitted = withStepsInHalf() ?? withFittedBuffers() ?? withObservedEpsilon()
    if let observed = fitted ?? withCancellation() ?? withObservedLine() ?? withNarrowSteps() {
      return observed
    }
    // The fit of another formula says nothing about the layer's own.
    if evidence.misfit(right, count: .max) <= evidence.careless {
      return Result(changes: [], alternatives: [], fits: true)
    }
    if !isReached { return Result(changes: [], alternatives: [], fits: false) }
    return result(of: finding, fits: false)
  }

  private func result(of finding: Finding, fits: Bool) -> Result {
    Result(
      changes: finding.best.changes,
      alternatives: alternatives(to: finding.best, in: finding.equals), fits: fits,
      isKnown: finding.best.recipe.replaced == nil)
  }

  /// The fallback when a formula fits only as a careless computation would: four times better.
  private func closer(than best: Candidate) -> Result? {
    guard evidence.rounding < 0x1p-20, best.misfit > 4 else { return nil }
    if best.changes.isEmpty { return withCancellation() }
    guard let observed = withObservedEpsilon(), observed.changes.count <= best.changes.count else {
      return nil
    }
    let misfit = evidence.misfit(right.applying(observed.changes), count: .max)
    return misfit < 0.25 * best.misfit ? observed : nil
  }

  /// Whether a candidate closes the gap, better than the best of that many formulas would by
  /// chance.
  private func explains(_ candidate: Candidate) -> Bool {
    candidate.changes.isEmpty || explains(candidate.recipe)
  }

  /// The same for a recipe with numbers that were fitted to the data.
  func explains(_ recipe: Recipe, fitted: Int = 0) -> Bool {
    let account = evidence.account(recipe, from: right, fitted: fitted)
    return account.rest <= Self.mostUnexplained && account.nats > Self.chance
  }

  /// For each change the names that equally good candidates give it.
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
}
