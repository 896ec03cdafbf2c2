import NormaTensor

/// Formulas are found from samples, but statements about them concern all values.
extension Explainer {
  /// What a formula that fits the samples does not account for, or what can be said if none fits.
  func doubt(
    of found: Finder.Result, _ evidence: Evidence, _ right: Recipe, _ split: Split
  ) -> String? {
    // Fitted numbers do not have the rounding of a formula.
    let fitted = found.changes.filter { !$0.fields.contains(.holdsResidual(true)) }
    if split.gap == 0 || fitted.contains(where: \.isObserved) { return nil }
    var recipe = right.applying(found.changes)
    let holdsResidual = recipe.holdsResidual
    recipe.holdsResidual = false
    if found.fits {
      let furthest = holdsResidual ? split.gap : split.division.rest
      return found.isKnown
        ? evidence.strays(recipe, furthest: furthest)?.words(beside: found.changes.map(\.cause))
        : nil
    }
    guard found.changes.isEmpty else { return nil }
    if let strays = evidence.strays(right, furthest: split.gap), strays.count * 50 <= strays.total {
      return strays.words(beside: [])
    }
    // Rounding in a half type leaves between a twentieth of its unit and one unit.
    let types = [DType.float16, .bfloat16].filter { type in
      var narrow = right
      narrow.narrow = type
      return unitRoundoff(type) > evidence.rounding
        && (0.05...1).contains(evidence.misfit(narrow, count: .max))
    }
    guard let type = types.first else { return nil }
    return "The differences are as large as rounding to \(type) on the way would make them. "
      + "Whether it did, these data do not show."
  }

  /// Whether a formula that fits the samples misses other values.
  func isMissed(_ evidence: Evidence, _ recipe: Recipe) -> Bool {
    let distance = evidence.target.cast(to: .float64) - evidence.output(recipe)
    return evidence.strays(recipe, furthest: distance.abs().max().item()) != nil
  }
}
