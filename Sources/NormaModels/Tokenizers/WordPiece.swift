import Foundation
import NormaFiles
import NormaTensor

/// The tokenizer of BERT and its kind: words and pieces of words of a vocabulary.
///
/// The text is cut into words at spaces and punctuation, by default without accents and in lower
/// case; each word into the longest pieces of the vocabulary, from the left, of which all but the
/// first begin with `##`. A word that cannot be cut is the unknown token. PyTorch: `BertTokenizer`
/// of transformers.
public struct WordPiece: Sendable {
  /// The number of each token.
  public let vocabulary: [String: Int]
  private let tokens: [Int: String]
  private let specials: [String]
  private let isLowerCase: Bool
  private let stripsAccents: Bool
  private let spacesIdeographs: Bool
  private let longestWord: Int
  private let unknown: Int
  private let start: Int
  private let end: Int
  private let padding: Int

  /// The tokenizer in a file `tokenizer.json`.
  public init(contentsOf path: String) throws {
    let file = try TokenizerFile(
      path, type: "WordPiece", kind: "a WordPiece tokenizer", operation: "WordPiece(contentsOf:)")
    let (model, normalizer) = (file.model, file.json["normalizer"])
    guard normalizer?["type"]?.stringValue == "BertNormalizer",
      file.json["pre_tokenizer"]?["type"]?.stringValue == "BertPreTokenizer"
    else {
      throw file.refusal(.unsupported, "it has another normalizer or pre-tokenizer than BERT")
    }
    guard model?["continuing_subword_prefix"]?.stringValue ?? "##" == "##" else {
      throw file.refusal(.unsupported, "its pieces do not begin with ##")
    }
    let lower = normalizer?["lowercase"]?.boolValue ?? true
    try self.init(
      vocabulary: file.vocabulary, specials: file.added.map(\.text),
      unknown: model?["unk_token"]?.stringValue ?? "[UNK]",
      isLowerCase: lower, stripsAccents: normalizer?["strip_accents"]?.boolValue ?? lower,
      spacesIdeographs: normalizer?["handle_chinese_chars"]?.boolValue ?? true,
      longestWord: model?["max_input_chars_per_word"]?.intValue ?? 100
    ) { file.refusal(.malformed, "the vocabulary has no \($0)") }
  }

  private init(
    vocabulary: [String: Int], specials: [String], unknown: String, isLowerCase: Bool,
    stripsAccents: Bool, spacesIdeographs: Bool, longestWord: Int,
    _ missing: (String) -> FileError
  ) throws {
    func number(_ token: String) throws -> Int {
      guard let number = vocabulary[token] else { throw missing(token) }
      return number
    }
    (self.vocabulary, self.specials) = (vocabulary, specials.filter { vocabulary[$0] != nil })
    tokens = Dictionary(vocabulary.map { ($0.value, $0.key) }) { first, _ in first }
    (self.isLowerCase, self.stripsAccents) = (isLowerCase, stripsAccents)
    (self.spacesIdeographs, self.longestWord) = (spacesIdeographs, longestWord)
    (self.unknown, start, end) = (try number(unknown), try number("[CLS]"), try number("[SEP]"))
    padding = try number("[PAD]")
  }

  /// The numbers of the tokens of a text, between `[CLS]` and `[SEP]`; at most
  /// `maximum`.
  public func encode(_ text: String, maximum: Int? = nil) -> [Int] {
    let inner = pieces(text)
    return [start] + (maximum.map { Array(inner.prefix(max($0 - 2, 0))) } ?? inner) + [end]
  }

  /// The same for a pair of texts, and for each token 0 or 1 for its text.
  public func encode(_ first: String, _ second: String) -> (tokens: [Int], types: [Int]) {
    let (a, b) = (encode(first), pieces(second) + [end])
    return (a + b, a.map { _ in 0 } + b.map { _ in 1 })
  }

