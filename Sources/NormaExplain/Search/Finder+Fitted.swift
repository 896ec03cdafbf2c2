import NormaTensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Numbers in a formula that are fitted to the data: a momentum, a factor of running statistics, a
/// type that steps were rounded to.
extension Finder {
  /// The correct formula with steps in a half type.
  func withStepsInHalf() -> Result? {
    guard right.blocks == .none else { return nil }
    // In float16 itself, only a square beyond 65,504 is visible.
    let isFine = evidence.rounding < 0x1p-20
    let types: [DType] =
      isFine ? [.bfloat16, .float16] : evidence.input.dtype == .float16 ? [.float16] : []
    let own = evidence.closeness(right)
    var best: (closeness: Double, change: Change)?
    for type in types {
      for steps in Recipe.NarrowSteps.usual {
        if steps.contains(.mean) && !right.centred { continue }
        let takesStatistics = right.source == .batch
        if !takesStatistics && !steps.isSubset(of: [.input, .reciprocal, .normalized]) { continue }
        let change = Change(.rounding, .narrowSteps(Recipe.NarrowSteps(type: type, steps: steps)))
        let closeness = evidence.closeness(right.applying([change]))
        if closeness > (best?.closeness ?? 0) { best = (closeness, change) }
      }
    }
    guard let best, best.closeness > 0.8, best.closeness > own + 0.3 else { return nil }
    return Result(changes: [best.change], alternatives: [[]], fits: true)
  }

  /// A variance by `E[x^2] - E[x]^2` in `float32`: the difference of two large numbers keeps only
  /// their last digits, and may be 0.
  func withCancellation() -> Result? {
    guard right.centred, right.source == .batch, right.blocks == .none,
      let factors = evidence.observedFactors(right)
    else { return nil }
    let (mean, variance) = evidence.statistics(right)
    let (means, variances) = (mean.array(of: Double.self), variance.array(of: Double.self))
    guard means.count == factors.values.count, variances.count == means.count else { return nil }
    let unit = max(evidence.rounding, 0x1p-24)
    let isLost = factors.values.indices.allSatisfy { c in
      let root = factors.values[c]
      let made = (variances[c] + right.epsilon) / (root * root) - right.epsilon
      return root > 0
        && abs(made - variances[c]) <= 16 * unit * (means[c] * means[c] + variances[c])
    }
    guard isLost else { return nil }
    let change = Change(.rounding, .observedFactors(factors))
    let account = evidence.account(
      right.applying([change]), from: right, fitted: factors.values.count)
    guard account.rest < 0.05, account.nats > Self.chance else { return nil }
    return Result(
      changes: [change], alternatives: [[.other]], fits: true)
  }

  /// A momentum fitted to the history, or a factor of the buffers: alone, or with one everyday
  /// mistake.
  func withFittedBuffers() -> Result? {
    guard evidence.layer.runningMean != nil, right.affine == .both else { return nil }
    if let found = fitted([], momenta) ?? fitted([], factors) { return found }
    let everyday = ChangeList(evidence: evidence, right: right).everyday
    for base in everyday where base.rarity <= 2 {
      if let found = fitted([base], momenta) { return found }
    }
    for base in everyday where base.rarity <= 1 {
      if let found = fitted([base], factors) { return found }
    }
    return nil
  }

  private typealias Way = (first: Double, last: Double, change: (Double) -> Change)

  /// Momenta between 1e-5 and 1 - 1e-5, by the logarithm of m / (1 - m).
  private var momenta: [Way] {
    [
      (
        -11.5, 11.5,
        { at in
          let m = 1 / (1 + exp(-at))
          return Change(.momentumConvention, .momentum(.value(m)))
        }
      )
    ]
  }

  /// Factors between 1e-5 and 1e5, by their logarithm.
  private var factors: [Way] {
    let ways: [(Double) -> Recipe.Buffers] = [
      { .times($0) }, { .varianceTimes($0) }, { .meanTimes($0) },
    ]
    return ways.map { way in
      (-11.5, 11.5, { Change(.other, .buffers(way(exp($0)))) })
    }
  }

  /// The simplest number that reproduces the target together with `base`, if any does.
  private func fitted(_ base: [Change], _ ways: [Way]) -> Result? {
    for way in ways {
      func misfit(_ change: Change) -> Double {
        guard base.allSatisfy(change.combines), let recipe = right.applyingAll(base + [change])
        else { return .greatestFiniteMagnitude }
        return evidence.distance(recipe)
      }
      if misfit(way.change(0)) == .greatestFiniteMagnitude { continue }
      let at = minimum(of: { misfit(way.change($0)) }, from: way.first, to: way.last)
      let exact = way.change(at)
      for change in simplified(exact) + [exact] {
        guard let recipe = right.applyingAll(base + [change]),
          evidence.misfit(recipe, count: .max) <= min(evidence.careless, 10),
          explains(recipe, fitted: 1)
        else { continue }
        return Result(
          changes: base + [change], alternatives: base.map { _ in [] } + [others(change)],
          fits: true)
      }
    }
    return nil
  }

