import NormaTensor

/// Compares two matched layers: their inputs, their outputs, and what they compute from equal
/// inputs.
struct PairSearch {
  let first: CapturedLayer
  let second: CapturedLayer
  /// The half types of automatic mixed precision, if it was on.
  let autocast: [String]
  /// All layers of the first capture.
  let others: [CapturedLayer]

  /// Samples of one layer in `float64`, and its formula if it reproduces them.
  struct Side {
    var x: Tensor
    var y: Tensor
    var numbers: LayerNumbers?
    /// Whether the formula computes y from x.
    var isOwn = false
    /// The unit roundoff of the coarser type of x and y.
    var unit: Double
  }

  /// The comparison of the outputs for the same input.
  struct Own {
    var behaviour = CapturedPair.Behaviour.unknown
    var gap: CapturedPair.OwnGap?
    var causes: [PairCause] = []
    var unexplained = 0.0
    var isRounding = true
  }

  func pair() -> CapturedPair {
    var differences = StateDifferences(first: first, second: second, others: others).all()
    var obstacle: String?
    var (input, output) = (gapOfMoments(), SampleGap?.none)
    var own = Own()
    if let (a, b, note) = sides(&obstacle) {
      let unit = max(a.unit, b.unit, autocastUnit)
      input = SampleGap(a.x, b.x, unit: unit)
      output = SampleGap(a.y, b.y, unit: unit)
      own = behaviour(a, b, input: input, output: output, differences)
      obstacle = note
    }
    // Two classes that compute the same are not a difference.
    if own.behaviour == .same { differences.removeAll { $0.name == "kind" } }
    return CapturedPair(
      first: first.name, second: second.name, firstKind: first.kind, secondKind: second.kind,
      input: input, output: output, behaviour: own.behaviour, ownGap: own.gap,
      causes: own.causes, unexplained: own.unexplained, unexplainedIsRounding: own.isRounding,
      differences: differences, obstacle: obstacle)
  }

  private var autocastUnit: Double {
    autocast.map { unitRoundoff($0 == "float16" ? .float16 : .bfloat16) }.max() ?? 0
  }

  // MARK: Samples

  /// The samples of both in the same shape, and a note on how that was achieved.
  private func sides(_ obstacle: inout String?) -> (Side, Side, String?)? {
    let missing = [first, second].filter { $0.x == nil || $0.y == nil }
    guard missing.isEmpty, let x = first.x, let y = first.y, var otherX = second.x,
      var otherY = second.y, [x, y, otherX, otherY].allSatisfy(\.dtype.isFloatingPoint)
    else {
      obstacle = "there are no samples of its input and output in one of the captures"
      return nil
    }
    var a = Self.side(first, x, y)
    var b = Self.side(second, otherX, otherY)
    var note: String?
    if x.shape != otherX.shape {
      if let axes = Self.order(x.shape, otherX.shape) {
        (otherX, otherY) = (b.x.permuted(axes), b.y.permuted(axes))
        b = Side(x: otherX.evaluated(), y: otherY.evaluated(), unit: b.unit)
        note = "the samples of the second have their axes in another order, \(list(second.shape))"
      } else if x.rank == otherX.rank, x.rank > 0, x.shape.dropFirst() == otherX.shape.dropFirst(),
        min(x.shape[0], otherX.shape[0]) > 0
      {
        let count = min(x.shape[0], otherX.shape[0])
        (a.x, a.y) = (a.x[0..<count], a.y[0..<count])
        (b.x, b.y) = (b.x[0..<count], b.y[0..<count])
        note = "one has fewer samples; the first \(count) are compared"
      } else {
        obstacle = "the samples have shapes \(x.shape) and \(otherX.shape)"
        return nil
      }
    }
    return a.x.count > 0 ? (a, b, note) : nil
  }

  private static func side(_ layer: CapturedLayer, _ x: Tensor, _ y: Tensor) -> Side {
    let unit = max(unitRoundoff(x.dtype), unitRoundoff(y.dtype))
    var side = Side(
      x: x.cast(to: .float64).evaluated(), y: y.cast(to: .float64).evaluated(), unit: unit)
    guard x.shape == y.shape, x.count > 0 else { return side }
    let candidates = layer.candidates(for: x).filter { $0.mistake(in: x.shape) == nil }
    for numbers in candidates {
      let formula = NormFormula(numbers, x.shape)
      if excess(formula.result(side.x), side.y, formula, side.x, unit).isRounding {
        side.numbers = numbers
        side.isOwn = true
        return side
      }
    }
    side.numbers = candidates.first
    return side
  }

