/// A gap divided among its causes, by the distance of the result from the correct one.
///
/// With `f(S)` the result after the causes in `S` are fixed, and `|.|` the largest magnitude, the
/// value of a set of causes is `v(S) = 1 - |f(S) - f(all)| / |f(nothing) - f(all)|`: the fraction
/// of the gap that vanishes. A cause gets its Shapley value of `v`. A repair that overshoots is
/// worth no more than what it leaves. If no repair increases the gap, all shares are between 0 and
/// 1.
///
/// What `f` does not account for, `rest = |d - (f(all) - f(nothing))|` of a gap `d`, is measured
/// separately. Its fraction is `rest / (rest + min(|d|, |f(all) - f(nothing)|))`: near `rest / |d|`
/// if it is small, and 1 if the causes account for nothing or much more than the gap. The shares
/// divide what remains, so that everything adds up to 1.
struct GapShares {
  /// For every set of causes, where bit `i` represents cause `i`, the largest difference that
  /// remains after these are fixed.
  let left: [Double]
  /// The fraction of the gap that no cause accounts for.
  let unexplained: Double
  let shares: [Double]
  /// The largest difference between the gap and the combined effect of the causes.
  let rest: Double

  /// - Parameters:
  ///   - left: See `left`; the first entry is the combined effect of the causes.
  ///   - gap: The largest difference between the two results.
  ///   - rest: The largest difference between the gap and the combined effect of the causes.
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
    // A repair that leaves NaN or infinity is worth nothing.
    let worth = left.map { $0.isFinite ? carried * (1 - $0 / whole) : 0 }
    unexplained = 1 - worth[worth.count - 1]
    shares = shapleyValues(players: players, value: worth)
  }

  /// Whether fixing a cause leaves the gap unchanged, up to `bound`, whatever else is fixed.
  func isIdle(_ cause: Int, bound: Double) -> Bool {
    let own = 1 << cause
    return left.indices.allSatisfy { $0 & own != 0 || abs(left[$0] - left[$0 | own]) <= bound }
  }
}
