import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Recomputed running statistics, compared with the statistics of all data as one batch.
@Suite struct RecalibrateTests {
  static let numbers = BatchNormSettingsTests.numbers

  /// Batches of different sizes and means.
  static func batches(_ random: inout TestRandom, offset: Double = 0) -> [Tensor] {
    [5, 2, 9, 3].enumerated().map { step, size in
      Tensor(
        random.doubles(size * 3, mean: offset + Double(step), std: 1 + Double(step)),
        shape: [size, 3], dtype: .float32)
    }
  }

  @Test(arguments: [0, 1e7])
  func pooledExactly(offset: Double) throws {
    var random = TestRandom(for: "\(#function) \(offset)")
    let batches = Self.batches(&random, offset: offset)
    let bn = BatchNorm1d(3, dtype: .float64)
    bn.eval()
    let report = try recalibrate(bn, over: batches)
    #expect(report.count == 1 && report[0].count == 19 && !bn.isTraining)
    #expect(bn.numBatchesTracked?.value.item() == 4 && bn.statistics == .auto)
    for c in 0..<3 {
      let exact = ReferenceMoments(batches.flatMap { $0[0..., c].array(of: Double.self) })
      #expect(abs(Self.numbers(bn.runningMean)[c] - exact.mean) <= 4e-16 * max(offset, 10))
      let variance = exact.variance()
      #expect(abs(Self.numbers(bn.runningVar)[c] - variance) <= 6 * 0x1p-24 * variance)
    }
    // The mean of the variances would differ.
    let cumulative = BatchNorm1d(3, momentum: nil)
    for batch in batches { _ = cumulative(batch) }
    let twin = BatchNorm1d(3)
    try recalibrate(twin, over: batches, rule: .cumulative)
    for (a, b) in [
      (twin.runningMean, cumulative.runningMean), (twin.runningVar, cumulative.runningVar),
    ] {
      for (x, y) in zip(Self.numbers(a), Self.numbers(b)) {
        #expect(abs(x - y) <= 4 * 0x1p-23 * max(abs(y), 1))
      }
    }
    let ratio = Self.numbers(twin.runningVar)[0] / Self.numbers(bn.runningVar)[0]
    #expect(abs(ratio - 1) > 0.1)
  }

  /// In evaluation a running mean in float32 adds half its ulp over the standard deviation, one in
  /// float64 nothing.
  @Test(arguments: [1e4, 1e7])
  func evaluationFarFromZero(mean: Double) throws {
    var random = TestRandom(for: "\(#function) \(mean)")
    let x = Tensor(random.doubles(600, mean: mean, std: 1), shape: [200, 3], dtype: .float32)
    var twin = ReferenceBatchNorm()
    let reference = ReferenceTensor(shape: [200, 3], values: x.array())
    for dtype in [DType.float32, .float64] {
      let bn = BatchNorm1d(3, dtype: dtype)
      bn.eval()
      try recalibrate(bn, over: [x])
      let expected = twin.trainingForward(reference).values
      // The running variance divides by n - 1.
      let scale = (199.0 / 200).squareRoot()
      let worst = zip(bn(x).array(of: Double.self), expected).reduce(0) {
        max($0, abs($1.0 - $1.1 * scale))
      }
      let ulp = Double(Float(mean).ulp)
      #expect(worst <= (dtype == .float64 ? 0 : ulp / 2 * 1.05) + 2e-6, "\(dtype) \(worst)")
    }
  }

  @Test func exponentiallyOnwards() throws {
    var random = TestRandom()
    let batches = Self.batches(&random)
    let (bn, twin) = (BatchNorm1d(3), BatchNorm1d(3, momentum: 0.3))
    _ = (bn(batches[0]), twin(batches[0]))
    twin.load(running: bn)
    for batch in batches { _ = twin(batch) }
    try recalibrate(bn, over: batches, rule: .exponential(0.3))
    for (a, b) in [(bn.runningMean, twin.runningMean), (bn.runningVar, twin.runningVar)] {
      for (x, y) in zip(Self.numbers(a), Self.numbers(b)) {
        #expect(abs(x - y) <= 4 * 0x1p-23 * max(abs(y), 1))
      }
    }
    #expect(bn.numBatchesTracked?.value.item() == 5)
  }