  /// The axis order that brings the second shape, channels last or first, to the order of the
  /// first.
  private static func order(_ first: [Int], _ second: [Int]) -> [Int]? {
    guard first.count == second.count, first.count > 2 else { return nil }
    let rank = first.count
    let toFront = [0, rank - 1] + Array(1..<rank - 1)
    let toBack = [0] + Array(2..<rank) + [1]
    return [toFront, toBack].first { axes in axes.map { second[$0] } == first }
  }

  /// The distance between outputs, where they exceed rounding most.
  private static func excess(
    _ expected: Tensor, _ actual: Tensor, _ formula: NormFormula, _ x: Tensor, _ unit: Double
  ) -> (gap: CapturedPair.OwnGap, isRounding: Bool) {
    let bound = formula.rounding(x, expected, unit: unit).array(of: Double.self)
    let (a, b) = (expected.array(of: Double.self), actual.array(of: Double.self))
    var (worst, gap) = (-1.0, CapturedPair.OwnGap(maximum: 0, rounding: 0))
    for i in a.indices {
      if a[i] == b[i] || a[i].isNaN && b[i].isNaN { continue }
      let distance = abs(a[i] - b[i])
      let ratio = distance.isFinite ? distance / max(bound[i], 1e-300) : .infinity
      if ratio > worst {
        (worst, gap) = (ratio, CapturedPair.OwnGap(maximum: distance, rounding: bound[i]))
      }
    }
    return (gap, worst <= 1)
  }

  // MARK: Equal inputs

  private func behaviour(
    _ a: Side, _ b: Side, input: SampleGap?, output: SampleGap?, _ differences: [StateDifference]
  ) -> Own {
    var own = Own()
    let unit = max(a.unit, b.unit)
    // A formula that reproduces one layer's output is applied to the other's input.
    if a.isOwn, let numbers = a.numbers, numbers.mistake(in: b.x.shape) == nil {
      let formula = NormFormula(numbers, b.x.shape)
      let (gap, isRounding) = Self.excess(formula.result(b.x), b.y, formula, b.x, unit)
      own.gap = gap
      own.behaviour = isRounding ? .same : .different
    } else if b.isOwn, let numbers = b.numbers, numbers.mistake(in: a.x.shape) == nil {
      let formula = NormFormula(numbers, a.x.shape)
      let (gap, isRounding) = Self.excess(formula.result(a.x), a.y, formula, a.x, unit)
      own.gap = gap
      own.behaviour = isRounding ? .same : .different
    } else if let input, let output, input.agrees {
      // The distance between the inputs may be amplified.
      let agrees = output.agrees || output.relative <= 8 * input.relative
      own.behaviour = agrees && output.incomparable == 0 ? .same : .different
    }
    if own.behaviour == .different { account(a, b, differences, &own) }
    return own
  }

  private func account(
    _ a: Side, _ b: Side, _ differences: [StateDifference], _ own: inout Own
  ) {
    own.unexplained = 1
    own.isRounding = false
    let words = PairWords(first: first, second: second, differences: differences)
    if a.isOwn, b.isOwn, let mine = a.numbers, let theirs = b.numbers {
      let (from, to) = (NormFormula(mine, b.x.shape), NormFormula(theirs, b.x.shape))
      // A difference within the rounding of its type is not a cause.
      let options = from.differences(from: to, b.x.shape).filter {
        $0.option.movesResults && words.isBeyondRounding($0.option)
      }
      let result = QuantityComparison(
        .result, from.result(b.x), to.result(b.x), rounding: max(a.unit, b.unit),
        options: options.map(\.option)
      ) { from.taking($0, from: to).result(b.x) }
      own.causes = result.causes.compactMap { share in
        options.first { $0.option == share.option }.map { words.cause($0, share) }
      }
      (own.unexplained, own.isRounding) = (result.unexplained, result.isRounding)
      return
    }
    // One of them, or both, do not compute their kind's formula: explain the formula.
    let isFirstOff = !a.isOwn && b.isOwn
    let side = isFirstOff ? a : b
    guard
      let numbers = [side.numbers, isFirstOff ? b.numbers : a.numbers].compactMap({ $0 })
        .first(where: { $0.mistake(in: side.x.shape) == nil })
    else { return }
    let type: DType = side.unit > 0x1p-20 ? .float16 : .float32
    let x = side.x.cast(to: type == .float16 ? .float32 : type)
    let expected = NormFormula(numbers, x.shape).result(side.x)
    let found = Explainer(
      layer: numbers, input: x, output: expected.cast(to: x.dtype),
      expected: side.y.cast(to: x.dtype)
    ).explanation()
    own.causes = found.causes.map { words.cause($0, isFirstOff: isFirstOff) }
    (own.unexplained, own.isRounding) = (found.unexplained, found.unexplainedIsRounding)
  }
}
