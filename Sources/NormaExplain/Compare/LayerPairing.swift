/// The correspondence between the layers of two captures.
///
/// Layers with equal names first, unless kind or size differ; then names that are equal without a
/// common prefix; then, in call order, layers of the same kind and size.
struct LayerPairing {
  /// Indices in both captures, in the order of the first.
  private(set) var pairs: [(first: Int, second: Int)] = []
  private(set) var onlyFirst: [Int] = []
  private(set) var onlySecond: [Int] = []
  private(set) var matching = CaptureComparison.Matching.names

  private let first: [CapturedLayer]
  private let second: [CapturedLayer]

  /// Whether the second capture calls the matched layers in another order.
  var isReordered: Bool {
    let called = pairs.filter { first[$0.first].calls > 0 && second[$0.second].calls > 0 }
    return zip(called, called.dropFirst()).contains { $0.second > $1.second }
  }

  init(_ first: [CapturedLayer], _ second: [CapturedLayer]) {
    (self.first, self.second) = (first, second)
    onlyFirst = Array(first.indices)
    onlySecond = Array(second.indices)
    match(by: Self.names(second) { $0 }) { $0 }
    let byName = pairs.count
    let (a, b) = (Self.prefix(first), Self.prefix(second))
    if !a.isEmpty || !b.isEmpty {
      match(by: Self.names(second) { Self.stripped($0, b) }) { Self.stripped($0, a) }
    }
    let byPrefix = pairs.count
    matchByOrder()
    let byOrder = pairs.count
    // A layer that only kept its name is still the one to compare.
    match(by: Self.names(second) { $0 }, isStrict: false) { $0 }
    pairs.sort { $0.first < $1.first }
    if byOrder > byPrefix {
      matching = byPrefix == 0 ? .order : .mixed
    } else {
      matching = byPrefix > byName ? .prefix : .names
    }
  }

  private static func names(
    _ layers: [CapturedLayer], _ rule: (String) -> String
  ) -> [String: Int] {
    var places: [String: Int] = [:]
    for (place, layer) in layers.enumerated() {
      for name in [layer.name] + layer.otherNames where places[rule(name)] == nil {
        places[rule(name)] = place
      }
    }
    return places
  }

  private mutating func match(
    by places: [String: Int], isStrict: Bool = true, _ rule: (String) -> String
  ) {
    for one in onlyFirst {
      guard let other = places[rule(first[one].name)], onlySecond.contains(other),
        !isStrict || Self.fit(first[one], second[other])
      else { continue }
      join(one, other)
    }
  }

  private mutating func join(_ one: Int, _ other: Int) {
    pairs.append((one, other))
    onlyFirst.removeAll { $0 == one }
    onlySecond.removeAll { $0 == other }
  }

  /// The longest common subsequence of kinds and sizes among the remaining layers.
  private mutating func matchByOrder() {
    let (rows, columns) = (onlyFirst, onlySecond)
    // A larger table would come from a file that was made to be slow.
    guard !rows.isEmpty, !columns.isEmpty, rows.count * columns.count <= 4_000_000 else { return }
    let width = columns.count + 1
    var longest = [Int32](repeating: 0, count: (rows.count + 1) * width)
    for i in rows.indices.reversed() {
      for j in columns.indices.reversed() {
        longest[i * width + j] =
          Self.fit(first[rows[i]], second[columns[j]])
          ? longest[(i + 1) * width + j + 1] + 1
          : max(longest[(i + 1) * width + j], longest[i * width + j + 1])
      }
    }
    var (i, j) = (0, 0)
    while i < rows.count, j < columns.count {
      if Self.fit(first[rows[i]], second[columns[j]]) {
        join(rows[i], columns[j])
        (i, j) = (i + 1, j + 1)
      } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
  }

  /// Whether two layers may correspond: the same kind, if both are known, and the same number of
  /// features.
  private static func fit(_ a: CapturedLayer, _ b: CapturedLayer) -> Bool {
    if let one = a.features, let other = b.features, one != other { return false }
    let (one, other) = (a.family, b.family)
    // A custom class may be anything, and frameworks have different names for the same kind.
    return one == other || one == "custom" || other == "custom" || a.name == b.name
  }

  /// The dotted prefix that all names share, with its dot.
  private static func prefix(_ layers: [CapturedLayer]) -> String {
    guard var common = layers.first?.name.split(separator: ".").dropLast() else { return "" }
    for layer in layers.dropFirst() {
      let parts = layer.name.split(separator: ".").dropLast()
      common = common.prefix(zip(common, parts).prefix { $0 == $1 }.count)
    }
    return common.isEmpty ? "" : common.joined(separator: ".") + "."
  }

  private static func stripped(_ name: String, _ prefix: String) -> String {
    name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }
}

extension CapturedLayer {
  /// Its kind without the suffix for the number of axes.
  var family: String {
    if isBatchNorm || kind.hasPrefix("FrozenBatchNorm") { return "batch" }
    return kind.hasPrefix("InstanceNorm") ? "instance" : kind
  }

  /// The number of features, from any source.
  var features: Int? {
    options.features ?? options.normalizedShape?.reduce(1, &*) ?? weight?.count
      ?? runningMean?.count
  }
}
