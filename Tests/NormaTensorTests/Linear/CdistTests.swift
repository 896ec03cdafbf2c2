import CNormaLoops
import NormaReference
import NormaTensor
import Testing

/// Distances of all vectors against the definition, whose sums in Double are the loops' own: equal
/// to the last bit. `MatrixNormTests` has other p.
@Suite struct CdistTests {
  static let norms: [Double] = [0, 1, 2, .infinity]

  /// Row by row, summed from the first component on, and rounded to the type.
  private func expected(
    _ a: Sample, _ b: Sample, p: Double, batches: (count: Int, aStep: Int, bStep: Int) = (1, 1, 1)
  ) -> [Double] {
    let (aShape, bShape) = (a.tensor.shape, b.tensor.shape)
    let (rows, depth) = (aShape[aShape.count - 2], aShape[aShape.count - 1])
    let columns = bShape[bShape.count - 2]
    var results: [Double] = []
    for batch in 0..<batches.count {
      for i in 0..<rows {
        for j in 0..<columns {
          var sum = 0.0
          for k in 0..<depth {
            let gap =
              a.values[(batch * batches.aStep * rows + i) * depth + k]
              - b.values[(batch * batches.bStep * columns + j) * depth + k]
            switch p {
            case 0: sum += gap == 0 ? 0 : 1
            case 1: sum += abs(gap)
            case 2: sum += gap * gap
            default: sum = max(sum, abs(gap))
            }
          }
          results.append(a.tensor.dtype.rounded(p == 2 ? sum.squareRoot() : sum))
        }
      }
    }
    return results
  }

  @Test(arguments: norms) func sizesAroundTilesAndBlocks(_ p: Double) {
    var random = TestRandom(seed: 31)
    for (rows, columns, depth) in [
      (1, 1, 1), (3, 7, 2), (4, 8, 3), (5, 9, 4), (8, 17, 127), (2, 3, 129), (129, 5, 3),
      (3, 130, 2), (128, 128, 1), (1, 9, 300), (0, 3, 2), (3, 0, 2), (2, 3, 0),
    ] {
      let a = Sample([rows, depth], .float32, random: &random)
      let b = Sample([columns, depth], .float32, random: &random)
      let result = a.tensor.cdist(b.tensor, p: p)
      #expect(result.shape == [rows, columns])
      #expect(result.array(of: Double.self) == expected(a, b, p: p), "\(rows) \(columns) \(depth)")
    }
  }

