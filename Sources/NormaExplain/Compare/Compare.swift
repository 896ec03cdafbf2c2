import NormaNN
import NormaTensor

/// Where two layers differ on an input, by how much, and because of which options.
///
///     print(compareLayers(BatchNorm2d(64), GroupNorm(1, 64), on: x))
///
/// The options of normalization layers (batch, frozen, group, instance, layer and RMS norm) are
/// known. Let f(S) be the first layer's result with the options in S taken from the second. The
/// value of S is the part of the largest difference that vanishes, v(S) = 1 - |f(S) - f(all)| /
/// |f(nothing) - f(all)|, and each option gets its Shapley value of v. So combined effects are
/// divided fairly; a negative share means that an option hides a part of the others' effect.
/// Running statistics after the call are compared in the same way. For other layers, only the
/// difference itself is reported, as unexplained.
///
/// Each layer runs in its current mode. Neither changes, including running statistics.
///
/// - Parameters:
///   - first: A layer.
///   - second: A layer with results of the same shape.
///   - x: An input for both.
///   - names: Names for the layers; by default their classes.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Returns: A comparison that prints as text and encodes to JSON.
/// - Accuracy: formulas in `float64`. A remainder that is no larger than the rounding of the types
///   counts as rounding and is not attributed to an option.
/// - Cost: 2ⁿ evaluations of the formula for n options that differ.
public func compareLayers(
  _ first: any Layer, _ second: any Layer, on x: Tensor,
  names: (first: String, second: String)? = nil, file: StaticString = #fileID,
  line: UInt = #line
) -> LayerComparison {
  let names = names ?? (title(first), title(second))
  let nothing = LayerComparison(
    first: names.first, second: names.second, shape: x.shape, options: [], quantities: [])
  // As when a checkpoint recomputes, running statistics do not change.
  let (a, b) = withoutGradients {
    GradientMode.$isRecomputing.withValue(true) {
      (
        withSeed(0) { first(x, file: file, line: line).evaluated() },
        withSeed(0) { second(x, file: file, line: line).evaluated() }
      )
    }
  }
  if a.isPoisoned || b.isPoisoned { return nothing }
  guard a.shape == b.shape else {
    let mistake = "the results have shapes \(a.shape) and \(b.shape)"
    report(TensorError("compareLayers(_:_:on:)", mistake), file: file, line: line)
    return nothing
  }
  let strange = NonFinite.compared(first, second, on: x.detached(), results: (a, b))
  let wide = x.detached().cast(to: .float64).evaluated()
  let rounding = [a.dtype, b.dtype].map(unitRoundoff).max() ?? 0
  guard let mine = NormFormula(first, x.shape, x.dtype),
    let other = NormFormula(second, x.shape, x.dtype), x.count > 0
  else {
    let result = QuantityComparison(.result, a, b, rounding: rounding, options: []) { _ in nil }
    return LayerComparison(
      first: names.first, second: names.second, shape: x.shape, options: [], quantities: [result],
      nonFinite: strange)
  }
  let differences = mine.differences(from: other, x.shape)
  let options = differences.map(\.option)
  var quantities = [
    QuantityComparison(
      .result, a, b, rounding: rounding, options: options.filter(\.movesResults)
    ) { mine.taking($0, from: other).result(wide) }
  ]
  if let from = mine.running(wide), let to = other.running(wide) {
    let moving = options.filter(\.movesRunningStatistics)
    quantities.append(
      QuantityComparison(
        .runningMean, from.mean, to.mean, rounding: unitRoundoff(.float64), options: moving
      ) { mine.taking($0, from: other).running(wide)?.mean })
    quantities.append(
      QuantityComparison(
        .runningVariance, from.variance, to.variance, rounding: unitRoundoff(.float64),
        options: moving
      ) { mine.taking($0, from: other).running(wide)?.variance })
  }
  return LayerComparison(
    first: names.first, second: names.second, shape: x.shape, options: differences,
    quantities: quantities, nonFinite: strange)
}

/// How batch norm differs between the conventions of two frameworks, on one batch in training.
///
///     print(compareLayers(.keras, .pytorch, on: x))
///
/// Both start with running mean 0 and running variance 1; see
/// ``compareLayers(_:_:on:names:file:line:)``.
/// - Parameters:
///   - first: A framework's convention.
///   - second: Another framework's convention.
///   - x: A batch `[N, C, ...]`.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
public func compareLayers(
  _ first: NormalizationConvention, _ second: NormalizationConvention, on x: Tensor,
  file: StaticString = #fileID, line: UInt = #line
) -> LayerComparison {
  let features = x.rank > 1 ? x.shape[1] : 0
  return compareLayers(
    BatchNorm(features, convention: first), BatchNorm(features, convention: second), on: x,
    names: (title(first), title(second)), file: file, line: line)
}

