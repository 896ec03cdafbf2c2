import NormaTensor

/// Compares a captured layer's output for a few samples with its formula.
struct FormulaCheck {
  let diagnosis: FormulaDiagnosis
  let finding: DefectFinding?
  /// The changes of the formula that reproduce the layer's results; empty if none are known.
  let causes: [String]

  /// nil for a layer without samples.
  init?(_ layer: CapturedLayer) {
    guard let x = layer.x, let y = layer.y, x.shape == y.shape, x.count > 0,
      x.dtype.isFloatingPoint, y.dtype.isFloatingPoint
    else { return nil }
    if let numbers = layer.numbers(for: x) {
      self = FormulaCheck(layer, numbers, kind: layer.kind, x, y)
      return
    }
    // A custom class: the formula that reproduces its results, or the nearest known one.
    var near: FormulaCheck?
    for formula in AssumedFormula.candidates(layer, for: x) {
      let check = FormulaCheck(layer, formula.numbers, kind: formula.kind, x, y, isAssumed: true)
      if !check.diagnosis.isOff && check.diagnosis.obstacle == nil {
        self = check
        return
      }
      if near == nil && !check.causes.isEmpty { near = check }
    }
    if let near {
      self = near
      return
    }
    diagnosis = FormulaDiagnosis(
      name: layer.title, kind: layer.kind, samples: x.shape.first ?? 0, gap: nil, expectedGap: 0,
      isOff: false, obstacle: "\(layer.kind) has no known formula")
    finding = nil
    causes = []
  }

  /// Compares the samples with one formula.
  private init(
    _ layer: CapturedLayer, _ numbers: LayerNumbers, kind: String, _ x: Tensor, _ y: Tensor,
    isAssumed: Bool = false
  ) {
    func result(
      gap: Double? = nil, expected: Double = 0, isOff: Bool = false, obstacle: String? = nil
    ) -> FormulaDiagnosis {
      FormulaDiagnosis(
        name: layer.title, kind: kind, samples: x.shape.first ?? 0, gap: gap,
        expectedGap: expected, isOff: isOff, obstacle: obstacle)
    }
    if let mistake = numbers.mistake(in: x.shape) {
      diagnosis = result(obstacle: mistake)
      finding = nil
      causes = []
      return
    }
    let values = x.cast(to: .float64)
    let expected = numbers.output(for: values)
    let actual = y.cast(to: .float64)
    let gap = (expected - actual).abs().max().item()
    let size = expected.abs().max().item()
    let tolerance = Self.tolerance(x.dtype, y.dtype) * max(size, 1e-30)
    let broken = !(gap.isFinite && size.isFinite)
    let isOff = !broken && gap > tolerance
    diagnosis = result(
      gap: gap, expected: tolerance, isOff: isOff,
      obstacle: broken ? "its samples hold NaN or infinity" : nil)
    let explanation =
      isOff
      ? Explainer(
        layer: numbers, input: x, output: expected.cast(to: x.dtype),
        expected: y.cast(to: x.dtype)
      ).explanation()
      : nil
    let isFound = explanation?.unexplainedIsRounding ?? false
    causes = isFound ? explanation?.causes.map(\.name.rawValue) ?? [] : []
    finding = explanation.map {
      isAssumed
        ? Self.assumedFinding(layer, kind, $0, gap, size) : Self.finding(layer, $0, gap, size)
    }
  }

  /// The relative effect of rounding, and of the order of sums on another machine, on the largest
  /// result.
  private static func tolerance(_ input: DType, _ output: DType) -> Double {
    let unit = max(unitRoundoff(input), unitRoundoff(output), unitRoundoff(.float32))
    return unit > unitRoundoff(.float32) ? 16 * unit : 1e-3
  }

  private static func finding(
    _ layer: CapturedLayer, _ explanation: Explanation, _ gap: Double, _ size: Double
  ) -> DefectFinding {
    let isFound = explanation.unexplainedIsRounding && !explanation.causes.isEmpty
    var evidence = [
      "\(layer.title) (\(layer.className)): on a few samples its results differ by up to "
        + "\(short(gap)) from those of \(layer.kind)'s formula, which go up to \(short(size))"
    ]
    if isFound {
      evidence += explanation.causes.map {
        "\($0.name.rawValue): in the layer, \($0.yours); in \(layer.kind)'s formula, \($0.layers)"
      }
    } else {
      evidence.append("no single known change of the formula gives these results")
    }
    return DefectFinding(
      severity: .error, defect: .differentFormula, layers: [layer.title], channels: [:],
      statement: Defect.differentFormula.statement
        + (isFound ? " With the change below they are the same up to rounding." : ""),
      evidence: evidence,
      alternatives: [
        .init(nil, "it may be intended: the weights may have been trained with this very formula")
      ],
      decides: ["Was the network trained with this class, or with \(layer.kind)?"],
      effect: nil, now: Defect.differentFormula.now, next: nil)
  }

