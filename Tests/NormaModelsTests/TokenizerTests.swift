import NormaFiles
import NormaModels
import NormaTensor
import Testing

/// Tokenizers against Hugging Face's library; `Tools/make-tokenizer-fixtures.py` wrote the files.
@Suite struct TokenizerTests {
  private struct Expected {
    let text: String
    let numbers: [Int]
    let decoded: String
  }

  private func expected(_ name: String) throws -> [Expected] {
    try fixtureJSON("\(name)_expected.json").arrayValue?.map {
      Expected(
        text: $0["text"]?.stringValue ?? "",
        numbers: $0["ids"]?.arrayValue?.compactMap(\.intValue) ?? [],
        decoded: $0["decoded"]?.stringValue ?? "")
    } ?? []
  }

  @Test func wordPieces() throws {
    let tokenizer = try WordPiece(contentsOf: fixture("wordpiece.json"))
    let cases = try expected("wordpiece")
    #expect(cases.count == 11)
    for one in cases {
      #expect(tokenizer.encode(one.text) == one.numbers, "\(one.text)")
      #expect(tokenizer.decode(one.numbers, skippingSpecials: false) == one.decoded)
    }
    let pair = tokenizer.encode("the dog", "the fox")
    #expect(pair.tokens.count == pair.types.count && pair.types.contains(1))
    #expect(tokenizer.decode(pair.tokens) == "the dog the fox")
    let batch = tokenizer.encode(["the dog", "the quick brown fox"], maximum: 5)
    #expect(batch.tokens.shape == [2, 5] && batch.tokens.shape == batch.mask.shape)
    #expect(batch.mask.sum(over: 1).array(of: Int.self) == [4, 5])
  }

  @Test func bytePairs() throws {
    let tokenizer = try ByteLevelBPE(contentsOf: fixture("bpe.json"))
    let cases = try expected("bpe")
    #expect(cases.count == 11)
    for one in cases {
      #expect(tokenizer.encode(one.text) == one.numbers, "\(one.text)")
      #expect(tokenizer.decode(one.numbers) == one.text)
    }
    // Half of a sign is no text.
    #expect(tokenizer.decode(Array(tokenizer.encode("東").prefix(1))).contains("\u{FFFD}"))
  }

  @Test func othersAreRefused() {
    for call in [
      { _ = try WordPiece(contentsOf: fixture("bpe.json")) },
      { _ = try ByteLevelBPE(contentsOf: fixture("wordpiece.json")) },
    ] {
      let error = #expect(throws: FileError.self) { try call() }
      #expect(error?.kind == .unsupported)
    }
  }
}
