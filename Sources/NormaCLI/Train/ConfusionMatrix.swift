/// Counts how often images of one class were classified as another.
struct ConfusionMatrix: Codable {
  let names: [String]
  /// By true class, then by predicted class.
  private(set) var counts: [[Int]]

  init(_ names: [String]) {
    self.names = names
    counts = Array(repeating: Array(repeating: 0, count: names.count), count: names.count)
  }

  mutating func add(_ found: [Int], _ truth: [Int]) {
    for (found, truth) in zip(found, truth) { counts[truth][found] += 1 }
  }

  /// Adds what another one has counted.
  mutating func merge(_ other: ConfusionMatrix) {
    for (row, others) in zip(counts.indices, other.counts) {
      for (column, count) in zip(counts[row].indices, others) { counts[row][column] += count }
    }
  }

  var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }
  var correct: Int { names.indices.reduce(0) { $0 + counts[$1][$1] } }
  var accuracy: Double { Double(correct) / Double(max(total, 1)) }

  /// A row for each true class, a column for each predicted class, and the fraction that was right.
  var text: String {
    let width = (names.map(\.count).max() ?? 0) + 1
    let cell = max(String(counts.joined().max() ?? 0).count, 3) + 1
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - text.count, 0)) + text
    }
    func left(_ text: String) -> String {
      text + String(repeating: " ", count: max(width - text.count, 0))
    }
    var lines = [left("") + names.indices.map { right("\($0)", cell) }.joined()]
    for (row, name) in names.enumerated() {
      let sum = counts[row].reduce(0, +)
      let share = sum == 0 ? "" : right("\(counts[row][row] * 100 / sum) %", 7)
      let cells = counts[row].map { right($0 == 0 ? "·" : "\($0)", cell) }
      lines.append(left(name) + cells.joined() + share)
    }
    return lines.joined(separator: "\n")
  }
}
