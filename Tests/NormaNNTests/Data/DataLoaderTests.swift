import NormaNN
import NormaTensor
import Testing

private struct BrokenSample: Error, Equatable {
  let index: Int
}

/// Batches: PyTorch's order, the same for every number of workers, errors and early ends.
@Suite struct DataLoaderTests {
  static func numbers(_ count: Int) -> TensorDataset {
    TensorDataset(Tensor.arange(count), Tensor.arange(count).cast(to: .float32) * 2)
  }

  static func epoch(_ loader: DataLoader<TensorDataset>) throws -> [[Int]] {
    var batches: [[Int]] = []
    try loader.forEach { batch in
      batches.append(batch[0].array(of: Int.self))
      #expect(batch[1].array(of: Double.self) == batches[batches.count - 1].map { 2 * Double($0) })
    }
    return batches
  }

  @Test(arguments: [0, 1, 2, 4]) func orderOfPyTorch(workers: Int) throws {
    for (seed, expected) in try Recorded.load().order {
      let seed = try #require(Int(seed))
      let own = try #require(expected["own"])
      let loader = DataLoader(
        Self.numbers(11), batchSize: 4, shuffle: true, workers: workers,
        generator: Generator(seed: seed))
      #expect(loader.count == 3)
      for epoch in own.batches { #expect(try Self.epoch(loader) == epoch) }
      var after = try Generator(state: loader.state.generator)
      #expect(withGenerator(&after) { Tensor.rand(1).item() } == own.next)

      let standard = try #require(expected["default"])
      try withSeed(seed) {
        let loader = DataLoader(Self.numbers(11), batchSize: 4, shuffle: true, workers: workers)
        for epoch in standard.batches {
          let seen = try Self.epoch(loader)
          #expect(seen == epoch)
        }
        #expect(Tensor.rand(1).item() == standard.next)
      }
    }
  }

  @Test func splitOfPyTorch() throws {
    let parts = withSeed(5) { Self.numbers(10).randomSplit([7, 3]) }
    #expect(parts.map(\.indices) == (try Recorded.load().split))
    #expect(try parts[1].batch([0])[0].item() == Double(parts[1].indices[0]))
  }

  @Test func lastBatches() throws {
    #expect(try Self.epoch(DataLoader(Self.numbers(5), batchSize: 2)) == [[0, 1], [2, 3], [4]])
    let dropping = DataLoader(Self.numbers(5), batchSize: 2, dropLast: true)
    #expect(try Self.epoch(dropping) == [[0, 1], [2, 3]])
    #expect(try Self.epoch(DataLoader(Self.numbers(0), batchSize: 2)) == [])
  }

  struct Broken: Dataset {
    let count = 6
    func batch(_ indices: [Int]) throws -> [Tensor] {
      if indices.contains(3) { throw BrokenSample(index: 3) }
      return [Tensor(indices.map(Int64.init))]
    }
  }

  @Test(arguments: [0, 2]) func brokenSamplesAreThrown(workers: Int) {
    var seen = 0
    #expect(throws: BrokenSample(index: 3)) {
      try DataLoader(Broken(), batchSize: 2, workers: workers).forEach { _ in seen += 1 }
    }
    #expect(seen == 1)
  }

