import NormaDistributed
import Testing

/// Synchronized batch norm over parts against batch norm over the whole batch.
@Suite(.seeded) struct SyncBatchNormTests {
  /// The rows of each part.
  static let partings = [[4, 4], [1, 6, 3], [0, 5, 1, 4], [10]]
  static let shapes = [[3], [3, 5], [3, 4, 5], [3, 2, 3, 4]]

  struct Outcome: Sendable {
    let y, dx, dweight, dbias, mean, variance: Tensor
    let batches: Double
  }

  static func outcome(_ norm: BatchNorm, _ x: Tensor, _ upstream: Tensor) -> Outcome {
    norm.weight?.value = Tensor([1.5, -0.5, 2] as [Float])
    norm.bias?.value = Tensor([0.25, 2, -1] as [Float])
    let x = x.requiringGradient()
    let y = norm(x)
    y.backward(upstream: upstream)
    let none = Tensor(Double.nan)
    return Outcome(
      y: y.detached(), dx: x.grad ?? none, dweight: norm.weight?.grad ?? none,
      dbias: norm.bias?.grad ?? none, mean: norm.runningMean?.value ?? none,
      variance: norm.runningVar?.value ?? none, batches: norm.numBatchesTracked?.value.item() ?? 0)
  }

  @Test(arguments: partings, shapes) func equalsTheWholeBatch(_ rows: [Int], _ rest: [Int]) throws {
    let shape = [rows.reduce(0, +)] + rest
    for (shift, bound) in [(0.0, 2e-6), (1e4, 2e-6)] {
      let x = Tensor.randn(shape) * 3 + shift
      let upstream = Tensor.randn(shape)
      let whole = Self.outcome(BatchNorm(3), x, upstream)
      let parts = try ProcessGroup.withThreads(rows.count) { group in
        let start = rows[..<group.rank].reduce(0, +)
        let count = rows[group.rank]
        return Self.outcome(
          SyncBatchNorm(3, over: group), x.narrowed(over: 0, from: start, count: count),
          upstream.narrowed(over: 0, from: start, count: count))
      }
      func joined(_ part: (Outcome) -> Tensor) -> Tensor { .concatenated(parts.map(part)) }
      func sum(_ part: (Outcome) -> Tensor) -> Tensor {
        parts.dropFirst().reduce(part(parts[0])) { $0 + part($1) }
      }
      #expect(distance(joined(\.y), whole.y) < bound)
      #expect(distance(joined(\.dx), whole.dx) < bound)
      #expect(distance(sum(\.dweight), whole.dweight) < bound)
      #expect(distance(sum(\.dbias), whole.dbias) < bound)
      for part in parts {
        #expect(distance(part.mean, whole.mean) < 1e-6)
        #expect(distance(part.variance, whole.variance) < 1e-6)
        #expect(part.mean.isEqual(to: parts[0].mean))
        #expect(part.variance.isEqual(to: parts[0].variance))
        #expect(part.batches == 1)
      }
    }
  }

  @Test func halfTypesAndDoubles() throws {
    for (type, bound) in [(DType.float16, 2e-3), (.bfloat16, 2e-2), (.float64, 1e-14)] {
      let x = Tensor.randn(8, 3, 4, dtype: .float64)
      let upstream = Tensor.randn(8, 3, 4, dtype: .float64)
      let whole = Self.outcome(BatchNorm(3, dtype: .float64), x, upstream)
      let parts = try ProcessGroup.withThreads(2) { group in
        Self.outcome(
          SyncBatchNorm(3, over: group, dtype: type == .float64 ? type : .float32),
          x.narrowed(over: 0, from: group.rank * 4, count: 4).cast(to: type),
          upstream.narrowed(over: 0, from: group.rank * 4, count: 4).cast(to: type))
      }
      #expect(parts[0].y.dtype == type && parts[0].dx.dtype == type)
      #expect(distance(.concatenated(parts.map(\.y)), whole.y) < bound)
      #expect(distance(.concatenated(parts.map(\.dx)), whole.dx) < bound)
    }
  }

