/// Rare mistakes: a wrong count, a factor, a sign, half the batch.
extension ChangeList {
  mutating func addRare(_ layer: LayerNumbers, _ frame: Frame, right: Recipe) {
    if right.affine == .both { addWeights(layer) }
    if layer.runningMean != nil && right.affine == .both && !layer.usesBatch { addBuffers() }
    if frame.count > 1 {
      for gain in [Recipe.Gain.root, .inverseRoot, .count, .inverseCount] {
        everyday.append(Change(.other, .gain(gain), rarity: 2))
      }
    }
    if right.source == .batch { addCounts(frame, right: right) }
    if right.centred {
      everyday.append(Change(.meanNotSubtracted, .meanFactor(.negative), rarity: 2))
      for fold in [Recipe.Fold.plain, .weight, .reciprocal] where right.affine == .both {
        everyday.append(Change(.orderOfOperations, .fold(fold), rarity: 2))
      }
    }
    if frame.axes.contains(0) && !frame.isGrouped && right.blocks == .none {
      for parts in [2, 4, 8] where frame.shape[0] % parts == 0 && frame.shape[0] > parts {
        let rows = frame.shape[0] / parts
        regions.append(Change(.axes, .rows(rows), rarity: 2))
      }
    }
    addHeads(layer, frame)
    if right.affine == .both {
      everyday += Pointwise.allCases.map { Change(.other, .replaced($0), rarity: 2) }
    }
  }

  private mutating func addWeights(_ layer: LayerNumbers) {
    guard let weight = layer.weight else { return }
    everyday.append(Change(.affine, .affine(.weightMinusOne)))
    if weight.contains(where: { $0 < 0 }) {
      everyday.append(Change(.affine, .affine(.absoluteWeight), rarity: 2))
    }
  }

  private mutating func addBuffers() {
    everyday.append(Change(.runningVersusBatch, .buffers(.initial)))
    everyday.append(Change(.other, .buffers(.deviation), rarity: 2))
    everyday.append(Change(.other, .buffers(.reciprocal), rarity: 2))
  }

  /// Sums divided by a wrong count.
  private mutating func addCounts(_ frame: Frame, right: Recipe) {
    let shape = frame.outer
    let products = [
      shape.dropFirst(2), shape.prefix(2), shape.dropLast(), shape.dropFirst(), shape[...],
    ].map { $0.reduce(1, *) }
    var known = [1, frame.count, frame.count - 1]
    for count in shape + frame.shape + products where !known.contains(count) {
      known.append(count)
      everyday.append(Change(.correction, .correction(.count(count)), rarity: 2))
      guard right.centred else { continue }
      everyday.append(Change(.meanNotSubtracted, .meanFactor(.count(count)), rarity: 3))
      everyday.append(Change(.meanNotSubtracted, .meanFactor(.countBoth(count)), rarity: 3))
    }
  }

  /// Statistics per head, where the layer normalizes all features of a position together.
  private mutating func addHeads(_ layer: LayerNumbers, _ frame: Frame) {
    guard case .axes = layer.reach, frame.axes.count == 1, let axis = frame.axes.first,
      axis == frame.shape.count - 1
    else { return }
    let features = frame.shape[axis]
    for heads in 2..<65 where features % heads == 0 && features > heads {
      let shape = frame.shape.dropLast() + [heads, features / heads]
      regions.append(
        view(
          .axes, Array(shape), [axis + 1], rarity: 2, words: "statistics of each of \(heads) heads")
      )
    }
  }
}
