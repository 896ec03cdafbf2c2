import NormaFiles
import NormaTensor

/// The tokenizer of GPT-2 and its kind: pairs of pieces of bytes merged in the order in which they
/// were learned.
///
/// The text is cut before words, numbers, runs of other signs and spaces, as GPT-2 cuts it; each
/// part is a sequence of bytes, of which the pair with the lowest rank is merged until none is
/// left. Every text has tokens, and decoding them gives the text back. PyTorch: `GPT2Tokenizer` of
/// transformers.
public struct ByteLevelBPE: Sendable {
  /// The number of each token, with bytes as the signs of `tokenizer.json`.
  public let vocabulary: [String: Int]
  private let tokens: [Int: String]
  private let ranks: [Pair: Int]
  private let specials: [(text: String, number: Int)]

  private struct Pair: Hashable, Sendable {
    let first: String
    let second: String
  }

  /// The tokenizer in a file `tokenizer.json`.
  ///
  /// - Throws: `FileError`, also for tokenizers that cut texts in another way than GPT-2.
  public init(contentsOf path: String) throws {
    let file = try TokenizerFile(
      path, type: "BPE", kind: "a tokenizer like GPT-2's", operation: "ByteLevelBPE(contentsOf:)")
    let cut = file.json["pre_tokenizer"]
    guard cut?["type"]?.stringValue == "ByteLevel", cut?["use_regex"]?.boolValue ?? true,
      cut?["add_prefix_space"]?.boolValue ?? false == false,
      file.json["normalizer"]?.isNull ?? true
    else { throw file.refusal(.unsupported, "it cuts or changes texts in another way") }
    guard let merges = file.model?["merges"]?.arrayValue else {
      throw file.refusal(.malformed, "it has no merges")
    }
    var ranks: [Pair: Int] = [:]
    for (rank, merge) in merges.enumerated() {
      // One text with a space, or a list of two.
      let parts =
        merge.stringValue?.split(separator: " ").map(String.init)
        ?? merge.arrayValue?.compactMap(\.stringValue) ?? []
      guard parts.count == 2 else { throw file.refusal(.malformed, "merge \(rank) is not a pair") }
      ranks[Pair(first: parts[0], second: parts[1])] = rank
    }
    var vocabulary = file.vocabulary
    for (text, number) in file.added { vocabulary[text] = number }
    (self.vocabulary, self.ranks, specials) = (vocabulary, ranks, file.added)
    tokens = Dictionary(vocabulary.map { ($0.value, $0.key) }) { first, _ in first }
  }

  /// The numbers of the tokens of a text; special tokens in it, such as `<|endoftext|>`, are those
  /// tokens.
  public func encode(_ text: String) -> [Int] {
    var (found, rest, plain) = ([Int](), Substring(text), "")
    while let character = rest.first {
      if let special = specials.first(where: { rest.hasPrefix($0.text) }) {
        found += Self.parts(plain).flatMap(pieces) + [special.number]
        (plain, rest) = ("", rest.dropFirst(special.text.count))
      } else {
        plain.append(character)
        rest = rest.dropFirst()
      }
    }
    return found + Self.parts(plain).flatMap(pieces)
  }

  /// The text of tokens; bytes that are no UTF-8 become U+FFFD.
  public func decode(_ numbers: [Int]) -> String {
    var (text, bytes) = ("", [UInt8]())
    for number in numbers {
      if let special = specials.first(where: { $0.number == number }) {
        text += String(decoding: bytes, as: UTF8.self) + special.text
        bytes = []
      } else {
        bytes += (tokens[number] ?? "").unicodeScalars.compactMap { Self.bytes[$0] }
      }
    }
    return text + String(decoding: bytes, as: UTF8.self)
  }

  /// The tokens of one part.
  private func pieces(_ part: String) -> [Int] {
    var pieces = part.utf8.map { String(Self.signs[Int($0)]) }
    while pieces.count > 1 {
      let best = pieces.indices.dropLast()
        .compactMap { index in
          ranks[Pair(first: pieces[index], second: pieces[index + 1])].map { (rank: $0, index) }
        }
        .min { $0.rank < $1.rank }
      guard let (_, index) = best else { break }
      pieces[index] += pieces.remove(at: index + 1)
    }
    return pieces.compactMap { vocabulary[$0] }
  }

  /// A sign for each byte: the byte's own where it is visible, others from U+0100 on.
  private static let signs: [Unicode.Scalar] = {
    var (signs, next) = ([Unicode.Scalar](), UInt32(256))
    for byte in UInt32(0)..<256 {
      let isVisible = 33...126 ~= byte || 161...172 ~= byte || 174...255 ~= byte
      signs.append(Unicode.Scalar(isVisible ? byte : next) ?? " ")
      if !isVisible { next += 1 }
    }
    return signs
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: signs.enumerated().map { ($1, UInt8($0)) })

  /// The parts of a text: contractions ('s, 'll), words, numbers and other signs with a space
  /// before them, and spaces, of which the last goes to what follows.
  static func parts(_ text: String) -> [String] {
    let scalars = Array(text.unicodeScalars)
    var (parts, index) = ([String](), 0)
    while index < scalars.count {
      let end = Self.end(of: scalars, from: index)
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[index..<end])
      parts.append(String(view))
      index = end
    }
    return parts
  }

  private static func end(of scalars: [Unicode.Scalar], from start: Int) -> Int {
    if scalars[start] == "'" {
      for ending in ["s", "t", "re", "ve", "m", "ll", "d"] {
        let letters = Array(ending.unicodeScalars)
        if scalars[(start + 1)...].starts(with: letters) { return start + 1 + letters.count }
      }
    }
    let first = scalars[start] == " " && start + 1 < scalars.count ? start + 1 : start
    let kind = Kind(scalars[first])
    if kind != .space {
      var end = first + 1
      while end < scalars.count, Kind(scalars[end]) == kind { end += 1 }
      return end
    }
    var end = start + 1
    while end < scalars.count, Kind(scalars[end]) == .space { end += 1 }
    // The last space before something else belongs to that, unless it is the only one.
    return end < scalars.count && end - start > 1 ? end - 1 : end
  }

  private enum Kind {
    case letter
    case number
    case space
    case other

    init(_ scalar: Unicode.Scalar) {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.properties.isWhitespace ? .space : .other
      }
    }
  }
}
