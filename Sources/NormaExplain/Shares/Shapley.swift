/// The Shapley value of every player of a game.
///
/// `value[S]` is what the players in `S` achieve together; bit `i` of `S` represents player `i`,
/// and `value` has `2^players` entries. The value of a player is its mean contribution over all
/// orders in which the players may arrive:
/// `sum over S without i of |S|! (n - |S| - 1)! / n! * (value[S + i] - value[S])`.
/// The results add up to `value[all] - value[none]`.
///
/// Source: L. S. Shapley, "A value for n-person games", 1953.
func shapleyValues(players: Int, value: [Double]) -> [Double] {
  require(
    value.count == 1 << players,
    "shapleyValues: \(value.count) values for \(players) players; needed are \(1 << players)")
  // weight[s] = s! (n - s - 1)! / n!, by recurrence so that no factorial overflows.
  var weight = [Double](repeating: 0, count: players)
  for size in 0..<players {
    weight[size] =
      size == 0
      ? 1 / Double(players) : weight[size - 1] * Double(size) / Double(players - size)
  }
  return (0..<players).map { player in
    var total = 0.0
    for coalition in value.indices where coalition & (1 << player) == 0 {
      total +=
        weight[coalition.nonzeroBitCount] * (value[coalition | 1 << player] - value[coalition])
    }
    return total
  }
}

/// Stops with `message` when `condition` does not hold, in release builds too.
func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
