import NormaNN
import NormaTensor
import Testing

/// Samplers and splits against PyTorch's numbers.
@Suite struct SamplersTests {
  private func epochs(
    _ sampler: some Sampler, of total: Int, _ generator: Generator = Generator(seed: 0)
  ) throws -> [[Int]] {
    let loader = DataLoader(
      TensorDataset(Tensor.arange(total)), batchSize: 3, sampler: sampler, workers: 0,
      generator: generator)
    return try (0..<2).map { _ in
      var seen: [Int] = []
      try loader.forEach { seen += $0[0].array(of: Int.self) }
      return seen
    }
  }

  @Test func weighted() throws {
    var generator = Generator(seed: 4)
    let again = WeightedSampler(weights: [0.1, 0.9, 0.4, 0.7, 3, 0.6], count: 8)
    #expect(again.samples(of: 6, drawing: &generator) == [4, 4, 1, 5, 5, 4, 4, 4])
    let once = WeightedSampler(
      weights: [0.9, 0.4, 0.05, 0.2, 0.3, 0.1], count: 5, replacement: false)
    #expect(once.samples(of: 6, drawing: &generator) == [5, 0, 1, 4, 2])
    #expect(again.count(of: 6) == 8)
    let rare = WeightedSampler(weights: [1, 0, 1, 0], count: 40)
    let seen = try epochs(rare, of: 4)
    #expect(seen.map(\.count) == [40, 40] && Set(seen[0]) == [0, 2] && seen[0] != seen[1])
    for (weights, count, replacement, text) in [
      ([1, -1], 1, true, "finite and not negative, got -1.0"), ([.nan], 1, true, "got nan"),
      ([0, 0], 1, true, "positive and finite sum"), ([], 1, true, "positive and finite sum"),
      ([1], 0, true, "count must be"), ([1, 0], 2, false, "2 draws without replacement from 1"),
    ] as [([Double], Int, Bool, String)] {
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors {
          WeightedSampler(weights: weights, count: count, replacement: replacement).count(of: 2)
        }
      }
      #expect(error?.description.contains(text) == true, "\(error as Any)")
    }
  }

  @Test func subset() throws {
    let sampler = SubsetSampler([7, 3, 5, 1])
    #expect(try epochs(sampler, of: 8, Generator(seed: 4)) == [[5, 3, 1, 7], [3, 7, 5, 1]])
    #expect(throws: TensorError.self) { try epochs(sampler, of: 7) }
  }

  /// torch's DistributedSampler of 11 samples and 3 processes, two epochs.
  @Test(arguments: [
    (
      true, false,
      [
        [[9, 6, 2, 10], [10, 8, 0, 2]], [[0, 4, 8, 7], [5, 1, 4, 9]],
        [[3, 5, 1, 9], [6, 7, 3, 10]],
      ]
    ),
    (
      true, true,
      [[[9, 6, 2], [10, 8, 0]], [[0, 4, 8], [5, 1, 4]], [[3, 5, 1], [6, 7, 3]]]
    ),
    (
      false, false,
      [
        [[0, 3, 6, 9], [0, 3, 6, 9]], [[1, 4, 7, 10], [1, 4, 7, 10]],
        [[2, 5, 8, 0], [2, 5, 8, 0]],
      ]
    ),
    (
      false, true,
      [[[0, 3, 6], [0, 3, 6]], [[1, 4, 7], [1, 4, 7]], [[2, 5, 8], [2, 5, 8]]]
    ),
  ])
  func byRank(shuffle: Bool, dropLast: Bool, _ expected: [[[Int]]]) throws {
    for rank in 0..<3 {
      let sampler = DistributedSampler(
        rank: rank, of: 3, shuffle: shuffle, seed: 3, dropLast: dropLast)
      #expect(try epochs(sampler, of: 11) == expected[rank])
    }
  }

  @Test func fewSamplesForManyProcesses() throws {
    let seen = try (0..<5).map {
      try epochs(DistributedSampler(rank: $0, of: 5, shuffle: false), of: 2)[0]
    }
    #expect(seen == [[0], [1], [0], [1], [0]])
    let none = DistributedSampler(rank: 1, of: 2)
    #expect(try epochs(none, of: 0) == [[], []])
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { DistributedSampler(rank: 2, of: 2).count(of: 2) }
    }
  }

  /// A restored loader finds the order of the epoch that was interrupted.
  @Test func restoredEpochByRank() throws {
    func loader() -> DataLoader<TensorDataset> {
      DataLoader(
        TensorDataset(Tensor.arange(11)), batchSize: 2,
        sampler: DistributedSampler(rank: 0, of: 3, seed: 3))
    }
    let first = loader()
    for _ in first {}
    var iterator = first.makeIterator()
    #expect(iterator.next()?[0].array(of: Int.self) == [10, 8])
    let second = loader()
    try second.restore(first.state)
    #expect(second.map { $0[0].array(of: Int.self) } == [[0, 2]])
  }

  @Test func splitsByFractions() {
    let data = TensorDataset(Tensor.arange(11))
    let parts = withSeed(5) { data.randomSplit(fractions: [0.5, 0.3, 0.2]) }
    #expect(parts.map(\.indices) == [[9, 5, 0, 8, 10, 2], [3, 6, 7], [1, 4]])
    func sizes(_ count: Int, _ fractions: [Double]) -> [Int] {
      TensorDataset(Tensor.arange(count)).randomSplit(fractions: fractions).map(\.count)
    }
    #expect(sizes(30, [0.3, 0.3, 0.4]) == [9, 9, 12])
    #expect(sizes(10, Array(repeating: 0.1, count: 10)) == Array(repeating: 1, count: 10))
    #expect(sizes(2, [0.4, 0.3, 0.3]) == [1, 1, 0])
    for wrong in [[0.5, 0.4], [1.5, -0.5], [.nan, 1], []] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { sizes(4, wrong) } }
    }
  }
}
