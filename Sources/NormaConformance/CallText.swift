/// A call or value in the notation of the cases: `Conv2d(4,6,(3,2),groups=2)`,
/// `randint(0,2^28)_i64`.
indirect enum CallText: Equatable {
  case number(Double)
  case word(String)
  case tuple([CallText])
  /// The suffix follows the closing parenthesis: `_i64`, `f64`, `fan_out,relu`.
  case call(name: String, arguments: [CallText], options: [String: CallText], suffix: String)

  /// Parses a whole text; nil if it has no such form.
  init?(_ text: String) {
    var parser = CallTextParser(rest: Array(text)[...])
    guard var value = parser.value() else { return nil }
    let suffix = String(parser.rest)
    if !suffix.isEmpty {
      switch value {
      case .call(let name, let arguments, let options, _):
        value = .call(name: name, arguments: arguments, options: options, suffix: suffix)
      default: return nil
      }
    }
    self = value
  }

  var number: Double? { if case .number(let value) = self { value } else { nil } }

  var int: Int? { number.flatMap(Int.init(exactly:)) }

  var name: String? {
    switch self {
    case .word(let name), .call(let name, _, _, _): name
    default: nil
    }
  }

  var arguments: [CallText] {
    switch self {
    case .call(_, let arguments, _, _), .tuple(let arguments): arguments
    default: []
    }
  }

  var options: [String: CallText] {
    if case .call(_, _, let options, _) = self { options } else { [:] }
  }

  var suffix: String { if case .call(_, _, _, let suffix) = self { suffix } else { "" } }

  /// The arguments as numbers; nil if one is something else.
  var numbers: [Double]? {
    let numbers = arguments.compactMap(\.number)
    return numbers.count == arguments.count ? numbers : nil
  }

  /// The arguments as integers; nil if one is something else.
  var ints: [Int]? {
    let ints = arguments.compactMap(\.int)
    return ints.count == arguments.count ? ints : nil
  }
}

private struct CallTextParser {
  var rest: ArraySlice<Character>

  mutating func skip(_ character: Character) -> Bool {
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  mutating func take(while condition: (Character) -> Bool) -> String {
    let taken = rest.prefix(while: condition)
    rest = rest[taken.endIndex...]
    return String(taken)
  }

  mutating func value() -> CallText? {
    guard let first = rest.first else { return nil }
    if first == "(" { return list().map { .tuple($0.arguments) } }
    if first.isNumber || first == "-" { return number() }
    let name = take { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    if name.isEmpty { return nil }
    guard rest.first == "(" else { return .word(name) }
    return list().map {
      .call(name: name, arguments: $0.arguments, options: $0.options, suffix: "")
    }
  }

  /// `(a, b, name=c)`
  private mutating func list() -> (arguments: [CallText], options: [String: CallText])? {
    var (arguments, options): ([CallText], [String: CallText]) = ([], [:])
    guard skip("(") else { return nil }
    if skip(")") { return (arguments, options) }
    repeat {
      guard let value = value() else { return nil }
      if case .word(let name) = value, skip("=") {
        options[name] = self.value()
      } else {
        arguments.append(value)
      }
    } while skip(",")
    return skip(")") ? (arguments, options) : nil
  }

  /// `-0.37`, `2^28`, `2^28-1`
  private mutating func number() -> CallText? {
    let sign = skip("-") ? -1.0 : 1
    guard var value = Double(take { $0.isNumber || $0 == "." }) else { return nil }
    if skip("^") {
      guard let exponent = Int(take(while: \.isNumber)) else { return nil }
      value = (0..<exponent).reduce(1) { power, _ in power * value }
      if skip("-") {
        guard let less = Double(take(while: \.isNumber)) else { return nil }
        value -= less
      }
    }
    return .number(sign * value)
  }
}
