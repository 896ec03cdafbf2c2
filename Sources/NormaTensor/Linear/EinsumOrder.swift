/// The order in which the terms of an einsum are contracted, pair by pair: a pure value.
///
/// For up to `exactLimit` terms the order with the fewest multiplications, found over all ways to
/// parenthesize. More terms are first reduced to that number, contracting the cheapest pair each
/// time.
struct EinsumOrder {
  static let exactLimit = 8

  private(set) var steps: [EinsumPlan.Step] = []
  /// The number of multiplications.
  private(set) var work = 0.0
  private var terms: [Set<Int>]
  private let output: Set<Int>
  private let sizes: [Int]

  init(terms: [Set<Int>], output: Set<Int>, sizes: [Int]) {
    (self.terms, self.output, self.sizes) = (terms, output, sizes)
    while self.terms.count > EinsumOrder.exactLimit { takeCheapestPair() }
    if self.terms.count > 2 { takeBestOrder() } else if self.terms.count == 2 { contract(0, 1) }
  }

  private func cost(_ labels: Set<Int>) -> Double {
    labels.reduce(1) { $0 * Double(max(sizes[$1], 1)) }
  }

  private mutating func contract(_ first: Int, _ second: Int) {
    steps.append(EinsumPlan.Step(first: first, second: second))
    let union = terms[first].union(terms[second])
    work += cost(union)
    terms.remove(at: second)
    let others = terms.indices.filter { $0 != first }.reduce(output) { $0.union(terms[$1]) }
    terms[first] = union.intersection(others)
  }

  private mutating func takeCheapestPair() {
    var best = (cost: Double.infinity, first: 0, second: 1)
    for first in terms.indices {
      for second in (first + 1)..<max(terms.count, first + 1) {
        let cost = cost(terms[first].union(terms[second]))
        if cost < best.cost { best = (cost, first, second) }
      }
    }
    contract(best.first, best.second)
  }

  /// Over all subsets of terms, as bits: the least work to contract them to one term, and the last
  /// split.
  private mutating func takeBestOrder() {
    let full = (1 << terms.count) - 1
    // The labels that remain for the terms of a subset: those that terms outside still need.
    let labels = (0...full).map { subset in
      let inside = union(subset, of: terms)
      return inside.intersection(union(full & ~subset, of: terms).union(output))
    }
    var least = [Double](repeating: .infinity, count: full + 1)
    var split = [Int](repeating: 0, count: full + 1)
    for subset in 1...full {
      if subset & (subset - 1) == 0 {
        least[subset] = 0
        continue
      }
      var part = (subset - 1) & subset
      while part > subset & ~part {
        let rest = subset & ~part
        let before = least[part] + least[rest]
        if before < least[subset] {
          let total = before + cost(labels[part].union(labels[rest]))
          if total < least[subset] { (least[subset], split[subset]) = (total, part) }
        }
        part = (part - 1) & subset
      }
    }
    var groups = terms.indices.map { 1 << $0 }
    func contractAll(_ subset: Int, _ order: inout EinsumOrder) {
      let part = split[subset]
      guard part != 0 else { return }
      contractAll(part, &order)
      contractAll(subset & ~part, &order)
      guard let first = groups.firstIndex(of: part),
        let second = groups.firstIndex(of: subset & ~part)
      else { return }
      order.contract(min(first, second), max(first, second))
      groups[min(first, second)] = subset
      groups.remove(at: max(first, second))
    }
    contractAll(full, &self)
  }

  private func union(_ subset: Int, of terms: [Set<Int>]) -> Set<Int> {
    terms.indices.filter { subset >> $0 & 1 == 1 }.reduce(into: []) { $0.formUnion(terms[$1]) }
  }
}
