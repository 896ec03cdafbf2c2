import NormaRandom
import Testing

/// The next 64 bits of the default generator.
private func drawn() -> UInt64 { withDefaultGenerator { $0.next() } }

/// The first numbers of a seed.
private func first(_ count: Int, seed: Int) -> [UInt64] {
  var generator = Generator(seed: seed)
  return (0..<count).map { _ in generator.next() }
}

// Serialized, because there is one generator for the process.
@Suite(.serialized) struct DefaultGeneratorTests {
  @Test func seedsTheProcess() {
    manualSeed(11)
    #expect([drawn(), drawn()] == first(2, seed: 11))
    manualSeed(11)
    #expect(drawn() == first(1, seed: 11)[0])
  }

  @Test func seedsATaskAlone() {
    manualSeed(1)
    let inner = withSeed(2) {
      let before = drawn()
      let nested = withSeed(3) { drawn() }
      return [before, nested, drawn()]
    }
    #expect(inner == [first(1, seed: 2)[0], first(1, seed: 3)[0], first(2, seed: 2)[1]])
    #expect(drawn() == first(1, seed: 1)[0])
  }

  @Test func manualSeedStaysInside() {
    manualSeed(1)
    withSeed(2) {
      manualSeed(5)
      #expect(drawn() == first(1, seed: 5)[0])
    }
    #expect(drawn() == first(1, seed: 1)[0])
  }

  @Test func seedsAcrossSuspensions() async throws {
    let expected = first(3, seed: 4)
    let found = await withSeed(4) { () async -> [UInt64] in
      let one = drawn()
      await Task.yield()
      // A child task draws from the generator of the task that created it.
      async let two = drawn()
      return [one, await two, drawn()]
    }
    #expect(found == expected)
  }

  @Test func tasksWithSeedsDoNotMeet() async {
    await withTaskGroup(of: Bool.self) { group in
      for seed in 0..<8 {
        group.addTask {
          await withSeed(seed) { () async -> Bool in
            var found: [UInt64] = []
            for _ in 0..<200 {
              found.append(drawn())
              if found.count % 50 == 0 { await Task.yield() }
            }
            return found == first(200, seed: seed)
          }
        }
      }
      for await agrees in group { #expect(agrees) }
    }
  }

  @Test func threadsShareEveryNumberOnce() async {
    let shared = Generator(seed: 21)
    let found = await withSeed(21) {
      await withTaskGroup(of: [UInt64].self) { group in
        for _ in 0..<4 { group.addTask { (0..<250).map { _ in drawn() } } }
        var all: [UInt64] = []
        for await part in group { all += part }
        return all
      }
    }
    var generator = shared
    #expect(Set(found) == Set((0..<1000).map { _ in generator.next() }))
  }

  @Test func currentIsACopy() {
    withSeed(6) {
      var copy = Generator.current
      _ = copy.next()
      #expect(drawn() == first(1, seed: 6)[0])
      Generator.current = Generator(seed: 7)
      #expect(drawn() == first(1, seed: 7)[0])
    }
  }

  @Test func withSeedThrowsOn() async {
    struct Failure: Error {}
    #expect(throws: Failure.self) { try withSeed(1) { throw Failure() } }
    await #expect(throws: Failure.self) {
      try await withSeed(1) { () async throws -> Void in throw Failure() }
    }
  }
}
