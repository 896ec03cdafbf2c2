import NormaReference
import NormaTensor
import Testing

/// `float32` numbers with the same index, in shapes that are processed part by part, against sums
/// of doubles in order.
@Suite(.seeded) struct ScatterFloatsTests {
  private static let reductions: [ScatterReduction] = [.sum, .product, .min, .max]

  private func meet(_ reduction: ScatterReduction, _ a: Double, _ b: Double) -> Double {
    switch reduction {
    case .sum, .mean: a + b
    case .product: a * b
    case .min: b.isNaN || b < a ? b : a
    case .max: b.isNaN || b > a ? b : a
    }
  }

  @Test(arguments: [[9, 40], [12, 5, 3], [40, 30], [10, 33, 7]]) func inBlocks(shape: [Int]) {
    var random = TestRandom()
    let x = Tensor.randn(shape)
    var given = shape
    given[1] = 70
    var y = Tensor.randn(given)
    let rest = shape.dropFirst(2).reduce(1, *)
    let places = (0..<(shape[0] * 70 * rest)).map { _ in
      Int(random.next() % UInt64(shape[1]))
    }
    let indices = Tensor(places).reshaped(given)
    for hasNaN in [false, true] {
      if hasNaN { y = Tensor.where(y .> 2.2, Tensor(Float.nan), y) }
      for reduction in Self.reductions {
        var expected = x.array(of: Double.self)
        for (number, value) in y.array(of: Double.self).enumerated() {
          let (row, i) = number.quotientAndRemainder(dividingBy: rest)
          let index = (row / 70 * shape[1] + places[number]) * rest + i
          expected[index] = meet(reduction, expected[index], value)
        }
        let one = withThreads(1) { x.scattered(indices, y, over: 1, reducing: reduction) }
        let more = withThreads(3) { x.scattered(indices, y, over: 1, reducing: reduction) }
        let bits = one.array(of: Float.self).map(\.bitPattern)
        #expect(bits == more.array(of: Float.self).map(\.bitPattern))
        #expect(
          zip(one.array(of: Float.self), expected).allSatisfy {
            $0 == Float($1) || $0.isNaN && $1.isNaN
          }, "\(reduction) \(shape), seed \(random)")
      }
    }
  }

  @Test(arguments: [[20, 16], [9, 1100], [3, 12, 17], [30, 64]]) func inRows(shape: [Int]) {
    var random = TestRandom()
    let axis = shape.count - 2
    let size = shape[axis], inner = shape[axis + 1], outer = shape.dropLast(2).reduce(1, *)
    var given = shape
    given[axis] = 50
    // Some rows get no elements.
    let places = (0..<50).map { _ in Int(random.next() % UInt64(size - 2)) }
    let indices = Tensor(places)
    let (x, y) = (Tensor.randn(shape), Tensor.randn(given))
    let t = x.transposed()
    let turned = t.flattened().reshaped(t.shape).transposed()
    var expected = x.array(of: Double.self)
    let values = y.array(of: Double.self)
    for o in 0..<outer {
      for k in 0..<50 {
        for i in 0..<inner {
          expected[(o * size + places[k]) * inner + i] += values[(o * 50 + k) * inner + i]
        }
      }
    }
    for source in [x, turned] {
      for threads in [1, 3] {
        let sum = withThreads(threads) { source.indexAdded(indices, y, over: axis) }
        #expect(sum.array(of: Float.self) == expected.map { Float($0) }, "\(shape), seed \(random)")
      }
    }
  }

  @Test func indicesOutOfRange() {
    let x = Tensor.zeros([10, 20])
    for index in [20, -1, Int.min, Int.max] {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors {
          let indices = Tensor.where(
            Tensor.arange(200).reshaped(10, 20) .== 77, Tensor(index), Tensor(3))
          return x.scatteredAdding(indices, x, over: 1)
        }
      }
    }
    for index in [10, -1, Int.min, Int.max] {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors {
          x.indexAdded(Tensor([1, 1, index]), Tensor.zeros([3, 20]), over: 0)
        }
      }
    }
  }

  @Test func gatherOutside() {
    let x = Tensor.randn([10, 100])
    for index in [100, -1, Int.min, Int.max] {
      for number in [0, 7, 55, 999] {
        let error = #expect(throws: TensorError.self) {
          try catchingTensorErrors {
            let indices = Tensor.where(
              Tensor.arange(1000).reshaped(10, 100) .== number, Tensor(index), Tensor(99))
            return x.gathered(indices, over: 1)
          }
        }
        #expect("\(String(describing: error))".contains("\(index)"))
      }
    }
  }

  @Test func positionsOfTrueElements() {
    for shape in [[70, 3], [4, 5, 6], [2, 1, 300], [1, 1]] {
      var random = TestRandom()
      for share in [1, 2, 7, 40] {
        let values = (0..<shape.reduce(1, *)).map { _ in random.next() % UInt64(share) == 0 }
        let found = Tensor(values).reshaped(shape).nonzero().array(of: Int.self)
        var expected: [Int] = []
        for (number, value) in values.enumerated() where value {
          var (rest, index) = (number, [Int]())
          for size in shape.reversed() {
            index.insert(rest % size, at: 0)
            rest /= size
          }
          expected += index
        }
        #expect(found == expected, "\(shape) \(share), seed \(random)")
      }
    }
  }
}
