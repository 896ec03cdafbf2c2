import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Batch norm against its definition in Double.
@Suite struct BatchNormTests {
  static let realTypes: [DType] = [.float16, .bfloat16, .float32, .float64]

  /// Units in the last place of 1.
  static func unit(_ dtype: DType) -> Double {
    switch dtype {
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    case .float32: 0x1p-23
    default: 0x1p-52
    }
  }

  /// Values of a shape, contiguous or with the channels last in memory.
  static func batch(
    _ shape: [Int], _ dtype: DType, channelsLast: Bool = false, mean: Double = 0.5, std: Double = 2,
    _ random: inout TestRandom
  ) -> (tensor: Tensor, reference: ReferenceTensor) {
    let values = random.doubles(shape.reduce(1, *), mean: mean, std: std)
    var x = Tensor(values, shape: shape, dtype: dtype).evaluated()
    if channelsLast {
      let back = [0, shape.count - 1] + Array(1..<shape.count - 1)
      let there = [0] + Array(2..<shape.count) + [1]
      x = (x.permuted(there).reshaped(-1) * 1).evaluated().reshaped(there.map { shape[$0] })
        .permuted(back)
    }
    return (x, ReferenceTensor(shape: shape, values: x.array()))
  }

  /// The largest error in units in the last place of the largest expected value.
  static func error(_ found: Tensor, _ expected: ReferenceTensor, _ dtype: DType) -> Double {
    guard found.shape == expected.shape else { return .infinity }
    let scale = expected.values.reduce(0) { max($0, abs($1)) }
    let errors = zip(found.array(of: Double.self), expected.values).map { abs($0 - $1) }
    let unit = unit(dtype) * max(scale.binade, .leastNormalMagnitude)
    return errors.reduce(0) { $1.isNaN ? .infinity : max($0, $1 / unit) }
  }

  @Test(arguments: realTypes, [false, true])
  func training(dtype: DType, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(dtype) \(channelsLast)")
    for shape in [[4, 3, 5, 7], [6, 64, 7, 7], [5, 7], [3, 2, 33], [2, 3, 2, 3, 4], [64, 17]] {
      let (x, reference) = Self.batch(shape, dtype, channelsLast: channelsLast, &random)
      let bn = BatchNorm(shape[1])
      let (weight, bias) = (random.doubles(shape[1], mean: 1), random.doubles(shape[1]))
      bn.weight?.value = Tensor(weight, dtype: .float32)
      bn.bias?.value = Tensor(bias, dtype: .float32)
      var twin = ReferenceBatchNorm(
        weight: weight.map { Double(Float($0)) }, bias: bias.map { Double(Float($0)) },
        runningMean: .init(repeating: 0, count: shape[1]),
        runningVariance: .init(repeating: 1, count: shape[1]))
      for step in 1...2 {
        let y = bn(x)
        #expect(y.dtype == dtype)
        let expected = twin.trainingForward(reference)
        let limit = dtype == .float64 ? 1e5 : 4.0  // scale and shift of float64 come from float32
        #expect(Self.error(y, expected, dtype) <= limit, "\(shape)")
        #expect(bn.numBatchesTracked?.value.item() == Double(step))
        Self.expectStatistics(bn, twin)
      }
      bn.eval()
      let y = bn(x)
      #expect(Self.error(y, twin.evaluationForward(reference), .bfloat16) <= 1, "\(shape)")
      if dtype != .float64 {
        #expect(Self.error(y, twin.evaluationForward(reference), dtype) <= 8, "\(shape)")
      }
      #expect(bn.numBatchesTracked?.value.item() == 2)
    }
  }

  static func expectStatistics(
    _ bn: BatchNorm, _ twin: ReferenceBatchNorm, location: SourceLocation = #_sourceLocation
  ) {
    let pairs = [(bn.runningMean, twin.runningMean), (bn.runningVar, twin.runningVariance)]
    for (found, expected) in pairs {
      let values = found?.value.array(of: Double.self) ?? []
      #expect(values.count == expected?.count, sourceLocation: location)
      for (a, b) in zip(values, expected ?? []) {
        #expect(abs(a - b) <= 4 * 0x1p-23 * max(abs(b), 0.1), sourceLocation: location)
      }
    }
  }

