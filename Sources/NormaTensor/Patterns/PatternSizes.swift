/// Names for the axes of a shape, without an arrow: a pure function.
enum PatternSizes {
  static func sizes(
    _ text: String, shape: [Int], call: String
  ) throws(TensorError) -> [String: Int] {
    let characters = Array(text)
    var words: [(text: String, range: Range<Int>)] = []
    for (index, character) in characters.enumerated() where !character.isWhitespace {
      if let last = words.last, last.range.upperBound == index {
        words[words.count - 1] = (last.text + String(character), last.range.lowerBound..<index + 1)
      } else {
        words.append((String(character), index..<(index + 1)))
      }
    }
    func wrong(_ reason: String, _ range: Range<Int>) -> TensorError {
      TensorError(call, reason, in: text, at: range)
    }
    let open = words.filter { $0.text == "..." }
    if open.count > 1 { throw wrong("a second ellipsis", open[1].range) }
    let named = words.count - open.count
    guard open.isEmpty ? named == shape.count : named <= shape.count else {
      throw wrong(
        "\(named) axes for shape \(shape), which has \(shape.count)", 0..<characters.count)
    }
    var result: [String: Int] = [:]
    var axis = 0
    for (word, range) in words {
      if word == "..." {
        axis += shape.count - named
        continue
      }
      let size = shape[axis]
      axis += 1
      if word == "_" { continue }
      if let number = Int(word) {
        if number != size { throw wrong("the axis has \(size) elements, not \(word)", range) }
        continue
      }
      guard word.first?.isLetter == true,
        word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
      else { throw wrong("'\(word)' is not an axis name", range) }
      if result.updateValue(size, forKey: word) != nil {
        throw wrong("'\(word)' occurs twice", range)
      }
    }
    return result
  }
}
