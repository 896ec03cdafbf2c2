import NormaReference
import NormaTensor
import Testing

/// Norms of matrices and distances between vectors, against loops in `Double`.
@Suite(.serialized) struct MatrixNormTests {
  @Test(arguments: Arrangement.allCases) func matrixNorm(_ arrangement: Arrangement) {
    var random = TestRandom(seed: 11)
    for type in DType.realTypes {
      let sample = Sample([3, 5, 4], type, arrangement, random: &random)
      let x = sample.values
      func sums(_ batch: Int, columns: Bool) -> [Double] {
        (0..<(columns ? 4 : 5)).map { k in
          (0..<(columns ? 5 : 4)).reduce(0) {
            $0 + abs(x[batch * 20 + (columns ? $1 * 4 + k : k * 4 + $1)])
          }
        }
      }
      let expected: [(MatrixNormOrder, (Int) -> Double)] = [
        (.frobenius, { b in x[b * 20..<b * 20 + 20].reduce(0) { $0 + $1 * $1 }.squareRoot() }),
        (1, { sums($0, columns: true).max() ?? 0 }), (-1, { sums($0, columns: true).min() ?? 0 }),
        (.infinity, { sums($0, columns: false).max() ?? 0 }),
        (.number(-.infinity), { sums($0, columns: false).min() ?? 0 }),
      ]
      for (order, value) in expected {
        let wanted = (0..<3).map { type.rounded(value($0)) }
        let result = sample.tensor.matrixNorm(order)
        let worst = zip(result.array(of: Double.self), wanted).reduce(0) {
          max($0, abs($1.0 - $1.1) / type.ulp($1.1))
        }
        #expect(worst <= 1 && result.shape == [3], "\(order) \(type)")
        #expect(isSame(result, sample.tensor.permuted(2, 0, 1).matrixNorm(order, over: (2, 0))))
        #expect(sample.tensor.matrixNorm(order, keepDims: true).shape == [3, 1, 1])
      }
    }
  }

  @Test func gradientsAndEdges() throws {
    let x = withSeed(3) { Tensor.rand(2, 3, 4, dtype: .float64) - 0.4 }
    for order in [MatrixNormOrder.frobenius, 1, -1, .infinity, .number(-.infinity)] {
      try checkGradient(of: { $0[0].matrixNorm(order, over: (-1, 0), keepDims: true) }, at: [x])
    }
    #expect(Tensor.zeros(5, 0).matrixNorm(.infinity).item() == 0)
    #expect(Tensor.zeros(5, 0).matrixNorm().item() == 0)
    let refused: [MatrixNormOrder] = [.nuclear, 2, -2, 3, 0.5]
    for order in refused {
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { _ = x.matrixNorm(order) }
      }
      if [.nuclear, 2, -2].contains(order) {
        #expect(error?.reason.contains("not supported yet") == true)
      }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = Tensor.zeros(5, 0).matrixNorm(1) }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = x.matrixNorm(over: (1, -2)) }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = Tensor([1.0]).matrixNorm() }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = Tensor([[1]]).matrixNorm() }
    }
    // The slope of a norm that is 0 is 0, for negative p too.
    let zero = Tensor.gradient(of: { $0.norm(-1, over: 0) }, at: Tensor([0.0, 3, -1]))
    #expect(zero.array(of: Double.self) == [0, 0, 0])
  }

  @Test(arguments: [0, 0.5, 1, 1.5, 2, 3, Double.infinity]) func cdist(_ p: Double) throws {
    var random = TestRandom(seed: 17)
    for arrangement in Arrangement.allCases {
      let a = Sample([2, 5, 7], .float32, arrangement, random: &random)
      let b = Sample([2, 4, 7], .float32, arrangement, random: &random)
      var expected: [Double] = []
      for batch in 0..<2 {
        for i in 0..<5 {
          for j in 0..<4 {
            let gaps = (0..<7).map { k in
              Double(
                abs(
                  Float(a.values[(batch * 5 + i) * 7 + k])
                    - Float(b.values[(batch * 4 + j) * 7 + k])))
            }
            switch p {
            case 0: expected.append(Double(gaps.count { $0 != 0 }))
            case .infinity: expected.append(gaps.max() ?? 0)
            default: expected.append(power(gaps.reduce(0) { $0 + power($1, p) }, 1 / p))
            }
          }
        }
      }
      let result = a.tensor.cdist(b.tensor, p: p)
      #expect(result.shape == [2, 5, 4])
      #expect(worstScaled(result, expected) <= 2e-7, "\(arrangement)")
    }
    let inputs = withSeed(1) {
      [Tensor.rand(3, 4, dtype: .float64), Tensor.rand(2, 4, dtype: .float64) + 1.1]
    }
    if p != 0 { try checkGradient(of: { $0[0].cdist($0[1], p: p) }, at: inputs) }
    #expect(inputs[0].cdist(inputs[0], p: p)[1, 1].item() == 0)
    let slope = Tensor.gradient(of: { $0.cdist($0, p: p) }, at: inputs[0][0..<1])
    #expect(slope.array(of: Double.self) == [0, 0, 0, 0])
    #expect(Tensor.ones(0, 3).cdist(Tensor.ones(2, 3), p: p).shape == [0, 2])
    #expect(Tensor.ones(2, 0).cdist(Tensor.ones(3, 0), p: p).sum().item() == 0)
  }

  private func power(_ x: Double, _ p: Double) -> Double {
    Tensor(x).item() == 0
      ? 0
      : p == 1 ? x : p == 2 ? x * x : p == 0.5 ? x.squareRoot() : (Tensor(x).log() * p).exp().item()
  }

  @Test func cdistMistakes() {
    for (a, b, p) in [
      ([2, 3], [2, 4], 2.0), ([3], [2, 3], 2), ([2, 3], [2, 3], -1), ([2, 2, 3], [3, 2, 3], 2),
    ] {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { _ = Tensor.ones(a).cdist(Tensor.ones(b), p: p) }
      }
    }
  }
}
