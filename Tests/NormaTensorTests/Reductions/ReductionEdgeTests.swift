import NormaReference
import NormaTensor
import Testing

/// Empty tensors, one value, NaN, infinity, constants, and numbers at the ends of the range.
@Suite struct ReductionEdgeTests {
  /// A single number for a whole tile.
  @Test(arguments: DType.realTypes)
  func repeatedNumber(dtype: DType) {
    let x = Tensor([1.25], dtype: dtype).evaluated().broadcast(to: [33])
    #expect(x.sum().item() == 41.25 && x.max().item() == 1.25)
    #expect(x.cast(to: .float32).array(of: Float.self) == [Float](repeating: 1.25, count: 33))
    #expect(x.cast(to: .float64).array(of: Double.self) == [Double](repeating: 1.25, count: 33))
  }

  @Test(arguments: DType.realTypes)
  func emptyTensors(dtype: DType) throws {
    let x = Tensor.zeros([2, 0, 3], dtype: dtype)
    #expect(x.sum(over: 1).array(of: Double.self) == [0, 0, 0, 0, 0, 0])
    #expect(x.mean(over: 1).array(of: Double.self).allSatisfy { $0.isNaN })
    #expect(x.variance(over: 1).array(of: Double.self).allSatisfy { $0.isNaN })
    #expect(x.std(over: 1, 2).shape == [2])
    #expect(x.sum().item() == 0)
    #expect(x.mean().item().isNaN)
    #expect(x.max(over: 0).shape == [0, 3])
    #expect(x.min(over: 2, keepDims: true).shape == [2, 0, 1])
    #expect(throws: TensorError.self) { try catchingTensorErrors { x.max(over: 1) } }
    #expect(throws: TensorError.self) { try catchingTensorErrors { x.min() } }
  }

  @Test(arguments: DType.realTypes)
  func oneValue(dtype: DType) {
    let x = Tensor([3.0, -4.0], dtype: dtype).reshaped(2, 1)
    #expect(x.mean(over: 1).array(of: Double.self) == [3, -4])
    #expect(x.variance(over: 1).array(of: Double.self).allSatisfy { $0.isNaN })
    #expect(x.std(over: 1, correction: 0).array(of: Double.self) == [0, 0])
    #expect(x.variance(over: 1, correction: 2).array(of: Double.self).allSatisfy { $0.isNaN })
    let one = Tensor(7.0, dtype: dtype)
    #expect(one.sum().item() == 7 && one.sum(over: 0).item() == 7 && one.max(over: -1).item() == 7)
    #expect(one.std().item().isNaN)
  }

  /// A correction at or above n leaves no degrees of freedom: infinite, as in PyTorch.
  @Test func corrections() {
    let x = Tensor([1.0, 2, 4, 9], dtype: .float32)
    #expect(x.variance(correction: 4).item() == .infinity)
    #expect(x.variance(correction: 5).item() == .infinity)
    #expect(x.variance(correction: 0.5).item(as: Float.self) == Float(38.0 / 3.5))
    #expect(x.variance(correction: -1).item(as: Float.self) == Float(38.0 / 5))
  }

  @Test(arguments: DType.realTypes, [5, 40, 2000])
  func nanStaysWhereItIs(dtype: DType, length: Int) {
    for index in [0, length / 2, length - 1] {
      var values = [Double](repeating: 1, count: 2 * length)
      values[length + index] = .nan
      let rows = Tensor(values, shape: [2, length], dtype: dtype)
      for x in [rows, rows.transposed().copiedTransposed()] {
        for statistic in Statistic.allCases {
          let result = statistic.of(x, [1], keepDims: false).array(of: Double.self)
          #expect(!result[0].isNaN && result[1].isNaN, "\(statistic) at \(index)")
          #expect(statistic.of(x, [0, 1], keepDims: false).item().isNaN, "\(statistic)")
        }
      }
    }
  }

