import Foundation
import NormaReference
import NormaTensor
import Testing

/// Tensors made from a few numbers, against their definitions and PyTorch's numbers.
@Suite struct CreationTests {
  @Test func ranges() {
    for type in DType.allCases where type != .bool {
      #expect(Tensor.arange(2, 11, 3, dtype: type).array(of: Int.self) == [2, 5, 8], "\(type)")
      #expect(Tensor.arange(0, dtype: type).shape == [0])
    }
    #expect(Tensor.arange(5, -3, -4).array(of: Int.self) == [5, 1])
    #expect(Tensor.arange(0.5, 2.0, 0.5).array(of: Float.self) == [0.5, 1, 1.5])
    #expect(Tensor.arange(0.9, 5.9, 2.0, dtype: .int32).array(of: Int.self) == [0, 2, 4])
    // Long enough for several threads, and exact far from zero.
    let far = Tensor.arange(1 << 40, 1 << 40 + 100_000, 1)
    #expect(far.shape == [100_000] && far[-1].item(as: Int.self) == 1 << 40 + 99_999)
    let tenths = Tensor.arange(0, 20_000, 0.1, dtype: .float32).array(of: Float.self)
    #expect(tenths.indices.allSatisfy { tenths[$0] == Float(Double($0) * 0.1) })
  }

  @Test func equalDistances() throws {
    for (start, end, count) in [(-2.5, 3.0, 1), (-2, 3, 2), (0, -3, 50), (1e7, 1e7 + 1, 33333)] {
      let truth = (0..<count).map { i in
        let step = (end - start) / Double(max(count - 1, 1))
        return i < count / 2 || count == 1
          ? start + Double(i) * step : end - Double(count - 1 - i) * step
      }
      for type in DType.realTypes where type != .float16 || end < 65504 {
        let x = Tensor.linspace(start, end, count: count, dtype: type)
        #expect(
          x.array(of: Double.self)
            == truth.map {
              type == .float16 || type == .bfloat16
                ? type.rounded(Double(Float($0))) : type.rounded($0)
            })
        #expect(x.dtype == type)
      }
    }
    #expect(Tensor.linspace(0, 10, count: 4, dtype: .int64).array(of: Int.self) == [0, 3, 6, 10])
    #expect(
      Tensor.linspace(Tensor(1), Tensor(2.0), count: 3).array(of: Double.self) == [1, 1.5, 2])
    #expect(
      Tensor.logspace(0, 3, count: 4, dtype: .int64).array(of: Int.self) == [1, 10, 100, 1000])
    let powers = Tensor.logspace(Tensor(-1.0), Tensor(1), count: 9, base: 2, dtype: .float64)
    let exponents: [Double] = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1]
    #expect(powers.array(of: Double.self) == exponents.map { pow(2, $0) })
    #expect(Tensor.logspace(0, 1, count: 0).shape == [0])
  }

  @Test func likeAnother() {
    let x = Tensor.rand(3, 2, dtype: .float64).transposed()
    #expect(isSame(.zeros(like: x), .zeros(2, 3, dtype: .float64)))
    #expect(isSame(.ones(like: x, dtype: .int32), .ones(2, 3, dtype: .int32)))
    #expect(isSame(.full(like: x, 7), .full([2, 3], 7, dtype: .float64)))
    manualSeed(3)
    let drawn = Tensor.rand(2, 3, dtype: .float64)
    manualSeed(3)
    #expect(isSame(.rand(like: x), drawn))
    #expect(Tensor.randn(like: x, dtype: .float32).dtype == .float32)
    #expect(Tensor.randint(like: x, 2, 3).array(of: Int.self) == [2, 2, 2, 2, 2, 2])
  }

  @Test func trianglesOfEveryType() {
    var random = TestRandom()
    for type in DType.allCases {
      for arrangement in [Arrangement.contiguous, .reversed, .stepped, .repeated, .pending] {
        for shape in [[4, 3], [2, 3, 5], [3, 0], [0, 3], [1, 1]] {
          let x = Sample(shape, type, arrangement, random: &random)
          for diagonal in [0, 1, -2, 9, -9, .max, .min] {
            var (low, high) = (x.values, x.values)
            for index in low.indices {
              let (row, column) = (
                index / shape[shape.count - 1] % shape[shape.count - 2],
                index % shape[shape.count - 1]
              )
              let reach = row + min(max(diagonal, -99), 99)
              if column > reach { low[index] = 0 }
              if column < reach { high[index] = 0 }
            }
            #expect(x.tensor.tril(diagonal).array(of: Double.self) == low)
            #expect(x.tensor.triu(diagonal).array(of: Double.self) == high)
          }
        }
      }
    }
    #expect(Tensor.eye(2, 3, dtype: .bool).array(of: Int.self) == [1, 0, 0, 0, 1, 0])
    #expect(Tensor.eye(3).array(of: Int.self) == [1, 0, 0, 0, 1, 0, 0, 0, 1])
    #expect(Tensor.eye(0).shape == [0, 0])
    #expect(Tensor.trilIndices(3, 3, offset: -1).array(of: Int.self) == [1, 2, 2, 0, 0, 1])
    #expect(
      Tensor.triuIndices(2, 3, dtype: .int32).array(of: Int.self) == [0, 0, 0, 1, 1, 0, 1, 2, 1, 2])
    #expect(Tensor.triuIndices(0, 3).shape == [2, 0])
  }

  @Test func grids() {
    let (x, y) = (Tensor.arange(3), Tensor.arange(2) + 10)
    let rows = Tensor.meshgrid([x, y, Tensor(7)])
    #expect(rows.map(\.shape) == [[3, 2, 1], [3, 2, 1], [3, 2, 1]])
    #expect(rows[0].array(of: Int.self) == [0, 0, 1, 1, 2, 2])
    #expect(rows[1].array(of: Int.self) == [10, 11, 10, 11, 10, 11])
    let columns = Tensor.meshgrid([x, y], indexing: .xy)
    #expect(columns[0].array(of: Int.self) == [0, 1, 2, 0, 1, 2])
    #expect(columns[1].array(of: Int.self) == [10, 10, 10, 11, 11, 11])
  }
}
