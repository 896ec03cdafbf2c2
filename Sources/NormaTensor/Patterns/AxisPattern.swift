/// One side of a pattern such as `n c (h h2) w`: groups of axes. A pure value.
struct AxisPattern: Hashable {
  /// What stands for an axis, or for several.
  enum Axis: Hashable {
    case named(String)
    /// A size without a name, such as `1`.
    case size(Int)
    case ellipsis
  }

  /// An axis and its place in the text.
  struct Entry: Hashable {
    let axis: Axis
    let range: Range<Int>
  }

  /// Axes that make one axis of the tensor; without parentheses a single one.
  struct Group: Hashable {
    var entries: [Entry]
    /// In parentheses.
    var isJoined: Bool
    var range: Range<Int>
  }

  let groups: [Group]
  /// Where this side stands in the text.
  let range: Range<Int>

  var entries: [Entry] { groups.flatMap(\.entries) }
  var hasEllipsis: Bool { entries.contains { $0.axis == .ellipsis } }

  /// Parses the part `range` of a text.
  init(_ text: String, _ range: Range<Int>, call: String) throws(TensorError) {
    let characters = Array(text)
    func wrong(_ reason: String, _ range: Range<Int>) -> TensorError {
      TensorError(call, reason, in: text, at: range)
    }
    var groups: [Group] = []
    var open: Group?
    var seen: Set<Axis> = []
    var place = range.lowerBound
    while place < range.upperBound {
      let character = characters[place]
      if character.isWhitespace {
        place += 1
        continue
      }
      if character == "(" {
        if open != nil { throw wrong("parentheses inside of parentheses", place..<place) }
        open = Group(entries: [], isJoined: true, range: place..<(place + 1))
        place += 1
        continue
      }
      if character == ")" {
        guard var group = open else { throw wrong("a ')' without its '('", place..<place) }
        group.range = group.range.lowerBound..<(place + 1)
        groups.append(group)
        open = nil
        place += 1
        continue
      }
      let end =
        characters[place..<range.upperBound].firstIndex {
          $0.isWhitespace || $0 == "(" || $0 == ")"
        } ?? range.upperBound
      let word = String(characters[place..<end])
      guard let axis = Axis(word) else {
        throw wrong(
          "'\(word)' is no axis; names begin with a letter, sizes are 1 or more, '...' stands for "
            + "several axes", place..<end)
      }
      if case .size = axis {
      } else if !seen.insert(axis).inserted {
        throw wrong("'\(word)' is twice on one side", place..<end)
      }
      let entry = Entry(axis: axis, range: place..<end)
      if open == nil {
        groups.append(Group(entries: [entry], isJoined: false, range: place..<end))
      } else {
        open?.entries.append(entry)
      }
      place = end
    }
    if let open { throw wrong("a '(' without its ')'", open.range) }
    self.groups = groups
    self.range = range
  }
}

extension AxisPattern.Axis {
  fileprivate init?(_ word: String) {
    if word == "..." || word == "…" {
      self = .ellipsis
    } else if let size = Int(word) {
      guard size >= 1 else { return nil }
      self = .size(size)
    } else {
      guard let first = word.first, first.isLetter || first == "_" && word != "_",
        word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
      else { return nil }
      self = .named(word)
    }
  }
}
