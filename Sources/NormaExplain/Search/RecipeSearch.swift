/// A recipe that may have been used for the target, and how well it fits.
struct Candidate {
  var changes: [Change]
  var recipe: Recipe
  /// In units of rounding; see `Evidence.misfit`.
  var misfit: Double
  var rarity: Int { changes.reduce(0) { $0 + $1.rarity } }
}

/// The result of a search.
struct Finding {
  /// The simplest recipe that reproduces the target, or the nearest.
  var best: Candidate
  /// Other recipes with as many changes that reproduce the target as well.
  var equals: [Candidate]
  /// Whether `best` reproduces the target up to rounding.
  var fits: Bool
}

/// Finds the fewest changes to a formula that make a given result.
///
/// The search tries the correct recipe, every single change, every pair and every usual triple, and
/// if none fits, combinations of four everyday mistakes. A further change is accepted if it at
/// least halves the misfit; below `careful`, the misfit of a correct computation, nothing needs
/// explaining.
struct RecipeSearch {
  let evidence: Evidence
  let right: Recipe

  /// The largest misfit at which a result counts as the recipe's, rounded.
  static let careful = 0.6
  static let coarse = 192
  /// The number of sets of changes of the same size that are scored on all samples.
  static let kept = 24
  /// The largest total rarity of combined changes.
  static let rarity = 3
  /// The same for pairs: a wrong count, for example, is often in both mean and variance.
  static let pairRarity = 4

  func run() -> Finding {
    let list = ChangeList(evidence: evidence, right: right)
    var levels: [[Candidate]] = []
    var changes: [Change] = []
    // Other axes change a result by much more than rounding, unless it is that of a half type.
    let isHalf =
      evidence.rounding > 0x1p-20 || list.everyday.contains { $0.cause == .rounding }
    let enough = isHalf ? evidence.isRoundedOnce ? Self.careful : 2 : evidence.careless
    for more in [list.everyday, list.regions, list.nested] where bestMisfit(levels) > enough {
      changes += more
      levels = search(changes)
    }
    if bestMisfit(levels) > evidence.careless {
      levels.append(candidates(of: 4, from: list.everyday.filter { $0.rarity <= 1 }))
    }
    return conclude(levels)
  }

  private func bestMisfit(_ levels: [[Candidate]]) -> Double {
    levels.compactMap { $0.first?.misfit }.min() ?? .infinity
  }

  /// The best candidates of each number of changes, up to three.
  private func search(_ changes: [Change]) -> [[Candidate]] {
    var levels: [[Candidate]] = []
    for size in 0...3
    where bestMisfit(levels) > Self.careful || size < 3 && evidence.isConstant {
      levels.append(
        candidates(of: size, from: size < 3 ? changes : changes.filter { $0.rarity <= 1 }))
    }
    return levels
  }

  /// Visits sets of changes that can be combined; the rarer the changes, the fewer are combined.
  /// One by one, as all triples of many changes together would take gigabytes.
  private func forEachSet(
    of size: Int, from changes: [Change], _ body: ([Change]) -> Void
  ) {
    func extend(_ set: [Change], from start: Int, rarity: Int) {
      if set.count == size { return body(set) }
      for index in start..<changes.count {
        let next = changes[index]
        // A single change may have any rarity.
        let sum = rarity + next.rarity
        if size > 1 && sum > (size == 2 ? Self.pairRarity : Self.rarity)
          || !set.allSatisfy(next.combines)
        {
          continue
        }
        extend(set + [next], from: index + 1, rarity: sum)
      }
    }
    extend([], from: 0, rarity: 0)
  }

  /// Scores sets of changes: all on a few samples, the best on all samples.
  private func candidates(of size: Int, from list: [Change]) -> [Candidate] {
    // The best so far, in order; the scoring of worse ones is cut short.
    var best: [Candidate] = []
    forEachSet(of: size, from: list) { changes in
      guard let recipe = right.applyingAll(changes) else { return }
      let bound = best.count < Self.kept ? .infinity : best[best.count - 1].misfit
      let misfit = evidence.misfit(recipe, count: Self.coarse, bound: bound)
      if misfit >= bound { return }
      let place = best.firstIndex { misfit < $0.misfit } ?? best.count
      best.insert(Candidate(changes: changes, recipe: recipe, misfit: misfit), at: place)
      if best.count > Self.kept { best.removeLast() }
    }
    return best.map {
      var fine = $0
      fine.misfit = evidence.misfit($0.recipe, count: .max)
      return fine
    }.sorted { $0.misfit < $1.misfit }
  }

  /// The fewest changes that fit about as well as any.
  private func conclude(_ levels: [[Candidate]]) -> Finding {
    let least = bestMisfit(levels)
    let factor = least <= evidence.careless ? 2.0 : 4.0
    let bound = max(Self.careful, factor * least)
    // Many formulas give a single number, so the most common changes are the most likely, few or
    // not.
    let ranked = evidence.isConstant ? [levels.flatMap(\.self)] : levels
    for level in ranked {
      guard let first = level.min(by: { $0.misfit < $1.misfit }), first.misfit <= bound else {
        continue
      }
      let equals = level.filter { $0.misfit <= max(0.3, 1.5 * first.misfit) }
        .sorted { ($0.rarity, $0.misfit) < ($1.rarity, $1.misfit) }
      return Finding(
        best: equals[0], equals: Array(equals.dropFirst()),
        fits: equals[0].misfit <= evidence.careless)
    }
    return Finding(
      best: Candidate(changes: [], recipe: right, misfit: least), equals: [], fits: false)
  }
}
