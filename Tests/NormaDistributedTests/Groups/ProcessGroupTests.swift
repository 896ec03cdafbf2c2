import NormaDistributed
import Testing

/// Groups of threads: the same calls as over MPI, whose own test is `make test-mpi`.
@Suite struct ProcessGroupTests {
  static let types: [DType] = [
    .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .bfloat16,
    .float32, .float64,
  ]

  @Test(arguments: types) func reducesEveryType(_ type: DType) throws {
    let all = try ProcessGroup.withThreads(3) { group in
      let x = Tensor([group.rank, 1, 2 - group.rank]).cast(to: type)
      return try [ReduceOperation.sum, .product, .min, .max].map { try group.allReduce(x, $0) }
    }
    let wanted: [[Double]] =
      type == .bool
      ? [[1, 1, 1], [0, 1, 0], [0, 1, 0], [1, 1, 1]]
      : [[3, 3, 3], [0, 1, 0], [0, 1, 0], [2, 1, 2]]
    for results in all {
      for (found, values) in zip(results, wanted) {
        #expect(found.dtype == type)
        #expect(found.array(of: Double.self) == values)
      }
    }
  }

  @Test func addsHalfTypesInFloat() throws {
    // In float16, 2048 + 1 is 2048: added one by one, the ones would be lost.
    let all = try ProcessGroup.withThreads(4) { group in
      try group.allReduce(Tensor(group.rank == 0 ? 2048.0 : 1, dtype: .float16)).item()
    }
    #expect(all == [2052, 2052, 2052, 2052])
  }

  @Test func gathersScattersAndBroadcasts() throws {
    let all = try ProcessGroup.withThreads(3) { group in
      let own = Tensor([Float(group.rank), 10])
      let gathered = try group.allGather(own).map { $0.array(of: Float.self) }
      #expect(gathered == [[0, 10], [1, 10], [2, 10]])
      let x = Tensor.arange(6).cast(to: .float32).reshaped(6, 1) * Float(group.rank + 1)
      let part = try group.reduceScatter(x)
      #expect(part.shape == [2, 1])
      #expect(try group.allReduce(own, .mean).array(of: Float.self) == [1, 10])
      #expect(try group.broadcast(own, from: 2).array(of: Float.self) == [2, 10])
      try group.barrier()
      return part.array(of: Float.self)
    }
    #expect(all == [[0, 6], [12, 18], [24, 30]])
  }

  @Test func startsAndFinishesInOrder() throws {
    let all = try ProcessGroup.withThreads(3) { group in
      let first = group.startAllReduce(Tensor(Double(group.rank)))
      let second = group.startAllReduce(Tensor([1, 2] as [Float]), .mean)
      // Calls in between have an order of their own.
      let between = try group.allReduce(Tensor(Double(group.rank)), .max).item()
      #expect(try second.value().array(of: Float.self) == [1, 2])
      return try (first.value().item(), between)
    }
    #expect(all.allSatisfy { $0 == (3, 2) })
  }

  @Test func splits() throws {
    let all = try ProcessGroup.withThreads(5) { group in
      let half = try group.split(by: group.rank % 2)
      let sum = try half.allReduce(Tensor(group.rank)).item()
      let some = try group.subgroup([1, 4])
      #expect((some == nil) == ![1, 4].contains(group.rank))
      if let some { #expect(try some.gathered(group.rank) == [1, 4]) }
      return (half.rank, half.count, sum)
    }
    #expect(all.map(\.0) == [0, 0, 1, 1, 2])
    #expect(all.map(\.1) == [3, 2, 3, 2, 3])
    #expect(all.map(\.2) == [6, 4, 6, 4, 6])
  }

  @Test func aMissingRankIsNamed() throws {
    let error = #expect(throws: ProcessGroupError.self) {
      try ProcessGroup.withThreads(3, timeout: .milliseconds(100)) { group in
        if group.rank == 1 { return }
        try group.barrier()
      }
    }
    #expect(error?.ranks == [1])
    #expect(error?.reason.contains("rank 1 has not made this call") ?? false)
  }

  @Test func aRankThatEndsEndsTheOthers() throws {
    struct Broken: Error {}
    let start = ContinuousClock.now
    #expect(throws: Broken.self) {
      try ProcessGroup.withThreads(3) { group in
        if group.rank == 2 { throw Broken() }
        try group.barrier()
      }
    }
    #expect(.now - start < .seconds(60))
  }

  @Test func differentCallsAreAnError() {
    let error = #expect(throws: ProcessGroupError.self) {
      try ProcessGroup.withThreads(2) { group in
        _ = try group.allReduce(Tensor.zeros(2 + group.rank))
      }
    }
    #expect(error?.ranks == [1])
  }

  @Test func mistakesOfTheCaller() throws {
    let group = ProcessGroup.single
    for body in [
      { _ = try group.broadcast(Tensor(1), from: 1) },
      { _ = try group.allReduce(Tensor(1), .mean) },
      { _ = try group.reduceScatter(Tensor(1)) },
    ] as [() throws -> Void] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { try body() } }
    }
  }

  @Test func aGroupOfOne() throws {
    let group = ProcessGroup.single
    let x = Tensor([1, 2] as [Float])
    #expect(try group.allReduce(x, .mean).isEqual(to: x))
    #expect(try group.allGather(x).count == 1)
    #expect(try group.startAllReduce(x).value().isEqual(to: x))
    #expect(try group.gathered("a") == ["a"])
    #expect(try group.split(by: 7).count == 1)
  }

  @Test func valuesAndMetrics() throws {
    let all = try ProcessGroup.withThreads(3) { group in
      #expect(try group.gathered(String(repeating: "x", count: group.rank)) == ["", "x", "xx"])
      #expect(try group.broadcast(value: [group.rank: 2.5], from: 1) == [1: 2.5])
      let x = Tensor.arange(group.rank * 3, group.rank * 3 + 3 + group.rank).cast(to: .float32)
      let moments = try group.merged(x.moments())
      let found = try group.merged(ValueDistribution(x))
      #expect(found.count == 12)
      var accuracy = Accuracy()
      let scores = Tensor([[1, 0], [0, 1]] as [[Float]])
      accuracy.update(scores, Tensor([0, group.rank == 0 ? 1 : 0]))
      #expect(try group.merged(accuracy).value == 4.0 / 6)
      return moments
    }
    let x = Tensor([0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10] as [Float])
    #expect(all[0].count == [12])
    #expect(abs(all[0].mean[0] - x.moments().mean[0]) < 1e-12)
    #expect(abs(all[0].m2[0] - x.moments().m2[0]) < 1e-11)
    #expect(all[1] == all[0] && all[2] == all[0])
  }

  @Test func withoutMPIItSaysHowToGetIt() {
    guard !ProcessGroup.hasMPI else { return }
    let error = #expect(throws: ProcessGroupError.self) { try ProcessGroup.withMPI { _ in } }
    #expect(error?.description.contains("--traits Everything,MPI") ?? false)
  }
}
