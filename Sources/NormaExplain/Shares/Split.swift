import NormaTensor

/// A gap divided among its causes by `GapShares`.
struct Split {
  /// The largest and the root mean square difference.
  var gap: Double
  var rootMeanSquare: Double
  var changes: [Change]
  var division: GapShares
  /// The difference at the sampled positions.
  var differences = DifferenceSamples()

  /// The largest difference that remains after a set of causes is fixed, where bit `i` represents
  /// `changes[i]`.
  var left: [Double] { division.left }
  var shares: [Double] { division.shares }
  /// The fraction that no cause accounts for.
  var unexplained: Double { division.unexplained }

  /// The causes whose repair changes the remaining gap by no more than `bound`, or 1 % of the gap,
  /// whatever else is fixed: they are invisible in the result.
  func idle(bound: Double) -> [Int] {
    let idle = changes.indices.filter { division.isIdle($0, bound: min(bound, 0.01 * gap)) }
    return idle.count < changes.count ? idle : []
  }

  /// The rounding of the result to a narrower type, if other causes account for nearly all of the
  /// gap.
  var faintRounding: [Int] {
    changes.count < 2 ? [] : changes.indices.filter { changes[$0].isNarrowing && shares[$0] < 1e-3 }
  }

  /// The gap between `actual`, the layer's output, and the evidence's target, which is the result
  /// of `changes` to the correct recipe.
  init(evidence: Evidence, right: Recipe, changes: [Change], actual: Tensor) {
    self.init(evidence: evidence, actual: actual)
    if changes.isEmpty || gap == 0 { return }
    self.changes = changes
    var left = [Double](repeating: 0, count: 1 << changes.count)
    let start = evidence.output(right.applying(changes))
    let end = evidence.output(right)
    for set in left.indices.dropLast() {
      let kept = changes.indices.filter { set & (1 << $0) == 0 }.map { changes[$0] }
      let result = set == 0 ? start : evidence.output(right.applying(kept))
      left[set] = largest(end - result)
    }
    let rest = (difference(evidence, actual) - (end - start)).evaluated()
    differences.after = evidence.sample(rest)
    division = GapShares(left: left, gap: gap, rest: largest(rest))
  }

  /// A difference that needs no cause, or has none.
  init(evidence: Evidence, actual: Tensor) {
    let wide = difference(evidence, actual)
    let count = Double(wide.shape.reduce(1, *))
    gap = largest(wide)
    rootMeanSquare = (wide.squared().sum().item() / max(count, 1)).squareRoot()
    changes = []
    division = GapShares(left: [0], gap: gap, rest: gap)
    differences.now = evidence.sample(wide)
  }

  /// The gap between a layer's input `y` and its output, for a `y` that was computed from the
  /// evidence's input with `changes` to the correct standardization.
  ///
  /// `f(S)` is what the layer adds to `y` if the causes in `S` are fixed, both in the computation
  /// of `y` and in the layer. `idle` changes are also present and are never fixed.
  init(
    identity evidence: Evidence, right: Recipe, changes: [LayerChange], idle: [LayerChange] = [],
    actual: Tensor
  ) {
    self.init(evidence: evidence, actual: actual)
    if changes.isEmpty || gap == 0 { return }
    self.changes = changes.map(\.change)
    let game = IdentityGame(evidence: evidence, right: right, changes: changes + idle)
    let start = game.gap(fixing: 0)
    let left = (0..<1 << changes.count).map { set in
      largest(set == 0 ? start : game.gap(fixing: set))
    }
    let rest = (difference(evidence, actual) - start).evaluated()
    differences.after = evidence.sample(rest)
    division = GapShares(left: left, gap: gap, rest: largest(rest))
  }
}

/// How far the layer's output is above the target, in `float64`.
private func difference(_ evidence: Evidence, _ actual: Tensor) -> Tensor {
  (evidence.frame.seen(actual).cast(to: .float64) - evidence.target.cast(to: .float64)).evaluated()
}

private func largest(_ difference: Tensor) -> Double { difference.abs().max().item() }

extension Evidence {
  /// The smallest difference of two results beyond rounding: 4 roundings of the largest value.
  var visible: Double {
    let size = target.abs().max().cast(to: .float64).item()
    return size.isFinite ? 4 * rounding * size : 0
  }
}