  /// A custom class that computes a known formula with a change, which may be intended.
  private static func assumedFinding(
    _ layer: CapturedLayer, _ kind: String, _ explanation: Explanation, _ gap: Double,
    _ size: Double
  ) -> DefectFinding {
    let name = layer.className.split(separator: ".").last.map(String.init) ?? layer.className
    return DefectFinding(
      severity: .note, defect: .differentFormula, layers: [layer.title], channels: [:],
      statement:
        "Up to rounding, \(name) computes \(kind)'s formula with the change below. That is "
        + "no fault if the weights were trained with \(name).",
      evidence: [
        "\(layer.title) (\(layer.className)): on a few samples its results differ by up to "
          + "\(short(gap)) from those of \(kind), which go up to \(short(size))"
      ]
        + explanation.causes.map {
          "\($0.name.rawValue): in \(name), \($0.yours); in \(kind), \($0.layers)"
        },
      alternatives: [],
      decides: ["Were these weights trained with \(name), or with a plain \(kind)?"],
      effect: nil,
      now: .init("If they were trained with a plain \(kind), use that here."), next: nil)
  }
}

extension CapturedLayer {
  /// The layer's formula for its captured input, as plain numbers; nil if the kind is unknown.
  ///
  /// For group and instance norms, the input may contain only the first channels.
  func numbers(for x: Tensor) -> LayerNumbers? {
    let weight = weight?.array(of: Double.self)
    let bias = bias?.array(of: Double.self)
    func numbers(
      _ reach: LayerNumbers.Reach, _ features: Int, subtractsMean: Bool = true, epsilon: Double
    ) -> LayerNumbers? {
      let fits = { (values: [Double]?) in values.map { $0.count >= features } ?? true }
      guard fits(weight), fits(bias), features > 0 else { return nil }
      return LayerNumbers(
        name: kind, reach: reach, subtractsMean: subtractsMean, features: features,
        epsilon: epsilon, weight: weight.map { Array($0.prefix(features)) },
        bias: bias.map { Array($0.prefix(features)) }, isTraining: false)
    }
    let epsilon = options.epsilon ?? 1e-5
    if isBatchNorm {
      guard x.rank >= 2, let mean = runningMean, let variance = runningVariance,
        mean.count == x.shape[1], variance.count == x.shape[1],
        [weight?.count, bias?.count].allSatisfy({ $0 == nil || $0 == x.shape[1] })
      else { return nil }
      return LayerNumbers(
        name: kind, features: x.shape[1], epsilon: epsilon, weight: weight, bias: bias,
        runningMean: mean.array(of: Double.self), runningVariance: variance.array(of: Double.self),
        isTraining: false)
    }
    if kind.hasPrefix("InstanceNorm"), runningMean == nil, x.rank >= 3 {
      return numbers(.instance(axes: x.rank - 2), x.shape[1], epsilon: epsilon)
    }
    if kind == "GroupNorm", x.rank >= 2, let groups = options.groups, groups > 0,
      let channels = options.features, channels >= groups, channels % groups == 0
    {
      let size = channels / groups
      guard x.shape[1] >= size, x.shape[1] % size == 0 else { return nil }
      return numbers(.groups(x.shape[1] / size), x.shape[1], epsilon: epsilon)
    }
    guard kind == "LayerNorm" || kind == "RMSNorm",
      let shape = options.normalizedShape ?? self.weight?.shape, !shape.isEmpty,
      shape.allSatisfy({ $0 > 0 && $0 <= x.count }), shape.count <= x.rank,
      Array(x.shape.suffix(shape.count)) == shape
    else { return nil }
    let isRMS = kind == "RMSNorm"
    let own = isRMS ? options.epsilon ?? (x.dtype == .float64 ? 0x1p-52 : 0x1p-23) : epsilon
    return numbers(
      .axes(nil, sizes: shape), shape.reduce(1, *), subtractsMean: !isRMS, epsilon: own)
  }
}
