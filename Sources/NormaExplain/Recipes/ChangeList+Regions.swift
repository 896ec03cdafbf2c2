extension ChangeList {
  /// Statistics over every other set of axes, without splitting groups of channels.
  mutating func addAxes(_ frame: Frame) {
    let rank = frame.shape.count
    for bits in 1..<(1 << rank) {
      let axes = (0..<rank).filter { bits & (1 << $0) != 0 }
      // Over axis 1 alone, channels would form other groups: see `addGroups`.
      let mixes = frame.isGrouped && axes.contains(1) && !axes.contains(2)
      if axes == frame.axes || mixes { continue }
      let step = Recipe.Step(statistic: .variance, axes: axes)
      regions.append(Change(.axes, .meanAxes(axes), .steps([step])))
      regions.append(Change(.axes, .steps([step]), rarity: 2))
      regions.append(Change(.axes, .meanAxes(axes), rarity: 2))
    }
  }

  /// The batch in parts, with separate or averaged statistics.
  mutating func addParts(_ frame: Frame) {
    guard frame.axes.contains(0), !frame.isGrouped else { return }
    let batch = frame.shape[0]
    for parts in 2..<33 where batch % parts == 0 && batch > parts {
      let shape = [parts, batch / parts] + frame.shape.dropFirst()
      let axes = frame.axes.map { $0 + 1 }
      let own = "statistics of each of \(parts) parts of the batch"
      regions.append(view(.axes, shape, axes, rarity: 2, words: own))
      for kind in [Recipe.Statistic.variance, .deviation] {
        nested.append(
          Change(
            .perAxisComposition, .shape(shape), .meanAxes([0] + axes),
            .steps([
              Recipe.Step(statistic: kind, axes: axes), Recipe.Step(statistic: .mean, axes: [0]),
            ]),
            words: "the mean of \(parts) parts' statistics"))
      }
    }
  }

  /// Known parts of the batch where the layer normalizes it as a whole, or vice versa.
  mutating func addBlocks(_ frame: Frame, right: Recipe) {
    if right.blocks != .none {
      regions.append(
        Change(.axes, .blocks(.none), rarity: 0, words: "statistics of the whole batch"))
    } else {
      regions.append(
        Change(.axes, .blocks(.own), rarity: 0, words: "statistics of each part of the batch"))
    }
    let ways: [(Recipe.Blocks, String)] = [
      (.averaged, "the mean of the parts' statistics"),
      (.variances, "the mean of the parts' variances"),
      (.deviations, "the mean of the parts' deviations"),
      (.weighted, "the mean of the parts' variances, by their counts"),
    ]
    for (way, words) in ways {
      nested.append(Change(.perAxisComposition, .blocks(way), rarity: 0, words: words))
    }
  }

  /// Channels in other groups than the layer's.
  mutating func addGroups(_ layer: LayerNumbers, _ frame: Frame) {
    let (outer, axis) = (frame.outer, frame.channelAxis)
    let channels = outer[axis]
    let (before, after) = (Array(outer[..<axis]), Array(outer[(axis + 1)...]))
    // The axes of a statistic in addition to the channels of a group, in the split shape.
    let reduced = frame.isGrouped ? frame.outerAxes : frame.axes
    var others = [reduced.filter { $0 != axis }.map { $0 > axis ? $0 + 1 : $0 }]
    if layer.reach == .batch { others.append(Array(axis + 2..<outer.count + 1)) }
    let own = frame.isGrouped ? frame.shape[1] : nil
    for groups in 1...channels where channels % groups == 0 {
      let size = channels / groups
      // One group, or one per channel, is also a different set of axes.
      let isEdge = groups == 1 || size == 1
      if isEdge && own == nil { continue }
      let usual = own == nil ? 1 : groups == own || size == own ? 0 : 1
      for axes in others {
        if groups != own {
          regions.append(
            view(
              .groupAssignment, before + [groups, size] + after, axes + [axis + 1],
              rarity: isEdge ? 2 : usual, words: "\(groups) groups of \(size) channels"))
        }
        if isEdge { continue }
        regions.append(
          view(
            .groupAssignment, before + [size, groups] + after, axes + [axis],
            rarity: min(usual + (own == nil ? 1 : 0), 2),
            words: "channel c is in group c % \(groups)"))
      }
    }
    if let own { addReshapes(groups: own, frame) }
  }

  /// Groups by a reshape that confuses the axes.
  private mutating func addReshapes(groups: Int, _ frame: Frame) {
    let outer = frame.outer
    let (batch, channels) = (outer[0], outer[1])
    let area = outer.dropFirst(2).reduce(1, *)
    func add(_ shape: [Int], _ axes: [Int], _ words: String) {
      regions.append(view(.groupAssignment, shape, axes, rarity: 2, words: words))
    }
    if batch > 1 {
      add([groups, batch * frame.count], [1], "\(groups) groups of the whole batch")
    }
    guard area > 1 else { return }
    add(
      [batch, area, groups, channels / groups], [1, 3], "reshaped as if the channels came last")
    if area % groups == 0 {
      add(
        [batch, channels, groups, area / groups], [1, 3],
        "\(groups) parts of the image, all channels in each")
    }
    if let width = outer.last, width % groups == 0, outer.count > 3 {
      add(
        [batch, channels * area / width, groups, width / groups], [1, 3],
        "\(groups) groups along the last axis")
    }
  }

  /// Statistics over axes of the same elements in another shape.
  func view(
    _ cause: CauseName, _ shape: [Int], _ axes: [Int], rarity: Int, words: String
  ) -> Change {
    let axes = axes.sorted()
    return Change(
      cause, .shape(shape), .meanAxes(axes),
      .steps([Recipe.Step(statistic: .variance, axes: axes)]), rarity: rarity, words: words)
  }
}