  private func others(_ change: Change) -> [CauseName] {
    change.cause == .other ? [.runningVersusBatch] : []
  }

  /// The change with its number rounded to few digits.
  private func simplified(_ change: Change) -> [Change] {
    (1...4).compactMap { digits in
      func cut(_ value: Double) -> Double { roundedTo(digits: digits, value) }
      switch change.fields.first {
      case .momentum(.value(let m)):
        let value = m > 0.5 ? 1 - cut(1 - m) : cut(m)
        return Change(.momentumConvention, .momentum(.value(value)))
      case .buffers(.times(let k)): return Change(.other, .buffers(.times(cut(k))))
      case .buffers(.varianceTimes(let k)):
        return Change(.other, .buffers(.varianceTimes(cut(k))))
      case .buffers(.meanTimes(let k)): return Change(.other, .buffers(.meanTimes(cut(k))))
      default: return nil
      }
    }
  }
}

extension Evidence {
  /// For every statistic the factor between the target and a recipe's result before the bias, if
  /// the results differ only by such factors. Nil otherwise, and if there are too few values.
  func observedFactors(_ recipe: Recipe) -> Grid? {
    let (means, variances) = sampledStatistics(recipe)
    let (scales, offsets) = sampledAffine(recipe.affine)
    let shape = frame.statisticsShape
    let cells = broadcastOffsets(places, shape: frame.shape, from: shape)
    var sums = [(count: Int, product: Double, square: Double)](
      repeating: (0, 0, 0), count: shape.reduce(1, *))
    let n = Double(frame.count)
    func value(_ i: Int) -> Double {
      (sampledInput[i] - means[i]) / recipe.divisor(variance: variances[i], count: n) * scales[i]
    }
    for i in places.indices {
      let own = value(i)
      sums[cells[i]].count += 1
      sums[cells[i]].product += own * (sampledTarget[i] - offsets[i])
      sums[cells[i]].square += own * own
    }
    if sums.contains(where: { $0.count < 3 || $0.square == 0 }) { return nil }
    let factors = sums.map { $0.product / $0.square }
    let unit = 16 * max(rounding, 0x1p-24)
    let mostSlack = mostSlack(max(rounding, 0x1p-24))
    let isAll = places.indices.allSatisfy { i in
      let factor = factors[cells[i]] * scales[i] / recipe.divisor(variance: variances[i], count: n)
      let made = value(i) * factors[cells[i]] + offsets[i]
      let slack =
        min(abs(factor) * (abs(sampledInput[i]) + abs(means[i])), mostSlack) + abs(made)
        + abs(offsets[i])
      return abs(sampledTarget[i] - made) <= unit * slack
    }
    return isAll ? Grid(shape: shape, values: factors) : nil
  }

  /// The root mean square distance of the first samples from a recipe's result.
  func distance(_ recipe: Recipe) -> Double {
    let (means, variances) = sampledStatistics(recipe)
    samples[recipe.statisticsKey] = nil
    let (scales, offsets) = sampledAffine(recipe.affine)
    let (weights, biases) = sampledAffine(.both)
    let n = Double(frame.count)
    let gain = recipe.gain.factor(n)
    var (total, count) = (0.0, 0)
    for i in 0..<min(places.count, RecipeSearch.coarse) {
      let divisor = recipe.divisor(variance: variances[i], count: n)
      var input = sampledInput[i]
      switch recipe.surroundings.before {
      case .rectifiedBefore: input = max(input, 0)
      case .affineBefore: input = input * weights[i] + biases[i]
      case .shiftAfter, .shiftMissing: input -= sampledShift?[i] ?? 0
      default: break
      }
      var value = gain * (input - means[i]) / divisor * scales[i] + offsets[i]
      switch recipe.surroundings {
      case .rectifiedAfter: value = max(value, 0)
      case .inputAdded: value += input
      case .shiftAfter: value += sampledShift?[i] ?? 0
      default: break
      }
      // Relative, so that large values do not hide the others.
      let distance = (value - sampledTarget[i]) / (abs(value) + abs(sampledTarget[i]) + 1e-30)
      total += distance * distance
      count += 1
    }
    return total.isFinite ? (total / Double(max(count, 1))).squareRoot() : .greatestFiniteMagnitude
  }
}

/// The minimum of a function of one number: the best of 33 points, refined around it.
func minimum(of function: (Double) -> Double, from first: Double, to last: Double) -> Double {
  let count = 33
  let step = (last - first) / Double(count - 1)
  let values = (0..<count).map { function(first + step * Double($0)) }
  let best = values.indices.min { values[$0] < values[$1] } ?? 0
  var (low, high) = (first + step * Double(best - 1), first + step * Double(best + 1))
  let ratio = 0.618_033_988_749_894_9
  var (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
  var (atA, atB) = (function(a), function(b))
  for _ in 0..<45 {
    if atA < atB {
      (high, b, atB) = (b, a, atA)
      a = high - ratio * (high - low)
      atA = function(a)
    } else {
      (low, a, atA) = (a, b, atB)
      b = low + ratio * (high - low)
      atB = function(b)
    }
  }
  return (low + high) / 2
}
