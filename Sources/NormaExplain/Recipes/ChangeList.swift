import NormaTensor

/// The mistakes that a search considers.
struct ChangeList {
  /// Mistakes that need no further statistics of the whole input, and so are cheap to try.
  var everyday: [Change] = []
  /// Statistics over other axes, over masked positions or parts of the batch.
  var regions: [Change] = []
  /// Statistics of statistics.
  var nested: [Change] = []

  /// The changes that are possible for a layer, an input and the other evidence.
  init(evidence: Evidence, right: Recipe) {
    let (layer, frame) = (evidence.layer, evidence.frame)
    addDivisors(right: right, isBatch: layer.reach == .batch)
    addEpsilons(layer: layer, right: right)
    if right.affine == .both { addAffine(layer, frame) }
    if right.affine == .both, let extra = layer.extra {
      everyday.append(Change(.affine, .hasExtra(false), rarity: 0, words: "without \(extra.words)"))
    }
    if layer.runningMean != nil && right.affine == .both {
      addRunning(right: right, replayed: !evidence.history.isEmpty)
    }
    addSurroundings(knownShift: evidence.shift != nil)
    for narrow in [DType.float16, .bfloat16, .float32]
    where evidence.targetIsRepresentable(in: narrow) {
      everyday.append(Change(.rounding, .narrow(narrow), rarity: 0))
    }
    addAxes(frame)
    if evidence.mask != nil {
      regions.append(Change(.mask, .mask(.statistics), rarity: 0))
      regions.append(Change(.mask, .mask(.zeroed), rarity: 0))
      regions.append(Change(.mask, .mask(.filled)))
    }
    if evidence.blocks.isEmpty { addParts(frame) } else { addBlocks(frame, right: right) }
    addGroups(layer, frame)
    addNested(axes: frame.axes)
    addRare(layer, frame, right: right)
  }

  private mutating func addDivisors(right: Recipe, isBatch: Bool) {
    everyday += [
      Change(.correction, .correction(.one), rarity: 0),
      Change(.correction, .correction(.batchSize), rarity: 2),
      Change(.correction, .correction(.twice), rarity: 2),
      Change(.correction, .correction(.inverse), rarity: 2),
      Change(.other, .correction(.sum), rarity: 2),
      Change(.other, .divisor(.variance), rarity: 2),
      Change(.other, .divisor(.reciprocal), rarity: 2),
      Change(.other, .divisor(.one), rarity: 2),
      Change(
        .other, .steps([Recipe.Step(statistic: .absolute, axes: right.meanAxes)]), rarity: 2),
    ]
    let (centred, aboutZero) = (!right.centred, !right.aboutZero)
    everyday += [
      Change(
        .meanNotSubtracted, .centred(centred), .aboutZero(aboutZero), rarity: isBatch ? 1 : 0),
      // A layer that should subtract the mean but does not; RMS norm divided by a deviation.
      Change(
        .meanNotSubtracted, right.centred ? .centred(centred) : .aboutZero(aboutZero)),
      Change(
        .meanNotSubtracted, right.centred ? .aboutZero(aboutZero) : .centred(centred), rarity: 2),
    ]
  }

  private mutating func addEpsilons(layer: LayerNumbers, right: Recipe) {
    let eps = layer.epsilon
    var values: [Double] = []
    for value in [
      0, 2 * eps, 1e-5, 1e-3, 1e-6, 1e-8, 1e-12, 1e-7, 1e-2, 1e-4, 1e-10, eps * eps,
      eps.squareRoot(), eps / 2, 0.1, 1, 1e-9, 0x1p-23, 0x1p-52,
    ] where !values.contains(value) && value != right.epsilon { values.append(value) }
    let placements: [Recipe.Placement] = [.outside, .larger, .both, .reciprocal]
    if right.epsilon == 0 {
      // The layer's input is compared with its output, so any epsilon in between is one too many.
      for value in [eps] + values where value != 0 {
        for placement in [.inside] + placements {
          everyday.append(
            Change(
              .epsilonValue, .epsilon(value), .placement(placement), rarity: value == eps ? 0 : 1))
        }
      }
      return
    }
    for value in values {
      everyday.append(Change(.epsilonValue, .epsilon(value), rarity: value == 0 ? 0 : 1))
    }
    for placement in placements + [.largerDeviation, .sum] {
      everyday.append(Change(.epsilonPlacement, .placement(placement)))
    }
  }

