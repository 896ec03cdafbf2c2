/// The names most similar to a missing one, most similar first.
func nearestNames(to wanted: String, among names: [String], limit: Int = 3) -> [String] {
  let scored = names.map { name in (name: name, distance: distance(wanted, name)) }
  let close = scored.filter { $0.distance < max(wanted.count, $0.name.count) * 2 / 3 }
  return close.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
}

/// Describes the available names in a message: `the nearest are a, b; it has 12: c, d, ...`
func namesInWords(to wanted: String, among names: [String]) -> String {
  if names.isEmpty { return "it has none" }
  let near = nearestNames(to: wanted, among: names)
  let all = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", ..." : "")
  let words = "it has \(names.count): \(all)"
  return near.isEmpty ? words : "the nearest: \(near.joined(separator: ", ")); \(words)"
}

/// The number of letters to change; a name that contains the other is near.
private func distance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.lowercased().prefix(200)), Array(b.lowercased().prefix(200)))
  let (short, long) = a.count < b.count ? (a, b) : (b, a)
  if !short.isEmpty, long.suffix(short.count).elementsEqual(short) { return 1 }
  if !short.isEmpty, long.starts(with: short) { return 2 }
  var row = Array(0...b.count)
  for i in a.indices {
    var corner = row[0]
    row[0] = i + 1
    for j in b.indices {
      let changed = corner + (a[i] == b[j] ? 0 : 1)
      corner = row[j + 1]
      row[j + 1] = min(changed, corner + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
