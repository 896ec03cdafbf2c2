import NormaReference
import NormaTensor

// Sorting by definition, in Double.

/// Whether an element goes before another though it came after it; NaN is above all others.
func precedes(_ a: Double, _ b: Double) -> Bool { b.isNaN ? !a.isNaN : a < b }

/// The indices that sort the elements; equal ones in their original order.
func slowOrder(_ row: [Double], descending: Bool = false) -> [Int] {
  row.indices.sorted { i, j in
    let (a, b) = (row[i], row[j])
    if descending ? precedes(b, a) : precedes(a, b) { return true }
    if descending ? precedes(a, b) : precedes(b, a) { return false }
    return i < j
  }
}

/// Rows that are difficult to sort: ties, NaN, both zeros, infinities, runs.
enum RowKind: CaseIterable, Sendable {
  case random, ties, equal, ascending, descending, special

  func row(_ count: Int, _ random: inout TestRandom) -> [Double] {
    switch self {
    case .random: return random.doubles(count, mean: 0, std: 1e3)
    case .ties: return (0..<count).map { _ in Double(random.next() % 5) - 2 }
    case .equal: return [Double](repeating: 7, count: count)
    case .ascending: return (0..<count).map { Double($0 / 2) }
    case .descending: return (0..<count).map { Double(-$0 / 3) }
    case .special:
      let values = [Double.nan, -.nan, .infinity, -.infinity, 0, -0.0, 1, -1, 1e-3, -1e-3]
      return (0..<count).map { _ in values[Int(random.next() % 10)] }
    }
  }
}

/// Sizes around those at which algorithms change.
let switchSizes = [1, 2, 11, 12, 13, 15, 16, 17, 383, 384, 385, 511, 512, 513, 3000]

/// Whether numbers are the same, zeros with their signs.
func isSame(_ a: Double, _ b: Double) -> Bool {
  a.isNaN ? b.isNaN : a == b && a.sign == b.sign
}

func isSame(_ a: [Double], _ b: [Double]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
}