  /// Two layers with an activation between them.
  static func network() -> Sequential {
    let network = withSeed(3) {
      Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Dropout(), Linear(4, 2), BatchNorm1d(2))
    }
    return network
  }

  /// Layer by layer, the second sees what it will see in evaluation.
  @Test func layerByLayer() throws {
    var random = TestRandom()
    let batches = Self.batches(&random)
    let network = Self.network()
    var steps: [RecalibrationProgress] = []
    let report = try recalibrate(
      network, over: batches, order: .layerByLayer, progress: { steps.append($0) })
    #expect(report.map(\.name) == ["1", "5"])
    #expect(steps.count == 8 && steps.last?.pass == 2 && steps.last?.batches == 4)
    #expect(steps.last?.passes == 2)
    network.eval()
    let inputs = batches.map { batch in
      network.layers.prefix(5).reduce(batch) { $1($0) }.array(of: Double.self)
    }
    guard let last = network[5] as? BatchNorm else { return }
    for c in 0..<2 {
      let exact = ReferenceMoments(
        inputs.flatMap { values in stride(from: c, to: values.count, by: 2).map { values[$0] } })
      #expect(abs(Self.numbers(last.runningMean)[c] - exact.mean) <= 1e-6)
      #expect(abs(Self.numbers(last.runningVar)[c] - exact.variance()) <= 1e-6 * exact.variance())
    }
    // Together they differ, because each batch is normalized by its own statistics.
    let twin = Self.network()
    try recalibrate(twin, over: batches)
    guard let other = twin[5] as? BatchNorm else { return }
    #expect(abs(Self.numbers(other.runningVar)[0] - Self.numbers(last.runningVar)[0]) > 1e-3)
    #expect(twin.isTraining && twin[3].isTraining)
  }

  @Test func frozenLayersStayAndErrorsChangeNothing() throws {
    struct Enough: Error {}
    var random = TestRandom()
    let batches = Self.batches(&random)
    let network = Self.network()
    network[1].freeze()
    let report = try recalibrate(network, over: batches)
    #expect(report.map(\.name) == ["5"])
    network.unfreeze()
    for order in [RecalibrationOrder.together, .layerByLayer] {
      let before = network.stateDict().mapValues { $0.array(of: Double.self) }
      #expect(throws: Enough.self) {
        try recalibrate(
          network, over: batches.map { $0 * 3 }, order: order,
          progress: {
            if $0.pass == (order == .together ? 1 : 2), $0.batches == 2 { throw Enough() }
          }
        )
      }
      #expect(network.isTraining)
      #expect(network.stateDict().allSatisfy { before[$0] == $1.array(of: Double.self) })
      // And the layers behave as before.
      _ = network(batches[0])
      #expect(
        (network[5] as? BatchNorm)?.numBatchesTracked?.value.item()
          != before["5.num_batches_tracked"]?[0])
    }
  }

  @Test func cancellation() async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try recalibrate(BatchNorm1d(3), over: [Tensor.ones(4, 3)])
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func anyModelAndMasks() throws {
    final class Masked: Module {
      let bn = BatchNorm1d(2)
    }
    let model = Masked()
    let x = Tensor([[[1, 3, 99]], [[5, 99, 99]]] as [[[Float]]]).broadcast(to: [2, 2, 3])
    let mask = Tensor([[[1, 1, 0]], [[1, 0, 0]]] as [[[Float]]])
    try recalibrate(model, over: [(x, mask)]) { _ = $0.bn($1.0, mask: $1.1) }
    #expect(Self.numbers(model.bn.runningMean) == [3, 3])
    #expect(Self.numbers(model.bn.runningVar) == [4, 4])
    let loader = DataLoader(TensorDataset(Tensor.arange(0.0, 8.0).reshaped(8, 1)), batchSize: 4)
    let bn = BatchNorm1d(1)
    try recalibrate(bn, over: loader)
    #expect(Self.numbers(bn.runningMean) == [3.5] && Self.numbers(bn.runningVar) == [6])
  }
}

extension BatchNorm {
  fileprivate func load(running other: BatchNorm) {
    for (mine, its) in [
      (runningMean, other.runningMean), (runningVar, other.runningVar),
      (numBatchesTracked, other.numBatchesTracked),
    ] {
      if let its { mine?.value = its.value }
    }
  }
}
