import NormaFiles
import NormaTensor

/// What the answers of a model mean, by the rules that manifests name in words.
enum ModelDecision {
  /// - Throws: `CaseObstacle` if the rule is unknown.
  static func value(
    _ rule: String, outputs: [String: Tensor], of item: ModelCase, notes: [String: String]
  ) throws -> JSON {
    let named = rule.components(separatedBy: ", output ").dropFirst().last
    guard let name = named ?? item.calls.last?.outputs.first?.name, let output = outputs[name]
    else { throw CaseObstacle.unreadable("no output for \(rule)") }
    let best = output.argmax(over: -1).flattened().array(of: Int64.self).map { Int($0) }
    if rule.hasPrefix("argmax") { return .array(best.map { .int($0) }) }
    if rule.hasPrefix("label of each image (0 or 180 degrees)") {
      return .array(best.map { .string($0 == 0 ? "0" : "180") })
    }
    if rule.hasPrefix("text (CTC") {
      guard let characters = notes["character"] else {
        throw CaseObstacle.unreadable("the file has no note \"character\"")
      }
      return .string(text(best, characters.components(separatedBy: "\n")))
    }
    if rule.hasPrefix("strongest note (MIDI 21 + index) in each third") {
      let frames = output.shape[1]
      return .array(
        (0..<3).map { third in
          let part = output[0][frames * third / 3..<frames * (third + 1) / 3]
          return .int(21 + part.mean(over: 0).argmax().item(as: Int.self))
        })
    }
    throw CaseObstacle.unsupported("")
  }

  /// Repetitions and blanks (0) are dropped; the class after the last character is a space.
  private static func text(_ classes: [Int], _ characters: [String]) -> String {
    var (result, last) = ("", 0)
    for index in classes {
      if index != 0, index != last {
        result += index <= characters.count ? characters[index - 1] : " "
      }
      last = index
    }
    return result
  }
}
