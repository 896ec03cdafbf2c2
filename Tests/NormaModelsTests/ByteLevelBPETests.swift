import Testing

@testable import NormaModels

@Suite struct ByteLevelBPETests {
  @Test func partsOfGPT2() {
    #expect(
      ByteLevelBPE.parts("It's 12 o'clock,  isn't it?\n\n x ")
        == [
          "It", "'s", " 12", " o", "'", "clock", ",", " ", " isn", "'t", " it", "?", "\n\n", " x",
          " ",
        ])
    #expect(ByteLevelBPE.parts("") == [])
  }
}
