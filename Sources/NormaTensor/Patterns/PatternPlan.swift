import NormaValues

/// How a pattern transforms a tensor of a given shape: reshape, reduce, permute, broadcast,
/// reshape. A pure value.
struct PatternPlan: Hashable {
  /// Which axes may differ between the sides.
  enum Kind {
    /// None.
    case rearranging
    /// Axes only on the left are reduced.
    case reducing
    /// Axes only on the right are new.
    case repeating
  }

  /// The tensor's shape with every axis of the left side separate.
  private(set) var split: [Int] = []
  /// Those of them that are reduced.
  private(set) var reduced: [Int] = []
  /// The order of the others on the right side.
  private(set) var order: [Int] = []
  /// The shape after that: with new axes of size 1, and with them broadcast.
  private(set) var ones: [Int] = []
  private(set) var stretched: [Int] = []
  /// The shape of the result.
  private(set) var shape: [Int] = []

  /// A separate axis.
  private enum Single: Hashable {
    case named(String)
    /// One of the axes of the ellipsis.
    case open(Int)
    /// An unnamed axis, which equals no other.
    case anonymous(index: Int)
  }

  init(
    _ text: String, _ kind: Kind, shape: [Int], sizes: [String: Int], call: String
  ) throws(TensorError) {
    let (left, right) = try PatternPlan.sides(text, call: call)
    func wrong(_ reason: String, _ range: Range<Int>) -> TensorError {
      TensorError(call, reason, in: text, at: range)
    }
    try PatternPlan.check(left, right, kind, sizes, wrong)
    let open = try PatternPlan.openAxes(left, shape, wrong)

    // The left side, group by group: every separate axis gets its size.
    var known: [Single: Int] = [:]
    var singles: [Single] = []
    var axis = 0
    for group in left.groups {
      if group.entries.first?.axis == .ellipsis {
        for index in 0..<open {
          known[.open(index)] = shape[axis + index]
          singles.append(.open(index))
        }
        axis += open
        continue
      }
      let found = try PatternPlan.sizes(of: group, making: shape[axis], axis, sizes, wrong)
      for (entry, size) in zip(group.entries, found) {
        let single = PatternPlan.single(entry)
        known[single] = size
        singles.append(single)
      }
      axis += 1
    }
    split = singles.map { known[$0] ?? 1 }

    // The right side: the origin of its axes, and the new ones.
    var result: [Single] = []
    for group in right.groups {
      var size = 1
      for entry in group.entries {
        if entry.axis == .ellipsis {
          let all = (0..<open).map { Single.open($0) }
          result += all
          if group.isJoined {
            size *= all.reduce(1) { $0 * (known[$1] ?? 1) }
          } else {
            self.shape += all.map { known[$0] ?? 1 }
          }
          continue
        }
        let single = PatternPlan.single(entry)
        if known[single] == nil { known[single] = try newSize(entry, sizes, wrong) }
        result.append(single)
        let (product, overflow) = size.multipliedReportingOverflow(by: known[single] ?? 1)
        if overflow { throw wrong("more elements than memory can hold", group.range) }
        size = product
      }
      if group.isJoined || group.entries.first?.axis != .ellipsis { self.shape.append(size) }
    }
    let kept = singles.filter(result.contains)
    reduced = singles.indices.filter { !result.contains(singles[$0]) }
    order = result.compactMap { kept.firstIndex(of: $0) }
    ones = result.map { singles.contains($0) ? known[$0] ?? 1 : 1 }
    stretched = result.map { known[$0] ?? 1 }
  }

  private func newSize(
    _ entry: AxisPattern.Entry, _ sizes: [String: Int],
    _ wrong: (String, Range<Int>) -> TensorError
  ) throws(TensorError) -> Int {
    switch entry.axis {
    case .size(let size): return size
    case .named(let name):
      guard let size = sizes[name] else {
        throw wrong("'\(name)' is new and has no size; pass [\"\(name)\": size]", entry.range)
      }
      return size
    case .ellipsis: return 1
    }
  }

  private static func single(_ entry: AxisPattern.Entry) -> Single {
    if case .named(let name) = entry.axis { return .named(name) }
    return .anonymous(index: entry.range.lowerBound)
  }

  /// The two sides of the arrow.
  private static func sides(
    _ text: String, call: String
  ) throws(TensorError) -> (left: AxisPattern, right: AxisPattern) {
    let characters = Array(text)
    let arrows = characters.indices.dropLast().filter {
      characters[$0] == "-" && characters[$0 + 1] == ">"
    }
    guard let arrow = arrows.first else {
      throw TensorError(
        call, "there is no arrow '->'", in: text, at: characters.count..<characters.count)
    }
    if arrows.count > 1 {
      throw TensorError(call, "a second arrow", in: text, at: arrows[1]..<(arrows[1] + 2))
    }
    return (
      try AxisPattern(text, 0..<arrow, call: call),
      try AxisPattern(text, (arrow + 2)..<characters.count, call: call)
    )
  }

