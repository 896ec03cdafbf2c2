import NormaValues

/// How an einsum is computed for operands of given shapes: a pure value.
///
/// Subscripts are numbers: first those of letters, then those of the ellipsis axes, counted from
/// the last.
struct EinsumPlan: Hashable {
  /// The subscript of each axis of each operand.
  let operands: [[Int]]
  /// The subscripts of the result's axes.
  let output: [Int]
  /// The size of each subscript.
  let sizes: [Int]
  /// Pairs of terms to contract, in order; the result replaces the first term, and the second is
  /// removed.
  let steps: [Step]

  struct Step: Hashable {
    let first: Int, second: Int
  }

  init(
    _ equation: EinsumEquation, shapes: [[Int]], call: String
  ) throws(TensorError) {
    let text = equation.text
    guard equation.operands.count == shapes.count else {
      let last = equation.operands.last?.range ?? 0..<0
      throw TensorError(
        call, "\(shapes.count) tensors for subscripts of \(equation.operands.count)", in: text,
        at: last)
    }
    var numbers: [Character: Int] = [:]
    let letters = Set(equation.operands.flatMap { $0.entries.compactMap(\.letter) }).sorted()
    for letter in letters { numbers[letter] = numbers.count }
    var open = 0
    for (term, shape) in zip(equation.operands, shapes) {
      guard term.letters == shape.count || term.hasEllipsis && term.letters < shape.count else {
        throw TensorError(
          call, "\(term.letters) subscripts for shape \(shape), which has \(shape.count) axes",
          in: text, at: term.range)
      }
      if term.hasEllipsis { open = max(open, shape.count - term.letters) }
    }
    /// Subscripts of `count` axes of an ellipsis: they are aligned at the last one.
    func ellipsis(_ count: Int) -> [Int] {
      (0..<count).map { letters.count + open - count + $0 }
    }
    func subscripts(_ entries: [EinsumEquation.Entry], ellipsis count: Int) -> [Int] {
      entries.flatMap { entry in
        entry.letter.map { numbers[$0].map { [$0] } ?? [] } ?? ellipsis(count)
      }
    }
    var sizes = [Int](repeating: 1, count: letters.count + open)
    var operands: [[Int]] = []
    for (term, shape) in zip(equation.operands, shapes) {
      let labels = subscripts(term.entries, ellipsis: shape.count - term.letters)
      for (axis, label) in labels.enumerated() {
        let index = term.index(of: axis, open: shape.count - term.letters)
        if let twin = labels[..<axis].firstIndex(of: label), shape[twin] != shape[axis] {
          throw TensorError(
            call, "sizes \(shape[twin]) and \(shape[axis]) of a diagonal differ", in: text,
            at: index)
        }
        if sizes[label] == 1 {
          sizes[label] = shape[axis]
        } else if shape[axis] != 1 && shape[axis] != sizes[label] {
          throw TensorError(
            call, "size \(shape[axis]) does not broadcast with \(sizes[label])", in: text,
            at: index)
        }
      }
      operands.append(labels)
    }
    self.operands = operands
    self.sizes = sizes
    if let explicit = equation.output {
      output = subscripts(explicit.entries, ellipsis: open)
    } else {
      let all = equation.operands.flatMap { $0.entries.compactMap(\.letter) }
      let once = letters.filter { letter in all.count { $0 == letter } == 1 }
      output = ellipsis(open) + once.compactMap { numbers[$0] }
    }
    steps =
      EinsumOrder(
        terms: zip(operands, shapes).map { labels, shape in
          // Broadcast axes are not part of a product.
          Set(zip(labels, shape).filter { sizes[$0] == $1 }.map(\.0))
        }, output: Set(output), sizes: sizes
      ).steps
  }
}

extension EinsumPlan {
  /// Everything that a plan depends on.
  struct Key: Hashable {
    let equation: String
    let shapes: [[Int]]
  }

  /// Finding the order takes time proportional to 3 to the power of the number of operands.
  static let plans = SharedCache<Key, EinsumPlan>(capacity: 256)

  /// The plan for a text and these shapes, made by the first call that needs it.
  static func kept(
    _ equation: String, shapes: [[Int]], call: String
  ) throws(TensorError) -> EinsumPlan {
    try plans.value(for: Key(equation: equation, shapes: shapes)) { () throws(TensorError) in
      try EinsumPlan(EinsumEquation(equation, call: call), shapes: shapes, call: call)
    }
  }
}

extension EinsumEquation.Entry {
  var letter: Character? {
    if case .letter(let letter) = what { return letter }
    return nil
  }
}

extension EinsumEquation.Term {
  /// The position in the text of an axis's subscript, if the ellipsis covers `open` axes.
  func index(of axis: Int, open: Int) -> Range<Int> {
    var first = 0
    for entry in entries {
      let count = entry.what == .ellipsis ? open : 1
      if axis < first + count {
        return entry.index..<(entry.index + (entry.what == .ellipsis ? 3 : 1))
      }
      first += count
    }
    return range
  }
}
