import NormaDistributed
import Testing

/// Data parallel training in threads against one process with the whole batch.
@Suite(.seeded) struct DistributedDataParallelTests {
  /// Two heads, of which a call uses one; batch norm in between.
  final class Network: Module, Layer {
    let body: Sequential
    let first: Linear
    let second: Linear
    let unused = Linear(2, 2)
    var usesSecond = false

    init(_ dtype: DType = .float32) {
      body = Sequential(
        Conv2d(1, 4, kernelSize: 3, bias: false, dtype: dtype), BatchNorm2d(4, dtype: dtype),
        ReLU(), Flatten())
      first = Linear(4 * 16, 3, dtype: dtype)
      second = Linear(4 * 16, 3, dtype: dtype)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let y = body(x)
      return usesSecond ? second(y) : first(y)
    }
  }

  static func network(_ dtype: DType = .float32) -> Network {
    withSeed(5) { Network(dtype) }
  }

  static func gradients(_ module: Module) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: module.namedParameters.compactMap { name, parameter in
        parameter.grad.map { (name, $0) }
      })
  }

  static func expectClose(
    _ found: [String: Tensor], _ wanted: [String: Tensor], within bound: Double = 5e-6,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(Set(found.keys) == Set(wanted.keys), sourceLocation: location)
    for (name, value) in wanted {
      #expect(
        distance(found[name] ?? Tensor(0), value) < bound, "\(name)", sourceLocation: location)
    }
  }

  @Test(arguments: [[4, 4], [1, 5, 2], [0, 3, 4, 1]], [1, 200, 1 << 20])
  func unevenPartsGiveTheGradientOfTheWhole(_ rows: [Int], _ bucketBytes: Int) throws {
    let count = rows.reduce(0, +)
    let (x, labels) = (Tensor.randn(count, 1, 6, 6), Tensor.randint([count], low: 0, high: 3))
    let whole = Self.network()
    crossEntropy(whole(x), labels).backward()
    let found = try ProcessGroup.withThreads(rows.count) { group in
      let network = Self.network()
      if group.rank > 0 { network.first.weight.value = Tensor.zeros(3, 64) }
      SyncBatchNorm.convert(inside: network, over: group)
      let parallel = try DistributedDataParallel(network, over: group, bucketBytes: bucketBytes)
      let start = rows[..<group.rank].reduce(0, +)
      let own = parallel(x.narrowed(over: 0, from: start, count: rows[group.rank]))
      crossEntropy(own, labels.narrowed(over: 0, from: start, count: rows[group.rank])).backward()
      #expect(parallel.communicationTime.bytes > 0)
      return Self.gradients(network)
    }
    for gradients in found {
      Self.expectClose(gradients, Self.gradients(whole))
      for (name, value) in gradients { #expect(value.isEqual(to: found[0][name] ?? Tensor(0))) }
    }
  }

  @Test func accumulationSendsOnce() throws {
    let (x, labels) = (Tensor.randn(12, 1, 6, 6), Tensor.randint([12], low: 0, high: 3))
    let whole = Self.network()
    whole.eval()
    for start in [0, 6] {
      let part = x.narrowed(over: 0, from: start, count: 6)
      (crossEntropy(whole(part), labels.narrowed(over: 0, from: start, count: 6)) / 2).backward()
    }
    let wanted = Self.gradients(whole)
    let found = try ProcessGroup.withThreads(2) { group in
      let network = Self.network()
      let parallel = try DistributedDataParallel(network, over: group)
      for norm in network.namedModules.compactMap({ $0.module as? BatchNorm }) {
        norm.statistics = .running
        norm.updatesRunningStatistics = false
      }
      func pass(_ start: Int, _ count: Int) {
        let part = x.narrowed(over: 0, from: start, count: count)
        let own = labels.narrowed(over: 0, from: start, count: count)
        (crossEntropy(parallel(part), own) / 2).backward()
      }
      // Rank 0 has 2 and 5 samples, rank 1 has 4 and 1.
      parallel.noSync { group.rank == 0 ? pass(0, 2) : pass(2, 4) }
      group.rank == 0 ? pass(6, 5) : pass(11, 1)
      let once = Self.gradients(network)
      // What is common already is added to once.
      parallel.noSync { group.rank == 0 ? pass(0, 2) : pass(2, 4) }
      group.rank == 0 ? pass(6, 5) : pass(11, 1)
      return (once, Self.gradients(network))
    }
    for (once, twice) in found {
      Self.expectClose(once, wanted)
      Self.expectClose(twice, wanted.mapValues { $0 * 2 })
    }
  }

  @Test func unusedParametersKeepTheirGradients() throws {
    let found = try ProcessGroup.withThreads(3) { group in
      let network = Self.network()
      let parallel = try DistributedDataParallel(network, over: group, bucketBytes: 64)
      network.usesSecond = group.rank == 2
      parallel(Tensor.ones(2, 1, 6, 6) * Float(group.rank + 1)).sum().backward()
      #expect(network.unused.weight.grad == nil)
      return (network.first.bias?.grad, network.second.bias?.grad)
    }
    for (first, second) in found {
      // The sums of two samples, in two processes of three and in one.
      #expect(distance(first ?? Tensor(0), Tensor.full([3], 4.0 / 3).cast(to: .float32)) < 1e-6)
      #expect(distance(second ?? Tensor(0), Tensor.full([3], 2.0 / 3).cast(to: .float32)) < 1e-6)
    }
  }

  @Test func gradientsTravelWhileThePassGoesOn() throws {
    let network = Sequential(Linear(4, 4), ReLU(), Linear(4, 4), ReLU(), Linear(4, 4))
    final class Log: GradientReceiver {
      var events: [String] = []
      var names: [ObjectIdentifier: String] = [:]
      func receive(_ gradient: Tensor, of leaf: GradientLeaf) {
        events.append(names[ObjectIdentifier(leaf)] ?? "?")
      }
      func finishBackward() { events.append("end") }
    }
    let log = Log()
    for (name, parameter) in network.namedParameters {
      log.names[parameter.leafIdentity] = name
      parameter.deliverGradients(to: log)
    }
    let middle = network.layers[0](Tensor.randn(2, 4)).onGradient { _ in
      log.events.append("middle")
      return nil
    }
    network.layers[1...].reduce(middle) { $1($0) }.sum().backward()
    // The last layer's come before the pass has reached the first.
    let index = log.events.firstIndex(of: "middle") ?? 0
    #expect(log.events[..<index].contains("4.weight"))
    #expect(log.events.last == "end")
    #expect(log.events.count == 8 && Set(log.events).count == 8)
  }

  @Test func differentNetworksAreNamed() throws {
    let error = #expect(throws: ProcessGroupError.self) {
      try ProcessGroup.withThreads(3) { group in
        let network = Sequential(Linear(2, 3), Linear(3, group.rank == 1 ? 5 : 4))
        _ = try DistributedDataParallel(network, over: group)
      }
    }
    #expect(error?.reason.contains("1.weight differ between rank 0 and rank 1") ?? false)
    let values = #expect(throws: ProcessGroupError.self) {
      try ProcessGroup.withThreads(3) { group in
        let network = Self.network()
        _ = try DistributedDataParallel(network, over: group)
        try group.verifyEqual(network)
        if group.rank == 2 { network.second.bias?.value = Tensor([0, 0, 1e-6] as [Float]) }
        try group.verifyEqual(network)
      }
    }
    #expect(values?.reason.contains("values of second.bias differ") ?? false)
    #expect(values?.ranks == [2])
  }

  @Test func buffersAreThoseOfRankZero() throws {
    let found = try ProcessGroup.withThreads(2) { group in
      let norm = BatchNorm1d(2)
      let parallel = try DistributedDataParallel(norm, over: group)
      let x = Tensor.randn(4, 2) + Float(group.rank * 100)
      for _ in 0..<2 { _ = parallel(x) }
      return norm.runningMean?.value ?? Tensor(0)
    }
    // One update of its own since the last call: (1 - 0.1) * common + 0.1 * batch.
    #expect(found[0].abs().max().item() < 1)
    #expect(abs(found[1].mean().item() - 10) < 1)
  }

  /// Twenty steps. In `float64` nothing but the order of sums is left.
  @Test(arguments: [(DType.float32, 1e-5, 1e-5), (.float64, 1e-11, 1e-11)])
  func trainsAsOneProcess(_ dtype: DType, _ bound: Double, _ statistics: Double) throws {
    let (x, labels) = (
      Tensor.randn(48, 1, 6, 6, dtype: dtype), Tensor.randint([48], low: 0, high: 3)
    )
    @Sendable func losses(_ group: ProcessGroup) throws -> ([Double], StateDict) {
      let network = Self.network(dtype)
      SyncBatchNorm.convert(inside: network, over: group)
      let parallel = try DistributedDataParallel(network, over: group)
      let optimizer = SGD(network.parameters, learningRate: 0.05, momentum: 0.9)
      let loader = DataLoader(
        TensorDataset(x, labels).sharded(over: group), batchSize: 10, shuffle: true,
        generator: Generator(seed: 1))
      var losses: [Double] = []
      for _ in 0..<4 {
        try loader.forEach { batch in
          let loss = crossEntropy(parallel(batch[0]), batch[1])
          optimizer.zeroGrad()
          loss.backward()
          try clipGradients(of: network.parameters, norm: 0.5)
          optimizer.step()
          let n = Double(batch[0].shape[0])
          let sums = try group.allReduce(Tensor([n > 0 ? loss.item() * n : 0, n]))
          losses.append(sums[0].item() / sums[1].item())
        }
      }
      try group.verifyEqual(network)
      return (losses, network.stateDict())
    }
    let (wanted, state) = try losses(.single)
    #expect(wanted.count == 20)
    for count in [2, 3, 4] {
      let (found, own) = try ProcessGroup.withThreads(count) { try losses($0) }[0]
      for (a, b) in zip(found, wanted) { #expect(abs(a - b) < bound * abs(b)) }
      for (name, value) in state where name.contains("running") {
        #expect(distance(own[name] ?? Tensor(0), value) < statistics)
      }
      let again = try ProcessGroup.withThreads(count) { try losses($0) }[0]
      #expect(again.0 == found)
    }
  }

  @Test func scaledGradientsOverflowEverywhere() throws {
    let scales = try ProcessGroup.withThreads(2) { group in
      let parallel = try DistributedDataParallel(Linear(2, 1), over: group)
      let optimizer = SGD(parallel.parameters, learningRate: 0.1)
      let scaler = GradientScaler()
      let x = Tensor.full([1, 2], group.rank == 1 ? .infinity : 1.0).cast(to: .float32)
      scaler.scaled(parallel(x).sum()).backward()
      scaler.step(optimizer)
      scaler.update()
      try group.verifyEqual(parallel)
      return scaler.state.scale
    }
    #expect(scales[0] == scales[1] && scales[0] == 32768)
  }
}
