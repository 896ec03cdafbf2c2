import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Which statistics normalize, which are updated, and how unusual batches are handled.
@Suite struct BatchNormSettingsTests {
  static let x = BatchNormFixtureTests.x

  static func numbers(_ buffer: Buffer?) -> [Double] { buffer?.value.array() ?? [] }

  static func message(_ body: () -> Tensor) -> String {
    do {
      _ = try catchingTensorErrors(body)
      return ""
    } catch { return "\(error)" }
  }

  /// A layer that has seen one batch.
  static func trained() -> BatchNorm2d {
    let bn = BatchNorm2d(2)
    _ = bn(x)
    return bn
  }

  @Test func theSourceIsApartFromTheMode() {
    let bn = Self.trained()
    let evaluation = batchNorm(
      Self.x, runningMean: bn.runningMean?.value, runningVar: bn.runningVar?.value)
    let training = batchNorm(Self.x, training: true)
    for isTraining in [true, false] {
      if isTraining { bn.train() } else { bn.eval() }
      bn.updatesRunningStatistics = false
      bn.statistics = .running
      #expect(!bn.usesBatchStatistics && bn(Self.x).isEqual(to: evaluation))
      bn.statistics = .batch
      #expect(bn.usesBatchStatistics && bn(Self.x).isEqual(to: training))
      bn.statistics = .auto
      #expect(bn(Self.x).isEqual(to: isTraining ? training : evaluation))
    }
    #expect(bn.numBatchesTracked?.value.item() == 1)
  }

  /// Running statistics normalize and are still updated, as in a layer that normalizes with
  /// batches.
  @Test func runningStatisticsFollowWhereTheyNormalize() {
    let (bn, twin) = (Self.trained(), Self.trained())
    bn.statistics = .running
    _ = (bn(Self.x * 2 + 1), twin(Self.x * 2 + 1))
    #expect(Self.numbers(bn.runningMean) == Self.numbers(twin.runningMean))
    #expect(Self.numbers(bn.runningVar) == Self.numbers(twin.runningVar))
    bn.statistics = .batch
    bn.eval()
    _ = bn(Self.x)
    #expect(bn.numBatchesTracked?.value.item() == 2)
  }

  @Test func freezingSurvivesTraining() {
    final class Network: Module {
      let bn = BatchNormSettingsTests.trained()
      let fc = Linear(2, 2)
    }
    let network = Network()
    let before = network.bn.stateDict()
    network.eval()
    let expected = network.bn(Self.x)
    network.freeze()
    network.train()
    #expect(network.bn.isTraining && network.bn.isFrozen && !network.bn.usesBatchStatistics)
    #expect(network.bn(Self.x * 1).isEqual(to: expected))
    for (name, value) in network.bn.stateDict() {
      #expect(value.array(of: Double.self) == before[name]?.array(of: Double.self), "\(name)")
    }
    network.unfreeze()
    _ = network.bn(Self.x)
    #expect(network.bn.numBatchesTracked?.value.item() == 2 && !network.bn.isFrozen)
    // Without running statistics there is nothing to keep.
    let bare = BatchNorm2d(2, trackRunningStats: false)
    bare.freeze()
    #expect(bare.usesBatchStatistics)
  }

  @Test func momentumCannotBeMisread() {
    #expect(Momentum.pytorch(0.1) == 0.1 && Momentum.pytorch(nil) == .cumulative)
    #expect(abs((Momentum.decay(0.99).share ?? 0) - 0.01) < 1e-15)
    #expect(Momentum.cumulative.share(ofBatch: 4) == 0.25)
    #expect(abs(Momentum.pytorch(0.1).rest(after: 10) - 0.3486784401) < 1e-12)
    #expect(Momentum.cumulative.rest(after: 1) == 0 && Momentum.cumulative.rest(after: 0) == 1)
    let (bn, twin) = (BatchNorm2d(2, momentum: .decay(0.9)), BatchNorm2d(2))
    _ = (bn(Self.x), twin(Self.x))
    for (a, b) in zip(Self.numbers(bn.runningVar), Self.numbers(twin.runningVar)) {
      #expect(abs(a - b) < 1e-6)
    }
  }

