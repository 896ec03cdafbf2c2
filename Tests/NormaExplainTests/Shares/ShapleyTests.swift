import Testing

@testable import NormaExplain

@Suite struct ShapleyTests {
  @Test func theGloveGame() {
    // Players 0 and 1 own a left glove each, player 2 a right one; a pair is worth 1.
    let value = (0..<8).map { (set: Int) -> Double in set & 4 != 0 && set & 3 != 0 ? 1 : 0 }
    let shares = shapleyValues(players: 3, value: value)
    for (share, exact) in zip(shares, [1.0 / 6, 1.0 / 6, 4.0 / 6]) {
      #expect(abs(share - exact) < 1e-15)
    }
  }

  @Test func sharesOfAnyGameAddUp() {
    for players in 0...5 {
      let value = (0..<(1 << players)).map { (set: Int) -> Double in Double((set * 7919 + 13) % 101)
      }
      let sum = shapleyValues(players: players, value: value).reduce(0, +)
      #expect(abs(sum - ((value.last ?? 0) - value[0])) < 1e-12)
    }
  }

  @Test func whoAddsNothingGetsNothing() {
    // Player 1 changes nothing; players 0 and 2 cancel in part.
    let value = (0..<8).map { (set: Int) -> Double in
      (set & 1 != 0 ? 1.5 : 0) - (set & 4 != 0 ? 0.5 : 0)
    }
    let shares = shapleyValues(players: 3, value: value)
    #expect(abs(shares[0] - 1.5) < 1e-15)
    #expect(abs(shares[1]) < 1e-15)
    #expect(abs(shares[2] + 0.5) < 1e-15)
  }

  @Test func noPlayersNoShares() {
    #expect(shapleyValues(players: 0, value: [3]).isEmpty)
  }

  @Test func partitionsOfThreeAxes() {
    let parts = orderedPartitions([0, 2, 3])
    #expect(parts.count == 13)
    #expect(parts.allSatisfy { $0.flatMap { $0 }.sorted() == [0, 2, 3] })
  }
}