  @Test(arguments: DType.realTypes) func typesAndLayouts(_ dtype: DType) {
    var random = TestRandom(seed: 32)
    for arrangement in Arrangement.allCases {
      let a = Sample([2, 5, 11], dtype, arrangement, random: &random)
      let b = Sample([2, 9, 11], dtype, arrangement, random: &random)
      for p in Self.norms {
        let result = a.tensor.cdist(b.tensor, p: p)
        #expect(result.dtype == dtype)
        #expect(
          result.array(of: Double.self) == expected(a, b, p: p, batches: (2, 1, 1)),
          "\(arrangement), p \(p)")
      }
    }
  }

  @Test func batchesBroadcast() throws {
    var random = TestRandom(seed: 33)
    let a = Sample([3, 4, 5], .float32, random: &random)
    let b = Sample([6, 5], .float32, random: &random)
    #expect(
      a.tensor.cdist(b.tensor).array(of: Double.self)
        == expected(a, b, p: 2, batches: (3, 1, 0)))
    let apart = a.tensor.unsqueezed(1).cdist(b.tensor.unsqueezed(0))
    #expect(apart.shape == [3, 1, 4, 6])
    #expect(apart.isEqual(to: a.tensor.cdist(b.tensor).unsqueezed(1)))
    let upstream = withSeed(2) { Tensor.rand(3, 4, 6, dtype: .float64) }
    for p in [1, 2, .infinity] {
      let inputs = withSeed(3) {
        [Tensor.rand(3, 4, 5, dtype: .float64), Tensor.rand(6, 5, dtype: .float64) + 2]
      }
      try checkGradient(of: { $0[0].cdist($0[1], p: p) * upstream }, at: inputs)
    }
  }

  @Test func levelsAndThreadsGiveTheSameBits() {
    let (a, b) = withSeed(4) { (Tensor.randn(300, 150), Tensor.randn(270, 150)) }
    let level = norma_loops_level()
    defer { norma_loops_select(level) }
    for p in Self.norms {
      norma_loops_select(0)
      let first = withThreads(1) { a.cdist(b, p: p).evaluated() }
      for other in 0...norma_loops_best_level() {
        norma_loops_select(other)
        for threads in [1, 2, 3] {
          #expect(withThreads(threads) { a.cdist(b, p: p) }.isEqual(to: first), "p \(p)")
        }
      }
    }
  }

  @Test func neighboursAndExtremes() {
    // Far from zero and close to each other: |a|² + |b|² - 2ab would lose all of it.
    let near = Tensor([[10_000.0, 10_000], [10_000.001, 10_000]]).cast(to: .float32)
    let gap = Double(Float(10_000.001)) - 10_000
    #expect(near.cdist(near)[0, 1].item() == Double(Float(gap)))
    // Squares beyond the range of float32.
    let far = Tensor([[3e30, 4e30]]).cast(to: .float32)
    #expect(abs(far.cdist(Tensor.zeros(1, 2)).item() / 5e30 - 1) < 1e-7)
    let small = Tensor([[3e-30, 4e-30]]).cast(to: .float32)
    #expect(abs(small.cdist(Tensor.zeros(1, 2)).item() / 5e-30 - 1) < 1e-7)
    for p in [1, 2, Double.infinity] {
      let holes = Tensor([[1, .nan], [.infinity, 2]]).cast(to: .float32).cdist(
        Tensor([[0, 0], [5, 1]]).cast(to: .float32), p: p)
      #expect(holes[0].isNaN().all().item() == 1)
      #expect((holes[1] .== Double.infinity).all().item() == 1)
    }
  }

  @Test(arguments: [1.0, 2, .infinity]) func gradientsAgainstPendingDifferences(_ p: Double) {
    for (rows, columns, depth) in [(1, 1, 1), (5, 9, 3), (66, 130, 11), (3, 5, 130), (2, 0, 3)] {
      for dtype in DType.realTypes {
        let (a, b, upstream) = withSeed(6) {
          (
            Tensor.randn(2, rows, depth).cast(to: dtype),
            Tensor.randn(columns, depth).cast(to: dtype), Tensor.randn(2, rows, columns)
          )
        }
        // The definition, whose gradient follows from its operations.
        func slow(_ a: Tensor, _ b: Tensor) -> Tensor {
          let difference =
            a.cast(to: .float64).unsqueezed(-2) - b.cast(to: .float64).unsqueezed(-3)
          return difference.norm(p, over: -1)
        }
        let bound = dtype == .float64 ? 1e-12 : dtype == .float32 ? 2e-6 : 3e-2
        for (fast, exact) in [
          (
            Tensor.gradient(of: { ($0.cdist(b, p: p) * upstream.cast(to: dtype)).sum() }, at: a),
            Tensor.gradient(
              of: { (slow($0, b) * upstream.cast(to: dtype).cast(to: .float64)).sum() }, at: a)
          ),
          (
            Tensor.gradient(of: { (a.cdist($0, p: p) * upstream.cast(to: dtype)).sum() }, at: b),
            Tensor.gradient(
              of: { (slow(a, $0) * upstream.cast(to: dtype).cast(to: .float64)).sum() }, at: b)
          ),
        ] {
          #expect(fast.dtype == dtype && fast.shape == exact.shape)
          #expect(
            worstScaled(fast, exact.array(of: Double.self)) <= bound,
            "\(rows) \(columns) \(depth) \(dtype)")
        }
      }
    }
  }

  @Test func gradientOfTheLargestInFloat32() {
    // The largest difference is found again although the distance has been rounded.
    let (a, b) = withSeed(5) { (Tensor.randn(7, 6) * 1e3, Tensor.randn(5, 6)) }
    let slopes = Tensor.gradient(of: { $0.cdist(b, p: .infinity).sum() }, at: a)
    #expect(slopes.abs().sum().item() == 35)
  }
}