  /// Checks that both sides match, independently of the shape.
  private static func check(
    _ left: AxisPattern, _ right: AxisPattern, _ kind: Kind, _ sizes: [String: Int],
    _ wrong: (String, Range<Int>) -> TensorError
  ) throws(TensorError) {
    if let group = left.groups.first(where: { group in
      group.isJoined && group.entries.contains { $0.axis == .ellipsis }
    }) {
      throw wrong(
        "'...' inside of parentheses on the left: its sizes would be unknown", group.range)
    }
    for entry in right.entries where entry.axis == .ellipsis && !left.hasEllipsis {
      throw wrong("'...' is only on the right", entry.range)
    }
    let (before, after) = (left.entries.map(\.axis), right.entries.map(\.axis))
    for entry in left.entries where kind != .reducing && !after.contains(entry.axis) {
      if case .size(let size) = entry.axis {
        if size == 1 { continue }
        throw wrong(
          "an axis of size \(size) needs a name to be kept, or reduced(_:by:)", entry.range)
      }
      throw wrong(
        "'\(entry.axis.text)' is only on the left; reduced(_:by:) removes it", entry.range)
    }
    for entry in right.entries where kind != .repeating && !before.contains(entry.axis) {
      if case .size(let size) = entry.axis {
        if size == 1 { continue }
        throw wrong("a new axis of size \(size): repeated(_:) adds it", entry.range)
      }
      throw wrong(
        "'\(entry.axis.text)' is only on the right; repeated(_:) adds new axes", entry.range)
    }
    for case .size(let size) in after where size > 1 && kind != .repeating {
      let entry = right.entries.first { $0.axis == .size(size) }
      throw wrong("a new axis of size \(size): repeated(_:) adds it", entry?.range ?? right.range)
    }
    for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
      guard (before + after).contains(.named(name)) else {
        throw wrong("a size is given for '\(name)', which does not occur", left.range)
      }
      guard size >= 0 else { throw wrong("size \(size) of '\(name)' is negative", left.range) }
    }
  }

  /// The number of axes that the ellipsis covers.
  private static func openAxes(
    _ left: AxisPattern, _ shape: [Int], _ wrong: (String, Range<Int>) -> TensorError
  ) throws(TensorError) -> Int {
    let count = left.groups.count - (left.hasEllipsis ? 1 : 0)
    guard left.hasEllipsis ? shape.count >= count : shape.count == count else {
      throw wrong(
        "\(count) axes\(left.hasEllipsis ? " and '...'" : "") for shape \(shape), which has "
          + "\(shape.count)", left.range)
    }
    return shape.count - count
  }

  /// The sizes of the axes in a group that forms an axis of `total` elements; one may be unknown.
  private static func sizes(
    of group: AxisPattern.Group, making total: Int, _ axis: Int, _ sizes: [String: Int],
    _ wrong: (String, Range<Int>) -> TensorError
  ) throws(TensorError) -> [Int] {
    var found: [Int?] = group.entries.map { entry in
      switch entry.axis {
      case .named(let name): sizes[name]
      case .size(let size): size
      case .ellipsis: nil
      }
    }
    let unknown = found.indices.filter { found[$0] == nil }
    if unknown.count > 1 {
      let names = unknown.map { "'\(group.entries[$0].axis.text)'" }.joined(separator: " and ")
      throw wrong("the sizes of \(names) are unknown; pass all but one", group.range)
    }
    var product = 1
    for case let size? in found {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow {
        throw wrong("the sizes do not multiply to \(total), the size of axis \(axis)", group.range)
      }
      product = next
    }
    if let open = unknown.first {
      guard product > 0, total % product == 0 else {
        throw wrong("axis \(axis) of \(total) elements is not divisible by \(product)", group.range)
      }
      found[open] = total / product
    } else if product != total {
      throw wrong("axis \(axis) has \(total) elements, not \(product)", group.range)
    }
    return found.map { $0 ?? 1 }
  }
}

extension PatternPlan {
  /// Everything that a plan depends on.
  struct Key: Hashable {
    let text: String
    let kind: Kind
    let shape: [Int]
    let sizes: [String: Int]
  }

  static let plans = SharedCache<Key, PatternPlan>(capacity: 256)

  /// The plan for a text and a shape, made by the first call that needs it.
  static func kept(
    _ text: String, _ kind: Kind, shape: [Int], sizes: [String: Int], call: String
  ) throws(TensorError) -> PatternPlan {
    let key = Key(text: text, kind: kind, shape: shape, sizes: sizes)
    return try plans.value(for: key) { () throws(TensorError) in
      try PatternPlan(text, kind, shape: shape, sizes: sizes, call: call)
    }
  }
}

extension AxisPattern.Axis {
  var text: String {
    switch self {
    case .named(let name): name
    case .size(let size): "\(size)"
    case .ellipsis: "..."
    }
  }
}
