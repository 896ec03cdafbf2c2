import NormaReference
import Testing

@Suite struct WorstErrorTests {
  @Test func returnsTheLargestError() throws {
    let worst = try worstError(actual: [1, 2 + 2 * Float(2).ulp, -4], expected: [1, 2, -4])
    #expect(worst.ulps == 2)
    #expect(worst.position == 1)
    #expect(worst.absolute == 2 * Double(Float(2).ulp))
    #expect(worst.relativeToScale == worst.absolute / 4)
  }

  @Test func exactNumbersHaveNoError() throws {
    let numbers: [Float] = [0.5, -0.0, .infinity]
    #expect(try worstError(actual: numbers, expected: [0.5, 0, .infinity]) == WorstError())
  }

  @Test func theTruthIsNotRounded() throws {
    let worst = try worstError(actual: [Float(0.1)], expected: [0.1])
    #expect(worst.ulps > 0 && worst.ulps <= 0.5)
  }

  @Test func failsOnOneSidedNaN() throws {
    #expect(throws: Mismatch.self) { try worstError(actual: [Float.nan], expected: [1]) }
    #expect(throws: Mismatch.self) { try worstError(actual: [1 as Float], expected: [.nan]) }
    #expect(try worstError(actual: [Float.nan], expected: [.nan]) == WorstError())
  }

  @Test func failsOnInfinity() throws {
    #expect(throws: Mismatch.self) { try worstError(actual: [Float.infinity], expected: [1]) }
    #expect(throws: Mismatch.self) {
      try worstError(actual: [Float.infinity], expected: [-.infinity])
    }
    #expect(throws: Mismatch.self) { try worstError(actual: [3 as Float], expected: [.infinity]) }
  }

  @Test func aTruthBeyondTheRangeMatchesInfinityAndNothingFarBelowIt() throws {
    #expect(try worstError(actual: [Float.infinity], expected: [1e300]) == WorstError())
    #expect(try worstError(actual: [3 as Float], expected: [1e300]).ulps > 1e9)
  }

  @Test func failsOnLengths() {
    #expect(throws: Mismatch.count(actual: 2, expected: 1)) {
      try worstError(actual: [1, 2] as [Float], expected: [1])
    }
    #expect(throws: Mismatch.count(actual: 0, expected: 1)) {
      try worstError(actual: [Float](), expected: [1])
    }
  }

  @Test func failsOnShapes() throws {
    let truth = ReferenceTensor(shape: [2, 1], values: [1, 2])
    #expect(throws: Mismatch.shape(actual: [1, 2], expected: [2, 1])) {
      try worstError(actual: [1, 2] as [Float], shape: [1, 2], expected: truth)
    }
    let worst = try worstError(actual: [1, 2] as [Float], shape: [2, 1], expected: truth)
    #expect(worst == WorstError())
  }

  @Test func ulpDistanceCountsNumbers() {
    #expect(ulpDistance(Float(1), Float(1).nextUp) == 1)
    #expect(ulpDistance(Float(0), -Float(0)) == 0)
    #expect(ulpDistance(-Float.leastNonzeroMagnitude, Float.leastNonzeroMagnitude) == 2)
    #expect(ulpDistance(Float.nan, Float.nan) == 0)
    #expect(ulpDistance(Float.nan, Float(1)) == .max)
    #expect(ulpDistance(1.0, 1.0.nextDown) == 1)
    #expect(ulpDistance(-Double.greatestFiniteMagnitude, Double.greatestFiniteMagnitude) == .max)
    #expect(ulpDistance(1.0, .nan) == .max)
  }
}

@Suite struct TestRandomTests {
  @Test func knownAnswers() {
    // The first numbers of the published generator from seed 1234567.
    var random = TestRandom(seed: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
  }

  @Test func equalSeedsGiveEqualData() {
    var (a, b, c) = (TestRandom(seed: 1), TestRandom(seed: 1), TestRandom(seed: 2))
    let data = a.floats(20, mean: 3, std: 2)
    #expect(data == b.floats(20, mean: 3, std: 2))
    #expect(data != c.floats(20, mean: 3, std: 2))
  }

  @Test func meanAndDeviationAreAsAsked() {
    var random = TestRandom(seed: 7)
    let moments = ReferenceMoments(random.doubles(10_000, mean: 5, std: 2))
    #expect(abs(moments.mean - 5) < 0.1)
    #expect(abs(moments.variance().squareRoot() - 2) < 0.05)
  }
}
