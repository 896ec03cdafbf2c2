/// A recipe that may have made the target, and how well it does.
struct Candidate {
  var changes: [Change]
  var recipe: Recipe
  /// In units of rounding; see `Evidence.misfit`.
  var misfit: Double
  var rarity: Int { changes.reduce(0) { $0 + $1.rarity } }
}

/// What a search found.
struct Finding {
  /// The simplest recipe that makes the target, or the nearest.
  var best: Candidate
  /// Other recipes, of as many changes, that make the target as well.
  var equals: [Candidate]
  /// Whether `best` makes the target up to rounding.
  var fits: Bool
}

/// Finds the fewest changes to a formula that make a given result.
///
/// The search tries the right recipe, every single change, every pair and every usual triple.
/// A further change is believed when it brings the misfit down at least by half; below
/// `careful`, the misfit of a computation without a mistake, nothing needs explaining.
struct RecipeSearch {
  let evidence: Evidence
  let right: Recipe

  /// The misfit up to which a result counts as the recipe's, rounded.
  static let careful = 0.6
  /// The misfit up to which a careless order of additions may have made the difference.
  static let careless = 40.0
  static let coarse = 192

  func run() -> Finding {
    let list = ChangeList(evidence: evidence, right: right)
    var changes = list.everyday
    var levels = search(changes)
    for more in [list.regions, list.nested] {
      // Other axes change a result by much more than roundings do.
      if bestMisfit(levels) <= Self.careless { break }
      changes += more
      levels = search(changes)
    }
    return conclude(levels)
  }

  private func bestMisfit(_ levels: [[Candidate]]) -> Double {
    levels.compactMap { $0.first?.misfit }.min() ?? .infinity
  }

  /// The best candidates of each number of changes.
  private func search(_ changes: [Change]) -> [[Candidate]] {
    var levels = [candidates([[]])]
    levels.append(candidates(changes.map { [$0] }))
    if bestMisfit(levels) <= Self.careful { return levels }
    var pairs: [[Change]] = []
    for (i, first) in changes.enumerated() {
      for second in changes[(i + 1)...]
      where first.combines(with: second) && first.rarity + second.rarity <= 3 {
        pairs.append([first, second])
      }
    }
    levels.append(candidates(pairs))
    if bestMisfit(levels) <= Self.careful { return levels }
    let usual = changes.filter { $0.rarity <= 1 }
    var triples: [[Change]] = []
    for (i, first) in usual.enumerated() {
      for (j, second) in usual.enumerated().dropFirst(i + 1) where first.combines(with: second) {
        for third in usual[(j + 1)...]
        where first.combines(with: third) && second.combines(with: third)
          && first.rarity + second.rarity + third.rarity <= 2
        {
          triples.append([first, second, third])
        }
      }
    }
    levels.append(candidates(triples))
    return levels
  }

  /// Scores sets of changes: all on a few samples, the best on all of them.
  private func candidates(_ sets: [[Change]]) -> [Candidate] {
    var rough: [Candidate] = []
    for changes in sets {
      guard let recipe = right.applyingAll(changes) else { continue }
      let misfit = evidence.misfit(recipe, count: Self.coarse)
      rough.append(Candidate(changes: changes, recipe: recipe, misfit: misfit))
    }
    let best = rough.sorted { $0.misfit < $1.misfit }.prefix(24)
    return best.map {
      var fine = $0
      fine.misfit = evidence.misfit($0.recipe, count: .max)
      return fine
    }.sorted { $0.misfit < $1.misfit }
  }

  /// The fewest changes that do about as well as any.
  private func conclude(_ levels: [[Candidate]]) -> Finding {
    let least = bestMisfit(levels)
    let factor = least <= Self.careless ? 2.0 : 4.0
    let bound = max(Self.careful, factor * least)
    for level in levels {
      guard let first = level.first, first.misfit <= bound else { continue }
      let equals = level.filter { $0.misfit <= max(0.3, 1.5 * first.misfit) }
        .sorted { ($0.rarity, $0.misfit) < ($1.rarity, $1.misfit) }
      return Finding(
        best: equals[0], equals: Array(equals.dropFirst()),
        fits: equals[0].misfit <= Self.careless)
    }
    return Finding(
      best: Candidate(changes: [], recipe: right, misfit: least), equals: [], fits: false)
  }
}