  /// Layer types that differ from the input's.
  @Test func wideLayers() {
    var random = TestRandom()
    let (x, reference) = Self.batch([4, 3, 5, 7], .float64, &random)
    let bn = BatchNorm2d(3, dtype: .float64)
    var twin = ReferenceBatchNorm(
      weight: [1, 1, 1], bias: [0, 0, 0], runningMean: [0, 0, 0], runningVariance: [1, 1, 1])
    #expect(Self.error(bn(x), twin.trainingForward(reference), .float64) <= 8)
    #expect(bn.runningMean?.value.dtype == .float64)
    bn.eval()
    #expect(Self.error(bn(x), twin.evaluationForward(reference), .float64) <= 8)
  }

  @Test func momentumOfNilIsThePlainAverage() {
    var random = TestRandom()
    let bn = BatchNorm2d(3, momentum: nil)
    var twin = ReferenceBatchNorm(runningMean: [0, 0, 0], runningVariance: [1, 1, 1])
    twin.momentum = nil
    for step in 0..<4 {
      let (x, reference) = Self.batch([4, 3, 2, 5], .float32, mean: Double(step), &random)
      _ = (bn(x), twin.trainingForward(reference))
      Self.expectStatistics(bn, twin)
    }
  }

  @Test func withoutRunningStatisticsTheBatchNormalizes() {
    var random = TestRandom()
    let (x, reference) = Self.batch([4, 3, 5, 7], .float32, &random)
    let bn = BatchNorm2d(3, eps: 1e-3, affine: false, trackRunningStats: false)
    var twin = ReferenceBatchNorm()
    twin.eps = 1e-3
    let expected = twin.trainingForward(reference)
    #expect(bn.usesBatchStatistics && Self.error(bn(x), expected, .float32) <= 4)
    bn.eval()
    #expect(bn.usesBatchStatistics && Self.error(bn(x), expected, .float32) <= 4)
    #expect(bn.weight == nil && bn.runningMean == nil && bn.stateDict().isEmpty)
  }

  /// Digits survive a mean far from zero: 4 ulp of the largest value.
  @Test(arguments: [false, true])
  func farFromZero(channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(channelsLast)")
    for shape in [[8, 16, 20, 20], [500, 7], [32, 3, 40, 40]] {
      let (x, reference) = Self.batch(
        shape, .float32, channelsLast: channelsLast, mean: 1e7, std: 1, &random)
      var twin = ReferenceBatchNorm()
      #expect(Self.error(BatchNorm(shape[1])(x), twin.trainingForward(reference), .float32) <= 4)
    }
  }

  @Test func aConstantChannelGivesTheBias() {
    for value in [0, 0.1, -3e4, 1e7] {
      let x = Tensor.full([4, 2, 9, 9], value, dtype: .float32)
      let bn = BatchNorm2d(2)
      bn.bias?.value = Tensor([0.3, -7.7], dtype: .float32)
      let y = bn(x)
      #expect(y[0..., 0].array(of: Float.self).allSatisfy { $0 == 0.3 }, "\(value)")
      #expect(y[0..., 1].array(of: Float.self).allSatisfy { $0 == -7.7 }, "\(value)")
    }
  }

  @Test func twoValuesHaveAnUnbiasedVariance() {
    let bn = BatchNorm1d(1, momentum: 1)
    let y = bn(Tensor([[1], [3]] as [[Float]]))
    #expect(bn.runningVar?.value.item() == 2 && bn.runningMean?.value.item() == 2)
    #expect(abs(y[1, 0].item() - 1) < 1e-5)
  }

  /// An empty batch counts, as in PyTorch, but has no statistics.
  @Test func anEmptyBatchGivesNothing() {
    let bn = BatchNorm2d(3)
    #expect(bn(Tensor.zeros(0, 3, 4, 4)).shape == [0, 3, 4, 4])
    #expect(bn(Tensor.zeros(2, 3, 0, 4)).array(of: Float.self) == [])
    #expect(bn.numBatchesTracked?.value.item() == 2)
    #expect(bn.runningVar?.value.array(of: Float.self) == [1, 1, 1])
    bn.eval()
    #expect(bn(Tensor.zeros(0, 3, 4, 4)).shape == [0, 3, 4, 4])
  }
}
