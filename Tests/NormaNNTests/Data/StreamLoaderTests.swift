import NormaNN
import NormaTensor
import Testing

/// Batches of datasets without a length.
@Suite struct StreamLoaderTests {
  struct Broken: Error {}

  /// The numbers below `count`, each with a random one beside it; one may be missing.
  struct Numbers: IterableDataset {
    var count = 7
    var broken: Int?

    func samples() -> () throws -> [Tensor]? {
      var next = 0
      return {
        if next == broken { throw Broken() }
        guard next < count else { return nil }
        defer { next += 1 }
        return [Tensor(Int64(next)), Tensor.rand(2)]
      }
    }
  }

  private func numbers(_ batch: [Tensor]) -> [Int] { batch[0].array(of: Int.self) }

  @Test(arguments: [0, 1, 3]) func batchesInOrder(prefetch: Int) throws {
    let loader = StreamLoader(Numbers(), batchSize: 3, prefetch: prefetch)
    #expect(loader.map(numbers) == [[0, 1, 2], [3, 4, 5], [6]])
    #expect(loader.map { $0[1].shape } == [[3, 2], [3, 2], [1, 2]])
    let dropping = StreamLoader(Numbers(), batchSize: 3, dropLast: true, prefetch: prefetch)
    #expect(dropping.map(numbers) == [[0, 1, 2], [3, 4, 5]])
    #expect(Array(StreamLoader(Numbers(count: 0), prefetch: prefetch)).isEmpty)
    // A loop that ends early, over an endless stream.
    for batch in StreamLoader(Numbers(count: .max), batchSize: 2, prefetch: prefetch) {
      if numbers(batch) == [4, 5] { break }
    }
    #expect(StreamLoader(Numbers(), batchSize: .max, prefetch: .max).map(numbers).count == 1)
    let sequence = SampleSequence([3, 1, 2]) { [Tensor(Float($0))] }
    let floats = StreamLoader(sequence, batchSize: 2, prefetch: prefetch)
    #expect(floats.map { $0[0].array(of: Float.self) } == [[3, 1], [2]])
    #expect(floats.map { $0[0].count } == [2, 1])
  }

  @Test(arguments: [0, 2]) func errorsAreThrown(prefetch: Int) throws {
    let loader = StreamLoader(Numbers(broken: 3), batchSize: 2, prefetch: prefetch)
    var seen: [[Int]] = []
    #expect(throws: Broken.self) { try loader.forEach { seen.append(numbers($0)) } }
    #expect(seen == [[0, 1]])
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { Array(loader) } }
    #expect(error?.description.contains("Broken()") == true)
    let uneven = SampleSequence([1, 2]) { [Tensor.zeros($0)] }
    #expect(throws: TensorError.self) {
      try StreamLoader(uneven, batchSize: 2, prefetch: prefetch).forEach { _ in }
    }
    for (size, window, ahead) in [(0, 0, 0), (1, -1, 0), (1, 0, -1)] {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors {
          StreamLoader(Numbers(), batchSize: size, shuffleWindow: window, prefetch: ahead).state
        }
      }
    }
  }

  @Test func shuffledWithinAWindow() {
    let loader = StreamLoader(
      Numbers(count: 50), batchSize: 4, shuffleWindow: 8, generator: Generator(seed: 1))
    let (first, second) = (loader.flatMap(numbers), loader.flatMap(numbers))
    #expect(Set(first) == Set(0..<50) && first != Array(0..<50) && first != second)
    // No element is early by more than the window.
    #expect(first.enumerated().allSatisfy { $0.element <= $0.offset + 8 })
    let again = StreamLoader(
      Numbers(count: 50), batchSize: 4, shuffleWindow: 8, prefetch: 0,
      generator: Generator(seed: 1))
    #expect(again.flatMap(numbers) == first)
  }

  /// Order and random numbers of the rest of an interrupted epoch, and of the next one.
  @Test(arguments: [true, false]) func restored(ownGenerator: Bool) throws {
    func loader() -> StreamLoader<Numbers> {
      StreamLoader(
        Numbers(count: 20), batchSize: 3, shuffleWindow: 5,
        generator: ownGenerator ? Generator(seed: 9) : nil)
    }
    func values(_ batch: [Tensor]) -> [Double] {
      batch[0].array(of: Double.self) + batch[1].array(of: Double.self)
    }
    try withSeed(9) {
      let whole = loader()
      var (states, batches): ([DataLoaderState], [[Double]]) = ([], [])
      for _ in 0..<3 {
        for batch in whole {
          batches.append(values(batch))
          states.append(whole.state)
        }
      }
      #expect(batches.count == 21 && states[8].batch == 2 && states[8].epoch == 1)
      let second = loader()
      try second.restore(states[8])
      #expect(second.state == states[8])
      #expect(second.map(values) == Array(batches[9..<14]))
      if ownGenerator { #expect(second.map(values) == Array(batches[14...])) }
      #expect(second.state.epoch == (ownGenerator ? 3 : 2))
    }
  }
}
