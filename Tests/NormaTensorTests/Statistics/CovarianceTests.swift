import NormaReference
import NormaTensor
import Testing

/// Covariances against their definition.
@Suite struct CovarianceTests {
  static func slow(
    _ rows: [[Double]], _ correction: Double, _ frequencies: [Double], _ weights: [Double]?
  ) -> [Double] {
    let share = zip(frequencies, weights ?? frequencies.map { _ in 1 }).map { $0 * $1 }
    let total = compensatedSum(share)
    var degrees = total - correction
    if let weights {
      degrees = total - correction * compensatedSum(zip(share, weights).map { $0 * $1 }) / total
    }
    let means = rows.map { compensatedSum(zip($0, share).map { $0 * $1 }) / total }
    let distances = zip(rows, means).map { row, mean in row.map { $0 - mean } }
    return distances.flatMap { a in
      distances.map { b in
        compensatedSum(share.indices.map { share[$0] * a[$0] * b[$0] }) / max(degrees, 0)
      }
    }
  }

  @Test(arguments: DType.realTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 17], [5, 600], [1, 9], [40]] {
      let (rows, n) = (shape.count == 2 ? shape[0] : 1, shape[shape.count - 1])
      let ones = [Double](repeating: 1, count: n)
      for arrangement in [Arrangement.contiguous, .reversed, .stepped, .offset, .pending] {
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: 30)
        let split = (0..<rows).map { Array(sample.values[$0 * n..<($0 + 1) * n]) }
        let often = (0..<n).map { _ in Double(random.next() % 4) }
        let much = (0..<n).map { _ in Double(random.next() % 1000) / 256 }
        for correction in [0, 1, 1.5] {
          for (frequencies, weights) in [
            (nil, nil), (often, nil), (nil, much), (often, much),
          ] as [([Double]?, [Double]?)] {
            let result = sample.tensor.covariance(
              correction: correction, frequencies: frequencies.map { Tensor($0).cast(to: .int64) },
              weights: weights.map { Tensor($0) })
            let expected = Self.slow(split, correction, frequencies ?? ones, weights)
            #expect(result.dtype == dtype && result.shape == (rows > 1 ? [rows, rows] : []))
            let worst = zip(result.array(of: Double.self), expected).reduce(0) {
              max($0, ulps($1.0, $1.1, slack: 1e-13, dtype))
            }
            #expect(worst <= 0.51, "\(shape) \(arrangement)")
          }
        }
        let plain = Self.slow(split, 1, ones, nil)
        for (index, r) in sample.tensor.correlation().array(of: Double.self).enumerated() {
          let (i, j) = (index / rows, index % rows)
          let scale = (plain[i * rows + i] * plain[j * rows + j]).squareRoot()
          #expect(ulps(r, plain[index] / scale, slack: 1e-14, dtype) <= 0.51)
          #expect(i != j || r == 1)
        }
      }
    }
  }

  @Test func farFromZero() {
    let x = Tensor([1, 2, 4, 1, -1, 0, 1, 2], shape: [2, 4], dtype: .float64)
    #expect(isSame((x + 1e7).covariance(), x.covariance()))
    let far = (x + 1e7).cast(to: .float32)
    #expect(isSame(far.covariance(), x.cast(to: .float32).covariance()))
    #expect(isSame(far.correlation(), x.cast(to: .float32).correlation()))
  }

  /// PyTorch's numbers.
  @Test func known() {
    let x = Tensor([[0, 2], [1, 1], [2, 0]] as [[Float]]).transposed()
    #expect(x.covariance().array() == [1, -1, -1, 1])
    #expect(x.correlation().array() == [1, -1, -1, 1])
    #expect(Tensor([1, 2, 4] as [Float]).correlation().item() == 1)
    #expect(Tensor([3, 3, 3] as [Float]).correlation().item().isNaN)
    let constant = Tensor([[1, 2, 3], [5, 5, 5]] as [[Float]]).correlation().array(of: Float.self)
    #expect(constant[0] == 1 && constant[1...].allSatisfy { $0.isNaN })
    #expect(Tensor(Float(2)).covariance().item().isNaN)
    #expect(Tensor(Float(2)).covariance(correction: 0).item() == 0)
    #expect(Tensor([1, 3] as [Float]).covariance(correction: 3).item() == .infinity)
    #expect(Tensor.zeros(2, 0).covariance().array(of: Float.self).allSatisfy { $0.isNaN })
    #expect(Tensor.zeros(0, 4).covariance().shape == [0, 0])
    #expect(Tensor.zeros(0, 4).correlation().shape == [0, 0])
  }

  @Test func mistakes() {
    let x = Tensor.ones(2, 3)
    let mistakes: [(() -> Tensor, String)] = [
      (
        { Tensor.ones(2, 3, 4).covariance() },
        "covariance(correction:): shape [2, 3, 4] has 3 axes; rows of observations have two"
      ),
      (
        { x.covariance(frequencies: Tensor([1.0, 2, 3])) },
        "covariance(correction:): frequencies must be integers with one axis, got float64 [3]"
      ),
      (
        { x.covariance(weights: Tensor([1, 2, 3])) },
        "covariance(correction:): weights must be real numbers with one axis, got int64 [3]"
      ),
      (
        { x.covariance(weights: Tensor([1.0, 2])) },
        "covariance(correction:): 2 weights for 3 observations"
      ),
      (
        { x.covariance(frequencies: Tensor([1, -2, 3])) },
        "covariance(correction:): frequencies must not be negative or NaN"
      ),
      (
        { x.covariance(weights: Tensor([1, .nan, 3] as [Float])) },
        "covariance(correction:): weights must not be negative or NaN"
      ),
      (
        { Tensor([1, 2]).correlation() },
        "correlation(): int64 has no mean of its own type; cast(to: .float32) first"
      ),
    ]
    for (body, text) in mistakes { #expect(MessageTests.message(body) == text) }
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(15, dtype: .float64) * 2.7).sin().reshaped(3, 5)
    let weights = Tensor([0.5, 1, 2, 0.25, 3])
    let frequencies = Tensor([1, 0, 3, 2, 1])
    try checkGradient(of: { $0[0].covariance() }, at: [x], order: 2)
    try checkGradient(of: { $0[0].covariance(correction: 0, frequencies: frequencies) }, at: [x])
    try checkGradient(
      of: { $0[0].covariance(frequencies: frequencies, weights: $0[1]) }, at: [x, weights],
      order: 2)
    try checkGradient(of: { $0[0].correlation() }, at: [x], order: 2)
    try checkGradient(of: { $0[0].covariance() }, at: [x[0]])
  }
}
