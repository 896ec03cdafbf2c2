import NormaTensor

/// A gap divided among its causes.
///
/// With `d` the whole gap and `f(S)` the result with the causes in `S` put right, a set of causes
/// is worth `v(S) = <f(S) - f(nothing), d> / <d, d>`, and a cause gets its Shapley value of `v`.
struct Split {
  /// The largest and the root mean square difference.
  var gap: Double
  var rootMeanSquare: Double
  var changes: [Change]
  /// `v(S)`, bit `i` of `S` standing for `changes[i]`.
  var worth: [Double]
  /// The largest difference that is left with the causes in `S` put right.
  var left: [Double]

  var shares: [Double] { shapleyValues(players: changes.count, value: worth) }
  /// What no cause carries: `1 - v(all)`.
  var unexplained: Double { gap == 0 ? 0 : 1 - (worth.last ?? 0) }

  /// The gap between `actual`, the layer's output, and the evidence's target, which `changes`
  /// to the right recipe have made.
  init(evidence: Evidence, right: Recipe, changes: [Change], actual: Tensor) {
    let difference = (evidence.frame.seen(actual) - evidence.target).evaluated()
    let (gap, rms, energy) = measure(difference)
    self.gap = gap
    rootMeanSquare = rms
    self.changes = changes
    let sets = 1 << changes.count
    worth = [Double](repeating: 0, count: sets)
    left = [Double](repeating: gap, count: sets)
    if changes.isEmpty || energy == 0 { return }
    let wide = difference.cast(to: .float64)
    let start = evidence.output(right.applying(changes))
    let end = evidence.output(right)
    for set in 1..<sets {
      let kept = changes.indices.filter { set & (1 << $0) == 0 }.map { changes[$0] }
      let result = evidence.output(right.applying(kept))
      worth[set] = finite(((result - start) * wide).sum().item() / energy)
      left[set] = (end - result).abs().max().item()
    }
  }

  /// A difference that needs no cause, or has none.
  init(evidence: Evidence, actual: Tensor) {
    (gap, rootMeanSquare, _) = measure(
      (evidence.frame.seen(actual) - evidence.target).evaluated())
    changes = []
    worth = [0]
    left = [gap]
  }

  /// The gap between a layer's input `y` and its output, for a `y` that `changes` to the right
  /// standardization have made out of the evidence's input.
  ///
  /// `f(S)` is what the layer adds to `y` when `y` is made, and the layer set up, with the causes
  /// in `S` put right. `idle` changes have been made too and are never put right.
  init(
    identity evidence: Evidence, right: Recipe, changes: [LayerChange], idle: [LayerChange] = [],
    actual: Tensor
  ) {
    let difference = (evidence.frame.seen(actual) - evidence.target).evaluated()
    let (gap, rms, energy) = measure(difference)
    self.gap = gap
    rootMeanSquare = rms
    self.changes = changes.map(\.change)
    let sets = 1 << changes.count
    worth = [Double](repeating: 0, count: sets)
    left = [Double](repeating: gap, count: sets)
    if changes.isEmpty || energy == 0 { return }
    let game = IdentityGame(evidence: evidence, right: right, changes: changes + idle)
    let wide = difference.cast(to: .float64)
    var start = 0.0
    for set in 0..<sets {
      let rest = game.gap(fixing: set)
      let product = (rest * wide).sum().item() / energy
      if set == 0 { start = product }
      worth[set] = finite(start - product)
      if set > 0 { left[set] = rest.abs().max().item() }
    }
  }
}

private func finite(_ value: Double) -> Double { value.isFinite ? value : 0 }

private func measure(_ difference: Tensor) -> (max: Double, rms: Double, energy: Double) {
  let wide = difference.cast(to: .float64)
  let energy = wide.squared().sum().item()
  let count = Double(difference.shape.reduce(1, *))
  return (difference.abs().max().item(), (energy / max(count, 1)).squareRoot(), energy)
}
