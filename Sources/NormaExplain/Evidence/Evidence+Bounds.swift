import NormaTensor

/// The number of roundings by which a formula's values may be off, as a root mean square relative
/// to their sizes, if sums over `count` values are computed in one wide type.
///
/// Each step of a formula rounds once: 4. A sequential sum rounds `count` times in random
/// directions, which adds up to the square root of that. Above 40 nothing counts as rounding: long
/// sums are added in parts, or in a wider type.
func mostRoundings(adding count: Int) -> Double {
  min(4 + Double(count).squareRoot(), 40)
}

extension Evidence {
  /// The same for a formula whose coarsest rounding is `unit`: sums of half types are added in a
  /// wider type, and all half-type steps of a formula together amount to half a rounding, as a root
  /// mean square. Two are allowed.
  func mostRoundings(_ unit: Double) -> Double {
    unit > 0x1p-20 ? 2 : NormaExplain.mostRoundings(adding: frame.count)
  }

  /// The misfit that a careless order of additions may cause.
  var careless: Double { careless(unit: rounding) }

  /// The same for steps in a type.
  func careless(_ type: DType) -> Double { careless(unit: max(unitRoundoff(type), rounding)) }

  /// What exceeds one rounding of a half type counts eightfold in a misfit.
  private func careless(unit: Double) -> Double {
    let most = mostRoundings(unit)
    return unit > 0x1p-20 ? 8 * (most - 1) : most
  }

  /// The number of roundings by which a single value may be off, if all together are off by the
  /// expected rounding.
  private static let single = 4.0

  /// Values that a formula misses by more than rounding.
  struct Strays {
    let count: Int
    let total: Int
    /// The position of the farthest of them in the input's shape, and its distance.
    let place: [Int]
    let distance: Double
  }

  /// Among all values, not only the samples, those that a recipe misses by more than rounding; nil
  /// if there are none.
  ///
  /// - Parameter furthest: The largest distance between the target and the recipe's result; if that
  ///   is within the rounding of a common value, no search is needed.
  func strays(_ recipe: Recipe, furthest: Double) -> Strays? {
    let narrow = recipe.narrow ?? recipe.narrowSteps?.type
    let unit = max(narrow.map(unitRoundoff) ?? 0, rounding)
    let allowed = Self.single * mostRoundings(unit) * unit
    if let common = median(sampledSizes(recipe)), furthest <= allowed * common { return nil }
    let made = output(recipe).evaluated()
    let distance = (target.cast(to: .float64) - made).abs().evaluated()
    // NaN is never due to rounding.
    let isFar = (1 - (distance .<= sizes(recipe, made) * allowed + 1e-30).cast(to: .float64))
      .evaluated()
    let count = isFar.sum().item()
    if count == 0 { return nil }
    let far = (distance * isFar).reshaped(-1).argmax()
    let index = Int(far.cast(to: .float64).item())
    var (rest, place) = (index, [Int]())
    for size in frame.outer.reversed() {
      place.insert(rest % size, at: 0)
      rest /= size
    }
    return Strays(
      count: Int(count), total: frame.shape.reduce(1, *), place: place,
      distance: distance.reshaped(-1)[index].item())
  }

  /// The magnitudes that are rounded for each value: `|w / d| (|x| + |m|) + |y| + |b|`, with the
  /// magnitude of the averaged values added to `|m|`.
  private func sizes(_ recipe: Recipe, _ made: Tensor) -> Tensor {
    let (mean, variance) = statistics(recipe)
    let (scale, offset) = recipe.scaleAndShift(layer, frame)
    let divisor = recipe.divisor(variances: variance, count: Double(frame.count))
    let gain = recipe.gain.factor(Double(frame.count))
    let factor = ((scale.tensor / divisor).abs() * gain).evaluated()
    let before = prepared(wide, recipe.surroundings)
    let squares = recipe.aboutZero ? variance : variance + mean.squared()
    let summed = recipe.source == .batch && recipe.centred ? squares.sqrt() : mean.abs()
    var sizes = (before.abs() + mean.abs() + summed) * factor + offset.tensor.abs()
    if let extra = layer.extra, recipe.hasExtra {
      sizes = sizes * extra.scale.tensor.abs() + extra.shift.tensor.abs()
    }
    if let shift { sizes = sizes + shift.tensor.abs() }
    if recipe.surroundings == .inputAdded { sizes = sizes + wide.abs() }
    return sizes + made.abs()
  }

  /// The same for the samples, without what is added outside the formula.
  private func sampledSizes(_ recipe: Recipe) -> [Double] {
    let (means, variances) = sampledStatistics(recipe)
    let (scales, offsets) = sampledAffine(recipe.affine)
    let n = Double(frame.count)
    return places.indices.map { i in
      let factor = abs(scales[i] / recipe.divisor(variance: variances[i], count: n))
      let size = factor * (abs(sampledInput[i]) + abs(means[i])) + abs(offsets[i])
      return size + abs(sampledTarget[i])
    }.filter(\.isFinite)
  }
}

extension Evidence.Strays {
  /// A description; `causes` account for all other values.
  func words(beside causes: [CauseName]) -> String {
    let others =
      causes.isEmpty
      ? "All but \(grouped(count)) of \(grouped(total)) values agree up to rounding"
      : "\(causes.map(\.title).joined(separator: ", ")) would account for all but "
        + "\(grouped(count)) of \(grouped(total)) values"
    let rest = count == 1 ? "That one is off" : "The farthest of them is off"
    return "\(others). \(rest) by \(number(distance)), at \(place)."
  }
}
