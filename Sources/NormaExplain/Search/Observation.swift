import NormaTensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the samples show if no formula in the list fits: an epsilon, a factor and an addend per
/// channel, or a narrower type.
extension Evidence {
  /// Whether every sampled value of the target, but not of the input, is representable in a type.
  func targetIsRepresentable(in dtype: DType) -> Bool {
    func survives(_ value: Double) -> Bool {
      guard value.isFinite else { return true }
      return switch dtype {
      case .float32: Double(Float(value)) == value
      case .float16: Double(Float16(value)) == value
      default: Float(value).bitPattern & 0xFFFF == 0
      }
    }
    if unitRoundoff(target.dtype) >= unitRoundoff(dtype) { return false }
    let fractions = sampledTarget.contains { $0 != $0.rounded() }
    return fractions && sampledTarget.allSatisfy(survives)
  }

  /// Whether a target of a half type is off by more than the one rounding at the end.
  func roundsMoreThanOnce(_ recipe: Recipe) -> Bool {
    guard [.float16, .bfloat16].contains(target.dtype), target.dtype == input.dtype else {
      return false
    }
    var unrounded = recipe
    unrounded.narrow = nil
    let exact = sample(output(unrounded).evaluated())
    let (means, variances) = sampledStatistics(unrounded)
    let (scales, _) = sampledAffine(unrounded.affine)
    return exact.indices.contains { i in
      // Before rounding, the value has the rounding error of `float32`.
      let divisor = unrounded.divisor(variance: variances[i], count: Double(frame.count))
      let factor = abs(scales[i] / divisor) * (abs(sampledInput[i]) + abs(means[i]))
      let slack = 1.02 * rounding * abs(exact[i]) + 0x1p-24 + 0x1p-20 * factor
      return abs(sampledTarget[i] - exact[i]) > slack
    }
  }

  /// Whether the target without weight and bias consists of numbers of a narrower type, if its own
  /// digits can show that.
  func normalizedIsRepresentable(in type: DType, _ recipe: Recipe) -> Bool {
    let (scales, offsets) = sampledAffine(recipe.affine)
    let unit = unitRoundoff(type)
    var (told, fitting) = (0, 0)
    for i in places.indices where scales[i] != 0 {
      let value = (sampledTarget[i] - offsets[i]) / scales[i]
      let slack = 4 * rounding * (abs(value) + 2 * abs(offsets[i] / scales[i]))
      guard slack < unit * abs(value) / 16 else { continue }
      told += 1
      let near = type == .float16 ? Double(Float16(value)) : Double(Float(BFloat16(Float(value))))
      if abs(near - value) <= slack { fitting += 1 }
    }
    return told >= 32 && Double(fitting) >= 0.98 * Double(told)
  }

  /// Keeps the residual of a recipe, for changes that include it.
  func keepResidual(of recipe: Recipe) {
    residual = (target.cast(to: .float64) - output(recipe)).evaluated()
  }

  /// The correlation of the residual with a recipe's result: near 0 for rounding.
  func residualTrend(_ recipe: Recipe) -> Double {
    guard let residual else { return 0 }
    let (rest, value) = (sample(residual), sample(output(recipe).evaluated()))
    let product = zip(rest, value).reduce(0) { $0 + $1.0 * $1.1 }
    let squares = [rest, value].map { $0.reduce(0) { $0 + $1 * $1 } }
    return squares[0] * squares[1] > 0 ? product / (squares[0] * squares[1]).squareRoot() : 0
  }

  /// What a recipe leaves of the gap between the correct one and the target.
  ///
  /// `rest` is the remaining fraction, in the direction of the gap or as energy, whichever is
  /// larger: overshooting leaves more than everything. `nats` is the log-likelihood ratio of the
  /// samples under the recipe and the correct one, assuming that each residual is noise of its own
  /// size; every number `fitted` to the data costs one value.
  func account(
    _ recipe: Recipe, from right: Recipe, fitted: Int
  ) -> (rest: Double, nats: Double) {
    let (made, own) = (sample(output(recipe).evaluated()), sample(output(right).evaluated()))
    var (product, energy, left) = (0.0, 0.0, 0.0)
    for (index, target) in sampledTarget.enumerated() {
      product += (own[index] - made[index]) * (own[index] - target)
      energy += (own[index] - target) * (own[index] - target)
      left += (made[index] - target) * (made[index] - target)
    }
    if energy == 0 { return (0, 0) }
    let count = Double(max(sampledTarget.count, 1))
    // A recipe with nearly zero output is close to every faint target, so it has to reproduce the
    // target's own spread, if there is one.
    let all = isConstant ? energy : min(energy, spread * spread * count)
    let rest = max(abs(1 - product / energy), left / all)
    let ratio = (all / max(left, rounding * rounding * all)).squareRoot()
    let nats = (count - Double(fitted)) * log(ratio)
    return rest.isFinite && nats.isFinite ? (rest, nats) : (.infinity, 0)
  }

