/// The parsed text of an einsum: which subscript each axis has. A pure value.
struct EinsumEquation: Hashable {
  /// A letter, or the ellipsis.
  enum Subscript: Hashable {
    case letter(Character)
    case ellipsis
  }

  /// A subscript and its position in the text.
  struct Entry: Hashable {
    let what: Subscript
    let index: Int
  }

  /// An operand's subscripts, and their range in the text.
  struct Term: Hashable {
    var entries: [Entry] = []
    var range: Range<Int>

    var hasEllipsis: Bool { entries.contains { $0.what == .ellipsis } }
    var letters: Int { entries.count { $0.what != .ellipsis } }
  }

  let text: String
  let operands: [Term]
  /// Nil if the text has no arrow.
  let output: Term?

  init(_ text: String, call: String) throws(TensorError) {
    self.text = text
    let characters = Array(text)
    var terms = [Term(range: 0..<0)]
    var arrow: Int?
    var index = 0
    func wrong(_ reason: String, _ count: Int = 1) -> TensorError {
      TensorError(call, reason, in: text, at: index..<(index + count))
    }
    while index < characters.count {
      let character = characters[index]
      switch character {
      case " ": break
      case ",":
        if arrow != nil { throw wrong("the output must not contain a comma") }
        terms.append(Term(range: (index + 1)..<(index + 1)))
      case "-":
        guard index + 1 < characters.count, characters[index + 1] == ">" else {
          throw wrong("'-' is not part of an arrow '->'")
        }
        if arrow != nil { throw wrong("a second arrow", 2) }
        arrow = index
        terms.append(Term(range: (index + 2)..<(index + 2)))
        index += 1
      case ".":
        guard index + 2 < characters.count, characters[index + 1] == ".",
          characters[index + 2] == "."
        else { throw wrong("'.' is not part of an ellipsis '...'") }
        if terms[terms.count - 1].hasEllipsis { throw wrong("a second ellipsis in one tensor", 3) }
        terms[terms.count - 1].append(Entry(what: .ellipsis, index: index), length: 3)
        index += 2
      case _ where character.isASCII && character.isLetter:
        terms[terms.count - 1].append(Entry(what: .letter(character), index: index), length: 1)
      default:
        throw wrong("'\(character)' is not a subscript; use letters a ... z and A ... Z")
      }
      index += 1
    }
    output = arrow == nil ? nil : terms.removeLast()
    operands = terms
    try checkOutput(call)
  }

  private func checkOutput(_ call: String) throws(TensorError) {
    let known = Set(operands.flatMap { $0.entries.map(\.what) })
    var seen: Set<Subscript> = []
    for entry in output?.entries ?? [] {
      guard case .letter(let letter) = entry.what else { continue }
      let range = entry.index..<(entry.index + 1)
      guard known.contains(entry.what) else {
        throw TensorError(call, "'\(letter)' is not in any input", in: text, at: range)
      }
      guard seen.insert(entry.what).inserted else {
        throw TensorError(call, "'\(letter)' occurs twice in the output", in: text, at: range)
      }
    }
  }
}

extension EinsumEquation.Term {
  mutating func append(_ entry: EinsumEquation.Entry, length: Int) {
    if entries.isEmpty { range = entry.index..<entry.index }
    entries.append(entry)
    range = range.lowerBound..<(entry.index + length)
  }
}
