/// One side of a pattern such as `n c (h h2) w`: groups of axes. A pure value.
struct AxisPattern: Hashable {
  /// An axis, or the ellipsis for several.
  enum Axis: Hashable {
    case named(String)
    /// A size without a name, such as `1`.
    case size(Int)
    case ellipsis
  }

  /// An axis and its position in the text.
  struct Entry: Hashable {
    let axis: Axis
    let range: Range<Int>
  }

  /// Axes that form one axis of the tensor; without parentheses a single one.
  struct Group: Hashable {
    var entries: [Entry]
    /// Whether it is in parentheses.
    var isJoined: Bool
    var range: Range<Int>
  }

  let groups: [Group]
  /// The range of this side in the text.
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
    var index = range.lowerBound
    while index < range.upperBound {
      let character = characters[index]
      if character.isWhitespace {
        index += 1
        continue
      }
      if character == "(" {
        if open != nil { throw wrong("parentheses inside of parentheses", index..<index) }
        open = Group(entries: [], isJoined: true, range: index..<(index + 1))
        index += 1
        continue
      }
      if character == ")" {
        guard var group = open else { throw wrong("a ')' without its '('", index..<index) }
        group.range = group.range.lowerBound..<(index + 1)
        groups.append(group)
        open = nil
        index += 1
        continue
      }
      let end =
        characters[index..<range.upperBound].firstIndex {
          $0.isWhitespace || $0 == "(" || $0 == ")"
        } ?? range.upperBound
      let word = String(characters[index..<end])
      guard let axis = Axis(word) else {
        throw wrong(
          "'\(word)' is not an axis; names begin with a letter, sizes are 1 or more, '...' means "
            + "several axes", index..<end)
      }
      if case .size = axis {
      } else if !seen.insert(axis).inserted {
        throw wrong("'\(word)' occurs twice on one side", index..<end)
      }
      let entry = Entry(axis: axis, range: index..<end)
      if open == nil {
        groups.append(Group(entries: [entry], isJoined: false, range: index..<end))
      } else {
        open?.entries.append(entry)
      }
      index = end
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