  /// Several texts, padded to the longest: numbers `[N, L]`, and a mask that is 1 where there is a
  /// token.
  public func encode(_ texts: [String], maximum: Int? = nil) -> (tokens: Tensor, mask: Tensor) {
    let all = texts.map { encode($0, maximum: maximum) }
    let length = all.map(\.count).max() ?? 0
    let padded = all.flatMap { $0 + [Int](repeating: padding, count: length - $0.count) }
    let mask = all.flatMap { row in (0..<length).map { $0 < row.count ? 1 : 0 } }
    return (
      Tensor(padded).reshaped(all.count, length), Tensor(mask).reshaped(all.count, length)
    )
  }

  /// The text of tokens: pieces joined to words, words separated by spaces.
  public func decode(_ numbers: [Int], skippingSpecials: Bool = true) -> String {
    var text = ""
    for token in numbers.compactMap({ tokens[$0] }) {
      if skippingSpecials && specials.contains(token) { continue }
      if token.hasPrefix("##") {
        text += token.dropFirst(2)
      } else {
        text += (text.isEmpty ? "" : " ") + token
      }
    }
    return text
  }

  /// The numbers without `[CLS]` and `[SEP]`; special tokens in the text are those tokens.
  private func pieces(_ text: String) -> [Int] {
    var (found, rest, plain) = ([Int](), Substring(text), "")
    while let character = rest.first {
      if let special = specials.first(where: { rest.hasPrefix($0) }),
        let number = vocabulary[special]
      {
        found += words(plain).flatMap(pieces(ofWord:)) + [number]
        (plain, rest) = ("", rest.dropFirst(special.count))
      } else {
        plain.append(character)
        rest = rest.dropFirst()
      }
    }
    return found + words(plain).flatMap(pieces(ofWord:))
  }

  /// Normalized words and punctuation marks.
  private func words(_ text: String) -> [[Unicode.Scalar]] {
    var (words, word) = ([[Unicode.Scalar]](), [Unicode.Scalar]())
    func end() {
      if !word.isEmpty { words.append(word) }
      word = []
    }
    for scalar in normalized(text) {
      if scalar.properties.isWhitespace {
        end()
      } else if scalar.isMark {
        end()
        words.append([scalar])
      } else {
        word.append(scalar)
      }
    }
    end()
    return words
  }

  private func normalized(_ text: String) -> [Unicode.Scalar] {
    var cleaned = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        cleaned.append(" ")
      } else if scalar.isRemoved {
        continue
      } else if spacesIdeographs && scalar.isIdeograph {
        cleaned.append(contentsOf: [" ", scalar, " "])
      } else {
        cleaned.append(scalar)
      }
    }
    var scalars = Array(cleaned)
    if stripsAccents {
      scalars = String(cleaned).decomposedStringWithCanonicalMapping.unicodeScalars
        .filter { $0.properties.generalCategory != .nonspacingMark }
    }
    return isLowerCase
      ? scalars.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) } : scalars
  }

  private func pieces(ofWord word: [Unicode.Scalar]) -> [Int] {
    if word.count > longestWord { return [unknown] }
    var (found, begin) = ([Int](), 0)
    while begin < word.count {
      var (length, number) = (word.count - begin, Int?.none)
      while length > 0, number == nil {
        var piece = String.UnicodeScalarView(word[begin..<(begin + length)])
        if begin > 0 { piece.insert(contentsOf: "##".unicodeScalars, at: piece.startIndex) }
        number = vocabulary[String(piece)]
        if number == nil { length -= 1 }
      }
      guard let number else { return [unknown] }
      found.append(number)
      begin += length
    }
    return found
  }
}

extension Unicode.Scalar {
  /// Whether BERT takes it for punctuation: all ASCII characters but letters, digits and spaces,
  /// and Unicode's punctuation.
  fileprivate var isMark: Bool {
    switch value {
    case 33...47, 58...64, 91...96, 123...126: return true
    default: break
    }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// Control characters and others without a sign.
  fileprivate var isRemoved: Bool {
    switch properties.generalCategory {
    case .control, .format, .privateUse, .surrogate, .unassigned: true
    default: value == 0xFFFD
    }
  }

  /// A Chinese character, in the ranges that BERT counts.
  fileprivate var isIdeograph: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
