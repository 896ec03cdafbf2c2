/// The parsed text of an einsum: which subscript each axis has. A pure value.
struct EinsumEquation: Hashable {
  /// What stands for an axis, or for several.
  enum Subscript: Hashable {
    case letter(Character)
    case ellipsis
  }

  /// A subscript and its place in the text.
  struct Entry: Hashable {
    let what: Subscript
    let place: Int
  }

  /// An operand's subscripts, and the place of its text.
  struct Term: Hashable {
    var entries: [Entry] = []
    var range: Range<Int>

    var hasEllipsis: Bool { entries.contains { $0.what == .ellipsis } }
    var letters: Int { entries.count { $0.what != .ellipsis } }
  }

  let text: String
  let operands: [Term]
  /// Nil where the text has no arrow.
  let output: Term?

  init(_ text: String, call: String) throws(TensorError) {
    self.text = text
    let characters = Array(text)
    var terms = [Term(range: 0..<0)]
    var arrow: Int?
    var place = 0
    func wrong(_ reason: String, _ count: Int = 1) -> TensorError {
      TensorError(call, reason, in: text, at: place..<(place + count))
    }
    while place < characters.count {
      let character = characters[place]
      switch character {
      case " ": break
      case ",":
        if arrow != nil { throw wrong("a comma does not belong into the output") }
        terms.append(Term(range: (place + 1)..<(place + 1)))
      case "-":
        guard place + 1 < characters.count, characters[place + 1] == ">" else {
          throw wrong("'-' is not part of an arrow '->'")
        }
        if arrow != nil { throw wrong("a second arrow", 2) }
        arrow = place
        terms.append(Term(range: (place + 2)..<(place + 2)))
        place += 1
      case ".":
        guard place + 2 < characters.count, characters[place + 1] == ".",
          characters[place + 2] == "."
        else { throw wrong("'.' is not part of an ellipsis '...'") }
        if terms[terms.count - 1].hasEllipsis { throw wrong("a second ellipsis in one tensor", 3) }
        terms[terms.count - 1].append(Entry(what: .ellipsis, place: place), length: 3)
        place += 2
      case _ where character.isASCII && character.isLetter:
        terms[terms.count - 1].append(Entry(what: .letter(character), place: place), length: 1)
      default:
        throw wrong("'\(character)' is no subscript; letters a ... z and A ... Z are")
      }
      place += 1
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
      let range = entry.place..<(entry.place + 1)
      guard known.contains(entry.what) else {
        throw TensorError(call, "'\(letter)' is in no input", in: text, at: range)
      }
      guard seen.insert(entry.what).inserted else {
        throw TensorError(call, "'\(letter)' is twice in the output", in: text, at: range)
      }
    }
  }
}

extension EinsumEquation.Term {
  mutating func append(_ entry: EinsumEquation.Entry, length: Int) {
    if entries.isEmpty { range = entry.place..<entry.place }
    entries.append(entry)
    range = range.lowerBound..<(entry.place + length)
  }
}