  private mutating func addAffine(_ layer: LayerNumbers, _ frame: Frame) {
    if layer.weight != nil { everyday.append(Change(.affine, .affine(.onePlusWeight))) }
    let exchanged: [Recipe.Affine] = layer.weight != nil && layer.bias != nil ? [.exchanged] : []
    for kind in exchanged { everyday.append(Change(.affine, .affine(kind), rarity: 2)) }
    guard layer.hasAffine else { return }
    var kinds: [Recipe.Affine] = [.none]
    if layer.weight != nil && layer.bias != nil {
      kinds += [.weightOnly, .biasOnly]
      everyday.append(Change(.orderOfOperations, .affine(.biasFirst)))
    }
    if layer.bias != nil { kinds.append(.minusBias) }
    if layer.weight != nil { kinds += [.weightTwice, .dividedByWeight] }
    for kind in kinds { everyday.append(Change(.affine, .affine(kind))) }
    for kind in misplaced(layer, frame) {
      everyday.append(Change(.affine, .affine(kind), rarity: 2))
    }
    // A factor that all values of a statistic share cancels, except for its sign and epsilon.
    everyday.append(
      Change(.orderOfOperations, .surroundings(.affineBefore), .affine(.none), rarity: 2))
  }

  /// Weight and bias along another axis, or in another order.
  private func misplaced(_ layer: LayerNumbers, _ frame: Frame) -> [Recipe.Affine] {
    let (shape, count) = (frame.shape, layer.features)
    var kinds: [Recipe.Affine] = []
    if frame.isGrouped || frame.parameterAxes.count == 1 {
      kinds += shape.indices.filter { !frame.parameterAxes.contains($0) && shape[$0] == count }
        .map { .along($0) }
    }
    if frame.isGrouped {
      let (groups, size) = (shape[1], shape[2])
      kinds += [.stretched(size), .repeated(size)]
      if groups != size { kinds.append(.repeated(groups)) }
      if groups > 1 && size > 1 { kinds += [.interleaved(groups), .interleaved(size)] }
    } else if frame.parameterAxes.count > 1 {
      kinds.append(.interleaved(shape[frame.parameterAxes[0]]))
      kinds.append(.interleaved(count / shape[frame.parameterAxes[0]]))
    }
    return kinds
  }

  private mutating func addRunning(right: Recipe, replayed: Bool) {
    let other: Recipe.Source = right.source == .batch ? .running : .batch
    everyday.append(Change(.runningVersusBatch, .source(other), rarity: 0))
    for correction in [Recipe.Correction.one, .none, .batchSize] {
      everyday.append(
        Change(
          .runningVersusBatch, .source(.updated), .updateCorrection(correction),
          rarity: right.source == .batch ? 1 : 2))
    }
    let variance: Recipe.RunningVariance = right.runningVariance == .biased ? .unbiased : .biased
    everyday.append(
      Change(.runningVarianceCorrection, .runningVariance(variance), rarity: replayed ? 0 : 1))
    everyday.append(Change(.momentumConvention, .momentum(.exchanged)))
    everyday.append(Change(.momentumConvention, .momentum(.cumulative), rarity: 2))
    if replayed {
      for variance in [Recipe.RunningVariance.biased, .unbiased] {
        everyday.append(
          Change(
            .runningVersusBatch, .momentum(.pooled), .runningVariance(variance), rarity: 2))
      }
      everyday.append(Change(.runningVersusBatch, .momentum(.last), rarity: 2))
    }
  }

  private mutating func addSurroundings(knownShift: Bool) {
    if knownShift {
      everyday.append(Change(.orderOfOperations, .surroundings(.shiftAfter), rarity: 0))
      everyday.append(Change(.orderOfOperations, .surroundings(.shiftMissing)))
    }
    everyday.append(Change(.orderOfOperations, .surroundings(.rectifiedAfter), rarity: 2))
    everyday.append(Change(.orderOfOperations, .surroundings(.rectifiedBefore), rarity: 2))
    everyday.append(Change(.other, .surroundings(.inputAdded), rarity: 2))
  }

  private mutating func addNested(axes: [Int]) {
    for parts in orderedPartitions(axes) where parts.count > 1 {
      for kind in [Recipe.Statistic.deviation, .variance] {
        // Every assignment of "mean" or "spread" to the steps, except all means.
        for bits in 1..<(1 << parts.count) {
          let steps = parts.indices.map {
            Recipe.Step(statistic: bits & (1 << $0) != 0 ? kind : .mean, axes: parts[$0])
          }
          nested.append(
            Change(
              .perAxisComposition, .steps(steps),
              rarity: parts.count == 2 || bits == (1 << parts.count) - 1 ? 1 : 2))
        }
      }
    }
  }
}

/// All ways to process the elements in order, some of them together: `[[0], [2, 3]]`, `[[3], [2],
/// [0]]`.
func orderedPartitions(_ elements: [Int]) -> [[[Int]]] {
  if elements.isEmpty { return [[]] }
  var result: [[[Int]]] = []
  for bits in 1..<(1 << elements.count) {
    let first = elements.indices.filter { bits & (1 << $0) != 0 }.map { elements[$0] }
    let rest = elements.filter { !first.contains($0) }
    result += orderedPartitions(rest).map { [first] + $0 }
  }
  return result
}