  @Test func evaluationCallsNobody() throws {
    let found = try ProcessGroup.withThreads(2, timeout: .milliseconds(200)) { group in
      if group.rank == 1 { return Tensor(0) }
      let norm = SyncBatchNorm(3, over: group)
      norm.eval()
      return norm(Tensor.ones(2, 3))
    }
    #expect(distance(found[0], Tensor.ones(2, 3)) < 1e-5)
  }

  @Test func oneValueAlone() throws {
    let error = #expect(throws: TensorError.self) {
      try ProcessGroup.withThreads(2) { group in
        try catchingTensorErrors {
          _ = SyncBatchNorm(3, over: group)(Tensor.ones(group.rank, 3))
        }
      }
    }
    #expect(error?.reason.contains("together, which have no variance") ?? false)
  }

  @Test func masksAndSecondGradientsAreErrors() throws {
    let reasons = try ProcessGroup.withThreads(2) { group in
      let norm = SyncBatchNorm(3, over: group)
      let x = Tensor.randn(4, 3, 5).requiringGradient()
      func reason(_ body: () -> Tensor) -> String {
        do {
          _ = try catchingTensorErrors { body() }
          return "none"
        } catch {
          return "\(error)"
        }
      }
      return [
        reason { norm(x, mask: Tensor.ones(4, 1, 5)) },
        reason { Tensor.gradient(of: norm(x).squared().sum(), at: [x], createGraph: true)[0] },
      ]
    }
    for both in reasons {
      #expect(both[0].contains("takes no mask"))
      #expect(both[1].contains("cannot be differentiated again"))
    }
  }

  @Test func convertsBothWays() throws {
    let network = Sequential(
      Conv2d(1, 4, kernelSize: 3), BatchNorm2d(4, momentum: 0.3), Sequential(BatchNorm2d(4)))
    let norm = network.layers[1] as? BatchNorm2d
    norm?.runningMean?.value = Tensor([1, 2, 3, 4] as [Float])
    let names = network.stateDict().map(\.key)
    let report = SyncBatchNorm.convert(inside: network, over: .single)
    #expect(report.conversions.map(\.to) == ["SyncBatchNorm", "SyncBatchNorm"])
    #expect(network.stateDict().map(\.key) == names)
    let new = network.namedModules.compactMap { $0.module as? SyncBatchNorm }
    #expect(new.count == 2 && new[0].momentum == 0.3)
    #expect(new[0].runningMean?.value.array(of: Float.self) == [1, 2, 3, 4])
    // In a group of one it is batch norm, masks included.
    let x = Tensor.randn(2, 4, 3, 3)
    #expect(new[0](x).isEqual(to: BatchNorm(4)(x)))
    let back = convertNorms(inside: network, to: .batch)
    #expect(back.conversions.count == 2)
    #expect(!network.namedModules.contains { $0.module is SyncBatchNorm })
    #expect(network.stateDict().map(\.key) == names)
  }

  @Test func recalibratesOverAllProcesses() throws {
    let batches = (0..<6).map { _ in Tensor.randn(4, 1, 6, 6) * 2 + 1 }
    @Sendable func network() -> Sequential {
      withSeed(3) {
        Sequential(Conv2d(1, 4, kernelSize: 3), BatchNorm2d(4), Conv2d(4, 2, kernelSize: 1))
      }
    }
    let whole = network()
    try recalibrate(whole, over: batches)
    let states = try ProcessGroup.withThreads(3) { group in
      let own = network()
      SyncBatchNorm.convert(inside: own, over: group)
      // Rank 0 has one batch, rank 1 two, rank 2 three.
      let mine = [batches[0..<1], batches[1..<3], batches[3..<6]][group.rank]
      let layers = try recalibrate(own, over: mine, of: group)
      #expect(layers.map(\.count) == [6 * 4 * 16])
      return own.stateDict()
    }
    for state in states {
      for (name, value) in whole.stateDict() {
        #expect(distance(state[name] ?? Tensor(0), value) < 1e-6)
      }
    }
  }
}
