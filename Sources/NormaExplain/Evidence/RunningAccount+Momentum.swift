/// Momentum values that the data suggest.
extension RunningAccount {
  /// Weights of the new value that, together with other mistakes, reproduce the target, those with
  /// few digits first. More digits than channels prove nothing.
  func momenta(beside set: [Option]) -> [Option] {
    var recipe = right
    for option in set { option.write(&recipe) }
    guard recipe.updates == 1, !set.contains(where: { $0.kind == 0 }) else { return [] }
    recipe.weight = .kept
    let old = value(recipe)
    let steps = zip(batchValue(recipe), old).map { $0 - $1 }
    let square = steps.reduce(0) { $0 + $1 * $1 }
    let product = zip(steps, zip(target, old)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) }
    let weight = product / square
    guard weight.isFinite, weight > 0, weight < 1 else { return [] }
    var options: [Option] = []
    var known = [layer.momentum(.layers), layer.momentum(.exchanged)]
    for digits in 1...(target.count < 3 ? 2 : 4) {
      let value =
        weight > 0.5
        ? 1 - roundedTo(digits: digits, 1 - weight) : roundedTo(digits: digits, weight)
      if known.contains(where: { abs($0 - value) < 1e-12 }) { continue }
      known.append(value)
      options.append(
        Option(
          .momentumConvention, rarity: digits, "new value weighs \(text(value))",
          "new value weighs \(text(layer.momentum(.layers)))", kind: 0
        ) { $0.weight = .value(value) })
    }
    return options
  }
}
