import NormaDistributed
import Testing

@Suite(.seeded) struct ShardedDatasetTests {
  static let data = TensorDataset(Tensor.arange(11))

  static func epoch(_ count: Int, _ state: DataLoaderState? = nil) throws -> [[[Int]]] {
    try (0..<count).map { rank in
      let loader = DataLoader(
        ShardedDataset(data, rank: rank, of: count), batchSize: 4, shuffle: true,
        generator: Generator(seed: 9))
      if let state { try loader.restore(state) }
      var batches: [[Int]] = []
      try loader.forEach { batches.append($0[0].array(of: Int.self)) }
      return batches
    }
  }

  /// The samples of the batches, put together again.
  static func joined(_ parts: [[[Int]]]) -> [[Int]] {
    parts[0].indices.map { batch in
      let rows = parts.map { $0[batch] }
      return rows[0].indices.flatMap { index in
        rows.compactMap { index < $0.count ? $0[index] : nil }
      }
    }
  }

  @Test func theOrderDoesNotDependOnTheNumberOfProcesses() throws {
    let wanted = try Self.epoch(1)[0]
    #expect(wanted.map(\.count) == [4, 4, 3])
    for count in 2...5 { #expect(try Self.joined(Self.epoch(count)) == wanted) }
  }

  @Test func aRunContinuesWithAnotherNumber() throws {
    let wanted = try Self.epoch(1)[0]
    let loader = DataLoader(
      ShardedDataset(Self.data, rank: 1, of: 3), batchSize: 4, shuffle: true,
      generator: Generator(seed: 9))
    var iterator = loader.makeIterator()
    _ = iterator.next()
    let state = loader.state
    #expect(state.batch == 1)
    for count in 1...4 {
      #expect(try Self.joined(Self.epoch(count, state)) == Array(wanted[1...]))
    }
  }

  @Test func pytorchsSamplerOverAGroup() throws {
    // torch.utils.data.DistributedSampler(range(11), num_replicas=3, rank=r, seed=2), epoch 1.
    let wanted = [[9, 6, 2, 10], [0, 4, 8, 7], [3, 5, 1, 9]]
    let found = try ProcessGroup.withThreads(3) { group in
      var generator = Generator(seed: 0)
      return DistributedSampler(over: group, seed: 2)
        .samples(of: 11, epoch: 1, drawing: &generator)
    }
    #expect(found == wanted)
  }
}
