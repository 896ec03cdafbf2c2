/// A gap divided among its causes, by how far the result stays from the right one.
///
/// With `f(S)` the result with the causes in `S` put right, and `|.|` the largest magnitude, a set of
/// causes is worth `v(S) = 1 - |f(S) - f(all)| / |f(nothing) - f(all)|`: the part of the gap that is
/// gone. A cause gets its Shapley value of `v`. A repair that overshoots is worth what it leaves, and
/// no more. Where no repair leaves more than there was before it, all shares lie between 0 and 1.
///
/// What `f` does not account for, `rest = |d - (f(all) - f(nothing))|` of a gap `d`, is measured apart.
/// Its part is `rest / (rest + min(|d|, |f(all) - f(nothing)|))`: near `rest / |d|` where it is small, and 1
/// where the causes make nothing or much more than the gap. The shares are those of what remains,
/// so that all add up to 1.
struct GapShares {
  /// For every set of causes, bit `i` standing for cause `i`, the largest difference that is left
  /// with these put right.
  let left: [Double]
  /// The part of the gap that no cause carries.
  let unexplained: Double
  let shares: [Double]
  /// The largest difference between the gap and what the causes make together.
  let rest: Double

  /// - Parameters:
  ///   - left: See `left`; the first entry is what the causes make together.
  ///   - gap: The largest difference between the two results.
  ///   - rest: The largest difference between the gap and what the causes make together.
  init(left: [Double], gap: Double, rest: Double) {
    (self.left, self.rest) = (left, rest)
    let players = left.count.trailingZeroBitCount
    let whole = left[0]
    let made = min(gap, whole)
    guard made > 0, rest.isFinite else {
      unexplained = gap == 0 ? 0 : 1
      shares = [Double](repeating: 0, count: players)
      return
    }
    let carried = made / (made + rest)
    // A repair that leaves numbers which are none is worth nothing.
    let worth = left.map { $0.isFinite ? carried * (1 - $0 / whole) : 0 }
    unexplained = 1 - worth[worth.count - 1]
    shares = shapleyValues(players: players, value: worth)
  }

  /// Whether to put a cause right leaves the gap as it is, up to `bound`, whatever else is right.
  func isIdle(_ cause: Int, bound: Double) -> Bool {
    let own = 1 << cause
    return left.indices.allSatisfy { $0 & own != 0 || abs(left[$0] - left[$0 | own]) <= bound }
  }
}
