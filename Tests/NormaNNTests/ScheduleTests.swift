import Foundation
import NormaKernels
import NormaNN
import NormaTensor
import Testing

private struct BrokenSample: Error, Equatable {
  let index: Int
}

private struct Recorded: Decodable {
  let rates: [String: [[Double]]]
  struct Order: Decodable {
    let batches: [[[Int]]]
    let next: Double
  }
  let order: [String: [String: Order]]
  let split: [[Int]]

  static func load() throws -> Recorded {
    try JSONDecoder().decode(
      Recorded.self,
      from: Data(contentsOf: URL(fileURLWithPath: fixture("schedules.json"))))
  }
}

/// Learning rates against PyTorch's over 200 steps.
@Suite struct ScheduleTests {
  static let schedules: [(String, any Schedule)] = [
    ("step", StepDecay(every: 30, factor: 0.5)),
    ("multi_step", MultiStepDecay(at: [30, 80, 150])),
    ("exponential", ExponentialDecay(factor: 0.97)),
    ("linear", LinearWarmup(from: 0.1, steps: 50)),
    ("cosine", CosineAnnealing(steps: 200, minimum: 0.001)),
    ("restarts", CosineAnnealing(steps: 20, minimum: 0.001, restarts: true, growth: 2)),
    ("polynomial", PolynomialDecay(steps: 150, power: 2)),
    ("one_cycle", OneCycle(maximum: 0.3, totalSteps: 200)),
    (
      "one_cycle_linear", OneCycle(maximum: 0.3, totalSteps: 200, isLinear: true, threePhases: true)
    ),
    (
      "sequential",
      SequentialSchedule(
        [LinearWarmup(from: 0.1, steps: 20), ExponentialDecay(factor: 0.97)], at: [20])
    ),
    (
      "chained", ChainedSchedule(LinearWarmup(from: 0.1, steps: 20), ExponentialDecay(factor: 0.97))
    ),
  ]

  @Test(arguments: schedules.indices) func ratesOfPyTorch(_ index: Int) throws {
    let (name, schedule) = Self.schedules[index]
    let expected = try #require(try Recorded.load().rates[name])
    let optimizer = SGD([Parameter(Tensor([0.0]))], learningRate: 0.1, momentum: 0.9)
    let scheduler = Scheduler(optimizer, schedule)
    for (step, values) in expected.enumerated() {
      let group = optimizer.groups[0]
      #expect(abs(group.learningRate - values[0]) <= 1e-12 + 1e-10 * values[0], "\(name) \(step)")
      #expect(abs(group.momentum - values[1]) <= 1e-12, "\(name) \(step)")
      scheduler.step()
    }
  }

  @Test func plateau() throws {
    let expected = try #require(try Recorded.load().rates["plateau"])
    let optimizer = SGD([Parameter(Tensor([0.0]))], learningRate: 0.1)
    let plateau = ReduceOnPlateau(optimizer, factor: 0.5, patience: 2, cooldown: 1)
    for values in expected {
      plateau.step(values[0])
      #expect(abs(optimizer.groups[0].learningRate - values[1]) < 1e-12)
    }
  }
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
}