  /// Draws in transforms belong to the batch, not to the thread that makes it.
  @Test func transformsAreTheSameForAllWorkers() throws {
    let data = Self.numbers(12).mapped { [$0[0].cast(to: .float32) + Tensor.rand($0[0].shape)] }
    let results = try [0, 1, 3].map { workers in
      var values: [Double] = []
      let loader = DataLoader(
        data, batchSize: 4, shuffle: true, workers: workers, generator: Generator(seed: 3))
      try loader.forEach { values += $0[0].array(of: Double.self) }
      return values
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test func positionIsSavedAndRestored() throws {
    struct Stop: Error {}
    func loader() -> DataLoader<TensorDataset> {
      DataLoader(Self.numbers(10), batchSize: 3, shuffle: true, generator: Generator(seed: 9))
    }
    let whole = loader()
    let expected = [try Self.epoch(whole), try Self.epoch(whole), try Self.epoch(whole)]
    let first = loader()
    _ = try Self.epoch(first)
    var state: DataLoaderState?
    var begun: [[Int]] = []
    try? first.forEach { batch in
      begun.append(batch[0].array(of: Int.self))
      if begun.count == 2 {
        state = first.state
        throw Stop()
      }
    }
    let second = loader()
    try second.restore(try #require(state))
    #expect(begun + (try Self.epoch(second)) == expected[1])
    #expect(try Self.epoch(second) == expected[2])
  }

  struct Noisy: Dataset {
    let count = 8
    func batch(_ indices: [Int]) -> [Tensor] {
      [Tensor(indices.map(Int64.init)), Tensor.rand(indices.count)]
    }
  }

  @Test func samplersHaveALengthOfTheirOwn() throws {
    let twice = SampleOrder(count: 6) { _, _ in [0, 0, 1, 1, 2, 2] }
    let more = DataLoader(Self.numbers(3), batchSize: 2, sampler: twice)
    #expect(more.count == 3)
    #expect(try Self.epoch(more) == [[0, 0], [1, 1], [2, 2]])
    let few = SampleOrder(count: 3) { _, _ in [3, 1, 2] }
    let fewer = DataLoader(Self.numbers(10), batchSize: 2, sampler: few)
    #expect(try fewer.count == 2 && Self.epoch(fewer) == [[3, 1], [2]])
    let dropping = DataLoader(Self.numbers(10), batchSize: 2, sampler: few, dropLast: true)
    #expect(try dropping.count == 1 && Self.epoch(dropping) == [[3, 1]])
    let none = SampleOrder(count: 0) { _, _ in [] }
    #expect(try Self.epoch(DataLoader(Self.numbers(2), sampler: none)) == [])
  }

  @Test(arguments: [
    ([0, 1, 5], "sample 5 is out of range for 3"), ([-1, 1, 2], "sample -1"),
    ([0, 1], "2 samples were drawn, count(of:) promises 3"),
  ])
  func wrongSamplesAreAnError(_ samples: [Int], _ text: String) {
    let loader = DataLoader(Self.numbers(3), sampler: SampleOrder { _, _ in samples })
    let error = #expect(throws: TensorError.self) { try loader.forEach { _ in } }
    #expect(error?.description.contains(text) == true)
    let subset = Subset(Self.numbers(3), [0, 2])
    #expect(throws: TensorError.self) { try subset.batch([2]) }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { Subset(Self.numbers(3), [3]).count }
    }
  }

  @Test(arguments: [0, 2]) func nestedLoopsAreEpochsOfTheirOwn(workers: Int) throws {
    let loader = DataLoader(
      Self.numbers(6), batchSize: 2, shuffle: true, workers: workers,
      generator: Generator(seed: 1))
    var (outer, inner): ([[Int]], [[Int]]) = ([], [])
    try loader.forEach { batch in
      outer.append(batch[0].array(of: Int.self))
      if outer.count == 1 {
        inner = try Self.epoch(loader)
        #expect(loader.state.batch == 1 && loader.state.epoch == 0)
      }
    }
    let alone = DataLoader(
      Self.numbers(6), batchSize: 2, shuffle: true, generator: Generator(seed: 1))
    #expect(try Self.epoch(alone) == outer)
    #expect(inner.count == 3 && Set(inner.joined()) == Set(0..<6) && inner != outer)
    var seen = 0
    for _ in loader { for batch in loader { seen += batch[0].count } }
    #expect(seen == 18)
  }

  /// A sampler need not draw, and each epoch has numbers of its own all the same; a restored one
  /// has the numbers of the one that was interrupted.
  @Test(arguments: [0, 3]) func epochsHaveNumbersOfTheirOwn(workers: Int) throws {
    func loader() -> DataLoader<Noisy> {
      DataLoader(
        Noisy(), batchSize: 2, sampler: SampleOrder { total, _ in Array(0..<total) },
        workers: workers, generator: Generator(seed: 5))
    }
    let whole = loader()
    var states: [DataLoaderState] = []
    var numbers: [[Double]] = []
    for _ in 0..<2 {
      for batch in whole {
        numbers.append(batch[1].array())
        states.append(whole.state)
      }
    }
    #expect(Set(numbers.joined()).count == 16)
    let second = loader()
    try second.restore(states[5])
    #expect(second.map { $0[1].array() } == Array(numbers[6...]))
  }

  @Test func loopsEndAtAnError() throws {
    var seen = 0
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { for _ in DataLoader(Broken(), batchSize: 2) { seen += 1 } }
    }
    #expect(seen == 1 && error?.description.contains("BrokenSample(index: 3)") == true)
    // A mistake in a transform is thrown from any thread.
    let mistaken = Self.numbers(4).mapped { [$0[0].reshaped(7)] }
    for workers in [0, 2] {
      #expect(throws: TensorError.self) {
        try DataLoader(mistaken, batchSize: 2, workers: workers).forEach { _ in }
      }
    }
    for batch in DataLoader(Self.numbers(9), batchSize: 2, workers: 2) where batch[0].count == 2 {
      seen += 1
      if seen == 3 { break }
    }
    #expect(seen == 3)
  }
}
