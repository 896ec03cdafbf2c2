import NormaValues
import Testing

@Suite struct LeastRecentlyUsedTests {
  @Test func theOldestIsEvicted() {
    var values = LeastRecentlyUsed<Int, String>(capacity: 2)
    values.insert("one", for: 1)
    values.insert("two", for: 2)
    #expect(values.value(for: 1) == "one")
    values.insert("three", for: 3)
    #expect(values.count == 2)
    #expect(values.value(for: 1) == "one")
    #expect(values.value(for: 2) == nil)
    #expect(values.value(for: 3) == "three")
    values.insert("uno", for: 1)
    #expect(values.count == 2)
    #expect(values.value(for: 1) == "uno")
  }

  @Test func capacityIsAtLeastOne() {
    var values = LeastRecentlyUsed<Int, Int>(capacity: 0)
    values.insert(1, for: 1)
    values.insert(2, for: 2)
    #expect(values.count == 1)
    #expect(values.value(for: 2) == 2)
  }
}

@Suite struct SharedCacheTests {
  @Test func madeOnceAndMistakesAreNotKept() throws {
    struct Mistake: Error {}
    let cache = SharedCache<String, Int>(capacity: 2)
    var made = 0
    func value(_ key: String) throws -> Int {
      try cache.value(for: key) {
        made += 1
        if key.isEmpty { throw Mistake() }
        return key.count
      }
    }
    #expect(try value("one") == 3 && value("one") == 3 && made == 1)
    #expect(throws: Mistake.self) { try value("") }
    #expect(throws: Mistake.self) { try value("") }
    #expect(made == 3 && cache.count == 1)
    #expect(try value("three") == 5 && value("seven") == 5 && cache.count == 2)
    #expect(try value("one") == 3 && made == 6)
  }

  @Test func sharedByThreads() async {
    let cache = SharedCache<Int, Int>(capacity: 8)
    let sums = await withTaskGroup(of: Int.self, returning: [Int].self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<500).reduce(0) { sum, n in sum + cache.value(for: n % 12) { n % 12 } }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let expected = (0..<500).reduce(0) { $0 + $1 % 12 }
    #expect(sums == Array(repeating: expected, count: 8) && cache.count == 8)
  }
}