private func title(_ layer: any Layer) -> String {
  "\(type(of: layer)) in \(layer.isTraining ? "training" : "evaluation")"
}

private func title(_ convention: NormalizationConvention) -> String {
  let known: [(NormalizationConvention, String)] = [
    (.pytorch, "PyTorch"), (.keras, "Keras"), (.flax, "Flax"), (.mlx, "MLX"),
  ]
  return known.first { $0.0 == convention }?.1 ?? "eps \(convention.eps)"
}

extension NormOption {
  var movesResults: Bool {
    switch self {
    case .momentum, .runningVarianceCorrection, .updates: false
    default: true
    }
  }

  fileprivate var movesRunningStatistics: Bool {
    switch self {
    case .axes, .runningStatistics, .momentum, .runningVarianceCorrection, .updates: true
    default: false
    }
  }
}

extension QuantityComparison {
  /// The difference between two tensors, divided among options; `mixed` computes the first with
  /// some options of the second.
  init(
    _ quantity: Quantity, _ first: Tensor, _ second: Tensor, rounding: Double,
    options: [NormOption], _ mixed: ([NormOption]) -> Tensor?
  ) {
    self.quantity = quantity
    let (a, b) = (first.array(of: Double.self), second.array(of: Double.self))
    var (largest, at, energy, size, strange) = (0.0, 0, 0.0, 0.0, 0)
    var d = [Double](repeating: 0, count: a.count)
    for i in a.indices {
      if a[i] == b[i] || a[i].isNaN && b[i].isNaN {
        size = a[i].isFinite ? max(size, abs(a[i])) : size
        continue
      }
      guard a[i].isFinite && b[i].isFinite else {
        strange += 1
        continue
      }
      d[i] = b[i] - a[i]
      size = max(size, abs(a[i]))
      energy += d[i] * d[i]
      if abs(d[i]) > largest { (largest, at) = (abs(d[i]), i) }
    }
    (largestDifference, largestValue, incomparable) = (largest, size, strange)
    rootMeanSquare = (energy / Double(max(a.count, 1))).squareRoot()
    place = Self.place(at, in: first.shape)
    // The rounding of both sides, over a few operations.
    let slack = 8 * rounding * max(size, largest)
    let start = mixed([])?.array(of: Double.self)
    guard let start, !options.isEmpty, energy > 0 else {
      (causes, unexplained) = ([], energy > 0 ? 1 : 0)
      isRounding = largest <= slack && strange == 0
      return
    }
    let end = mixed(options)?.array(of: Double.self) ?? start
    let rest = Self.furthest(d.indices) { d[$0] - (end[$0] - start[$0]) }
    var left = [Double](repeating: 0, count: 1 << options.count)
    var alone = [Double](repeating: 0, count: options.count)
    for set in left.indices.dropLast() {
      let chosen = options.indices.filter { set & (1 << $0) != 0 }
      let values = set == 0 ? start : mixed(chosen.map { options[$0] })?.array() ?? start
      left[set] = Self.furthest(d.indices) { end[$0] - values[$0] }
      if chosen.count == 1 {
        alone[chosen[0]] = Self.furthest(d.indices) { values[$0] - start[$0] }
      }
    }
    if options.count == 1 { alone[0] = left[0] }
    let division = GapShares(left: left, gap: largest, rest: rest)
    // What has no effect is not a cause, and rounding has none.
    causes =
      largest <= slack
      ? []
      : options.indices.filter { alone[$0] > slack || !division.isIdle($0, bound: slack) }
        .map { Share(option: options[$0], share: division.shares[$0], differenceAlone: alone[$0]) }
        .sorted { abs($0.share) > abs($1.share) }
    unexplained = 1 - causes.reduce(0) { $0 + $1.share }
    isRounding = (causes.isEmpty ? largest : rest) <= slack && strange == 0
  }

  /// The largest finite magnitude.
  private static func furthest(_ indices: Range<Int>, _ value: (Int) -> Double) -> Double {
    indices.reduce(0) { most, index in
      let size = abs(value(index))
      return size.isFinite ? max(most, size) : most
    }
  }

  private static func place(_ index: Int, in shape: [Int]) -> [Int] {
    var (rest, place) = (index, [Int]())
    for size in shape.reversed() where size > 0 {
      place.append(rest % size)
      rest /= size
    }
    return place.reversed()
  }
}
