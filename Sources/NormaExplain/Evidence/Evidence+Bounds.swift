import NormaTensor

/// How many roundings of their sizes the values of a formula may be off, root mean square, where sums
/// over `count` values are made in one wide type.
///
/// Each step of a formula rounds once: 4. A sum that adds one value after the other rounds `count` times,
/// this way and that, which comes to the root of that. Above 40 nothing is called rounding: long sums are
/// added in parts, or in a wider type.
func mostRoundings(adding count: Int) -> Double {
  min(4 + Double(count).squareRoot(), 40)
}

extension Evidence {
  /// The same for a formula whose coarsest rounding is `unit`: sums of half types are added in a wider
  /// one, and all of a formula's steps in them together come to half a rounding of the sizes, root mean
  /// square. Two are allowed for.
  func mostRoundings(_ unit: Double) -> Double {
    unit > 0x1p-20 ? 2 : NormaExplain.mostRoundings(adding: frame.count)
  }

  /// The misfit up to which a careless order of additions may have made the difference.
  var careless: Double { careless(unit: rounding) }

  /// The same where steps are taken in a type.
  func careless(_ type: DType) -> Double { careless(unit: max(unitRoundoff(type), rounding)) }

  /// What exceeds one rounding of a half type counts eightfold in a misfit.
  private func careless(unit: Double) -> Double {
    let most = mostRoundings(unit)
    return unit > 0x1p-20 ? 8 * (most - 1) : most
  }

  /// How many roundings a single value may be off, where all together are off by as many as rounding
  /// makes.
  private static let single = 4.0

  /// Values that a formula misses by more than rounding makes of them.
  struct Strays {
    let count: Int
    let total: Int
    /// Where the farthest of them is, in the input's shape, and how far it is.
    let place: [Int]
    let distance: Double
  }

  /// The values of all, and not of the samples alone, that a recipe misses by more than rounding makes;
  /// nil where there are none.
  ///
  /// - Parameter furthest: The largest distance between the target and the recipe's result: where that
  ///   is as small as rounding of a common value, no further look is needed.
  func strays(_ recipe: Recipe, furthest: Double) -> Strays? {
    let narrow = recipe.narrow ?? recipe.narrowSteps?.type
    let unit = max(narrow.map(unitRoundoff) ?? 0, rounding)
    let allowed = Self.single * mostRoundings(unit) * unit
    if let common = median(sampledSizes(recipe)), furthest <= allowed * common { return nil }
    let made = output(recipe).evaluated()
    let distance = (target.cast(to: .float64) - made).abs().evaluated()
    // Not a number is none that rounding makes.
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

  /// The sizes that are rounded on the way to each value: `|w / d| (|x| + |m|) + |y| + |b|`, with the size
  /// of the values whose mean is taken beside `|m|`.
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

  /// The same for the samples, without what is added beside the formula.
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
  /// What is known of them, in words: `causes` account for all others.
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