  /// Whether the target's samples are all equal up to rounding.
  var isConstant: Bool { spread <= 4 * rounding * (sampledTarget.map(abs).max() ?? 0) }

  /// The fraction of the samples that a recipe reproduces to the last digit.
  func agreement(_ recipe: Recipe) -> Double {
    let exact = sample(output(recipe).evaluated())
    let equal = exact.indices.count { sampledTarget[$0] == exact[$0] }
    return Double(equal) / Double(max(exact.count, 1))
  }

  /// The epsilons, inside and outside the square root, that would turn a recipe's result into the
  /// target.
  func observedEpsilons(_ recipe: Recipe) -> [Change] {
    let (means, variances) = sampledStatistics(recipe)
    let (scales, offsets) = sampledAffine(recipe.affine)
    var inside: [Double] = []
    var outside: [Double] = []
    for i in places.indices {
      let divisor = scales[i] * (sampledInput[i] - means[i]) / (sampledTarget[i] - offsets[i])
      // Values near the mean say nothing about their divisor.
      let distance = abs(sampledInput[i] - means[i])
      guard divisor.isFinite, divisor > 0, distance * distance > 0.25 * variances[i] else {
        continue
      }
      inside.append(divisor * divisor - variances[i])
      outside.append(divisor - variances[i].squareRoot())
    }
    var changes: [Change] = []
    for value in [median(inside), median(outside)].compactMap({ $0 }) where value > 0 {
      for digits in [1, 2, 4] {
        let epsilon = roundedTo(digits: digits, value)
        changes.append(Change(.epsilonValue, .epsilon(epsilon), rarity: digits))
        changes.append(
          Change(.epsilonValue, .epsilon(epsilon), .placement(.outside), rarity: digits))
      }
    }
    return changes
  }

  /// The factors and the addends between a recipe's output and the target, by least squares, in a
  /// shape that broadcasts to the input. Nil if there are too few values.
  func observedLine(_ recipe: Recipe, _ shape: [Int]) -> (scale: Grid, shift: Grid)? {
    let (means, variances) = sampledStatistics(recipe)
    let (factors, offsets) = sampledAffine(recipe.affine)
    let cells = broadcastOffsets(places, shape: frame.shape, from: shape)
    var lines = [Line](repeating: Line(), count: shape.reduce(1, *))
    for i in places.indices {
      let divisor = recipe.divisor(variance: variances[i], count: Double(frame.count))
      let value = (sampledInput[i] - means[i]) / divisor * factors[i] + offsets[i]
      lines[cells[i]].add(value, sampledTarget[i])
    }
    if lines.contains(where: { $0.count < 4 }) { return nil }
    return (
      Grid(shape: shape, values: lines.map(\.slope)),
      Grid(shape: shape, values: lines.map(\.intercept))
    )
  }
}

/// A least squares line, from sums about the first point to avoid cancellation.
private struct Line {
  private var origin: (x: Double, y: Double)?
  private var (n, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)

  mutating func add(_ valueX: Double, _ valueY: Double) {
    let start = origin ?? (valueX, valueY)
    origin = start
    let (dx, dy) = (valueX - start.x, valueY - start.y)
    n += 1
    x += dx
    y += dy
    xx += dx * dx
    xy += dx * dy
  }

  var count: Int { Int(n) }

  var slope: Double {
    let spread = xx - x * x / max(n, 1)
    return n > 1 && spread > 0 ? (xy - x * y / n) / spread : 1
  }

  var intercept: Double {
    guard let origin, n > 0 else { return 0 }
    return origin.y + y / n - slope * (origin.x + x / n)
  }
}

func median(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.sorted()[values.count / 2]
}

/// A number with this many significant decimal digits.
func roundedTo(digits: Int, _ value: Double) -> Double {
  guard value != 0, value.isFinite else { return value }
  var (scaled, exponent) = (abs(value), 0)
  while scaled >= 10 { (scaled, exponent) = (scaled / 10, exponent + 1) }
  while scaled < 1 { (scaled, exponent) = (scaled * 10, exponent - 1) }
  var unit = 1.0
  for _ in 1..<max(digits, 1) { unit *= 10 }
  // Through text, so that 1e-3 is the number that a user writes.
  let mantissa = (scaled * unit).rounded() / unit
  return (value < 0 ? -1 : 1) * (Double("\(mantissa)e\(exponent)") ?? value)
}