  @Test func conventions() {
    let bn = BatchNorm2d(2, convention: .keras)
    #expect(bn.eps == 1e-3 && bn.momentum == .decay(0.99))
    _ = bn(Self.x)
    let moments = Self.x.moments(over: 0, 2, 3)
    for (a, b) in zip(Self.numbers(bn.runningVar), moments.variance(correction: 0)) {
      #expect(abs(a - (0.99 + 0.01 * b)) < 1e-6)
    }
    let torch = BatchNorm1d(3, convention: .pytorch)
    #expect(torch.eps == 1e-5 && torch.momentum == 0.1 && torch.runningVarianceCorrection == 1)
    #expect(NormalizationConvention.flax.momentum == .decay(0.99))
    #expect(NormalizationConvention.mlx.runningVarianceCorrection == 0)
  }

  /// The forward pass is pure, and parts of a batch commit as the whole.
  @Test func updatesAreValues() throws {
    let bn = Self.trained()
    let before = bn.stateDict().mapValues { $0.array(of: Double.self) }
    let (y, update) = bn.forward(Self.x * 2 + 1)
    #expect(bn.stateDict().allSatisfy { before[$0] == $1.array(of: Double.self) })
    let twin = Self.trained()
    #expect(y.isEqual(to: twin(Self.x * 2 + 1)))
    let whole = try #require(update)
    #expect(whole.isFinite && whole.moments.count == [12, 12])
    bn.commit(whole)
    #expect(Self.numbers(bn.runningVar) == Self.numbers(twin.runningVar))

    let parts = BatchNorm2d(2)
    let first = try #require(parts.forward((Self.x * 2 + 1)[0..<1]).update).moments
    let second = try #require(parts.forward((Self.x * 2 + 1)[1...]).update).moments
    parts.commit(RunningStatisticsUpdate(try #require(first.merged(with: second))))
    let fresh = BatchNorm2d(2)
    _ = fresh(Self.x * 2 + 1)
    for (a, b) in zip(Self.numbers(parts.runningVar), Self.numbers(fresh.runningVar)) {
      #expect(abs(a - b) <= 0x1p-23 * b)
    }
    bn.eval()
    #expect(bn.forward(Self.x).update == nil)
    #expect(
      Self.message {
        bn.commit(RunningStatisticsUpdate(Tensor.ones(4, 3).moments(over: 0)))
        return .ones(1)
      } == "commit(_:): 3 channels for a layer of 2")
  }

  @Test func oneValuePerChannel() {
    let one = Tensor([[3, 4]] as [[Float]])
    let bn = BatchNorm1d(2)
    bn.bias?.value = Tensor([0.5, -1] as [Float])
    #expect(Self.message { bn(one) }.contains("one value per channel"))
    bn.singleValuePolicy = .zero
    #expect(bn(one).array(of: Float.self) == [0.5, -1])
    bn.singleValuePolicy = .running
    let expected = batchNorm(
      one, runningMean: .zeros(2), runningVar: .ones(2), weight: .ones(2), bias: bn.bias?.value)
    #expect(bn(one).isEqual(to: expected))
    #expect(bn.numBatchesTracked?.value.item() == 0)
    // The gradient of a value that is its own mean is zero.
    bn.singleValuePolicy = .zero
    let leaf = one.requiringGradient()
    bn(leaf).sum().backward()
    #expect(leaf.grad?.array(of: Float.self) == [0, 0])
    #expect(bn.bias?.grad?.array(of: Float.self) == [1, 1])
  }

  @Test func batchesThatAreNotFinite() {
    let bad = Tensor([[1, 2], [.nan, 3], [5, 6]] as [[Float]])
    let bn = BatchNorm1d(2)
    bn.nonFinitePolicy = .error
    #expect(
      Self.message { bn(bad) }.hasPrefix(
        "BatchNorm1d(_:): the batch has NaN or infinite values in 1 of 2 channels (0)"))
    bn.nonFinitePolicy = .skipUpdate
    #expect(bn(bad)[0, 0].item().isNaN && bn(bad)[0, 1].item().isFinite)
    #expect(Self.numbers(bn.runningMean) == [0, 0] && bn.numBatchesTracked?.value.item() == 0)
    bn.nonFinitePolicy = .propagate
    _ = bn(bad)
    #expect(Self.numbers(bn.runningMean)[0].isNaN && bn.numBatchesTracked?.value.item() == 1)
    #expect(bn.forward(bad).update?.nonFiniteChannels == [0])
  }
}