  @Test(arguments: DType.realTypes)
  func infinities(dtype: DType) {
    let x = Tensor(
      [1.0, .infinity, 2, -.infinity, 0, 1, 2, .infinity], shape: [2, 4], dtype: dtype)
    #expect(x.max(over: 1).array(of: Double.self) == [.infinity, .infinity])
    #expect(x.min(over: 1).array(of: Double.self) == [-.infinity, 0])
    let sums = x.sum(over: 1).array(of: Double.self)
    #expect(sums[0].isNaN && sums[1] == .infinity)
    #expect(x.mean(over: 1).array(of: Double.self)[1] == .infinity)
    #expect(x.variance(over: 1).array(of: Double.self).allSatisfy { $0.isNaN })
    // By columns.
    let y = Tensor.full([40, 20], 1.0, dtype: dtype)
    let z = Tensor.where(Tensor.arange(20) .== 3, Double.infinity, y)
    let means = z.mean(over: 0).array(of: Double.self)
    #expect(means[3] == .infinity && means[2] == 1 && means[19] == 1)
    #expect(z.variance(over: 0).array(of: Double.self)[3].isNaN)
    #expect(z.variance(over: 0).array(of: Double.self)[4] == 0)
  }

  @Test(arguments: DType.realTypes)
  func aConstantHasNoVariance(dtype: DType) {
    for value in [0, 0.1, 1e4, -3] {
      let x = Tensor.full([7, 300, 5], value, dtype: dtype)
      let exact = Tensor(value, dtype: dtype).item()
      for axes in [[0], [1], [2], [0, 2], [0, 1, 2]] {
        #expect(x.variance(over: axes).array(of: Double.self).allSatisfy { $0 == 0 }, "\(axes)")
        #expect(x.mean(over: axes).array(of: Double.self).allSatisfy { $0 == exact }, "\(axes)")
      }
    }
  }

  /// Squares that exceed the range of `float`.
  @Test func endsOfTheRange() {
    var random = TestRandom()
    for scale in [1e-30, 1e-22, 1e18, 1e25, 1e35] {
      for shape in [[1000], [50, 20]] {
        let values = random.doubles(1000, mean: 0, std: scale).map { Double(Float($0)) }
        let x = Tensor(values, shape: shape, dtype: .float32).cast(to: .float64)
        let y = Tensor(values, shape: shape, dtype: .float32)
        for axes in [[0], Array(shape.indices)] {
          let exact = x.std(over: axes).array(of: Double.self)
          let found = y.std(over: axes).array(of: Double.self)
          for (a, b) in zip(found, exact) { #expect(ulps(a, b, .float32) <= 6, "\(scale)") }
        }
      }
    }
    let half = Tensor.full([100], 60000.0, dtype: .float16)
    #expect(half.sum().item() == .infinity)
    #expect(half.mean().item() == 60000)
    let bytes = Tensor.full([20_000_000], 255, dtype: .uint8)
    #expect(bytes.sum().item(as: Int.self) == 5_100_000_000)
    let words = Tensor.full([3], Int64.max)
    #expect(words.sum().item(as: Int64.self) == Int64.max &* 3)
  }

  @Test func momentsAreMeanAndSquaresInDouble() {
    var random = TestRandom()
    let x = Sample([4, 50, 6], .float32, random: &random, mean: 1e4, std: 1)
    let moments = x.tensor.moments(over: 1)
    #expect(moments.count.allSatisfy { $0 == 50 } && moments.shape == [4, 6])
    for (k, group) in groups(x.values, [4, 50, 6], over: [1]).enumerated() {
      let exact = ReferenceMoments(group)
      #expect(abs(moments.mean[k] - exact.mean) <= 1e-11)
      #expect(abs(moments.m2[k] - exact.m2) <= 1e-5 * exact.m2)
    }
    let parts = x.tensor[..., 0..<20, 0..<6].moments(over: 1)
    let rest = x.tensor[..., 20..<50, 0..<6].moments(over: 1)
    let whole = parts.merged(with: rest)
    #expect(whole?.count == moments.count)
    for k in moments.mean.indices {
      #expect(abs((whole?.mean[k] ?? .nan) - moments.mean[k]) < 1e-11)
      #expect(abs((whole?.m2[k] ?? .nan) - moments.m2[k]) <= 1e-5 * moments.m2[k])
    }
    #expect(parts.merged(with: x.tensor.moments()) == nil)
  }
}

extension Tensor {
  /// The same elements in the other memory order.
  fileprivate func copiedTransposed() -> Tensor {
    Tensor(array(of: Double.self), shape: shape, dtype: dtype).transposed()
  }
}
