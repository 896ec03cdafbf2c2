import NormaTensor
import Testing

/// Max unpooling: values put back, sizes, gradients and mistakes.
@Suite struct MaxUnpoolingTests {
  /// Elements that were not the largest of their window are 0.
  @Test(arguments: 1...3) func valuesGoBack(space: Int) {
    withSeed(space) {
      let sizes = Array([6, 4, 2].prefix(space))
      let x = Tensor.randn([2, 3] + sizes)
      let (pooled, back): ((values: Tensor, indices: Tensor), Tensor)
      switch space {
      case 1:
        pooled = maxPool1dWithIndices(x, kernelSize: 2)
        back = maxUnpool1d(pooled.values, indices: pooled.indices, kernelSize: 2)
      case 2:
        pooled = maxPool2dWithIndices(x, kernelSize: 2)
        back = maxUnpool2d(pooled.values, indices: pooled.indices, kernelSize: 2)
      default:
        pooled = maxPool3dWithIndices(x, kernelSize: 2)
        back = maxUnpool3d(pooled.values, indices: pooled.indices, kernelSize: 2)
      }
      #expect(back.shape == x.shape)
      #expect((back .!= 0).sum().item(as: Int.self) == pooled.values.count)
      #expect(back.isEqual(to: Tensor.where(back .!= 0, x, 0)))
      #expect(
        back.sum(over: Array(2..<back.rank)).allClose(
          to: pooled.values.sum(over: Array(2..<back.rank)))
      )
    }
  }

  /// If an index occurs several times, the last value is kept, and gets the gradient.
  @Test func overlappingWindows() {
    let x = Tensor([1, 3, 2, 0] as [Float]).reshaped(1, 1, 4)
    let (values, indices) = maxPool1dWithIndices(x, kernelSize: 3, stride: 1)
    let back = maxUnpool1d(values, indices: indices, kernelSize: 3, stride: 1)
    #expect(back.array() == [0, 3, 0, 0] as [Float])
    let upstream = Tensor([1, 2, 3, 4] as [Float]).reshaped(1, 1, 4)
    let slope = Tensor.gradient(
      of: { maxUnpool1d($0, indices: indices, kernelSize: 3, stride: 1) }, at: values,
      upstream: upstream)
    #expect(slope.array() == [0, 2] as [Float])
    let last = maxUnpool1d(
      Tensor([5, 7] as [Float]).reshaped(1, 2), indices: Tensor([0, 0] as [Int32]).reshaped(1, 2),
      kernelSize: 2)
    #expect(last.shape == [1, 4] && last.array() == [7, 0, 0, 0] as [Float])
  }

  @Test func outputSizes() {
    let x = Tensor.arange(25).cast(to: .float64).reshaped(1, 5, 5)
    let (values, indices) = maxPool2dWithIndices(x, kernelSize: 2)
    // Indices count within a plane of 5 by 5.
    let back = maxUnpool2d(values, indices: indices, kernelSize: 2, outputSize: [5, 5])
    #expect(back.shape == [1, 5, 5] && back.dtype == .float64)
    #expect(back[0, 1, 1].item() == 6 && back[0, 3, 3].item() == 18 && back.sum().item() == 48)
    let padded = maxUnpool2d(
      .ones(1, 1, 2, 2), indices: .zeros([1, 1, 2, 2], dtype: .int64), kernelSize: [3, 2],
      stride: 2, padding: [1, 0])
    #expect(padded.shape == [1, 1, 3, 4])
    #expect(
      maxUnpool2d(.ones(0, 2, 2, 2), indices: .zeros([0, 2, 2, 2], dtype: .int64), kernelSize: 2)
        .shape == [0, 2, 4, 4])
  }

  @Test func gradientsAgree() {
    withSeed(4) {
      let x = Tensor.randn([2, 2, 3, 3], dtype: .float64)
      let indices = Tensor.stacked(
        (0..<4).map { _ in Tensor.randperm(36)[0..<9].reshaped(3, 3) }
      ).reshaped(2, 2, 3, 3)
      let slopes = Tensor.gradient(
        of: { (maxUnpool2d($0, indices: indices, kernelSize: 2).squared() * 0.5).sum() }, at: x)
      #expect(slopes.isEqual(to: x))
    }
  }

  static let mistakes: [(String, @Sendable () -> Tensor)] = [
    (
      "indices range from 0 to 9",
      { maxUnpool1d(.ones(1, 2), indices: Tensor([[0, 9]] as [[Int64]]), kernelSize: 2) }
    ),
    (
      "indices range from -1",
      { maxUnpool1d(.ones(1, 2), indices: Tensor([[0, -1]] as [[Int64]]), kernelSize: 2) }
    ),
    (
      "indices of shape [1, 2]",
      { maxUnpool1d(.ones(1, 2), indices: .zeros([1, 3], dtype: .int64), kernelSize: 2) }
    ),
    ("an integer type", { maxUnpool1d(.ones(1, 2), indices: .zeros(1, 2), kernelSize: 2) }),
    (
      "outputSize [6] differs from [4] by a stride, [2], or more",
      {
        maxUnpool1d(
          .ones(1, 2), indices: .zeros([1, 2], dtype: .int64), kernelSize: 2, outputSize: [6])
      }
    ),
    (
      "outputSize [4, 4]",
      {
        maxUnpool1d(
          .ones(1, 2), indices: .zeros([1, 2], dtype: .int64), kernelSize: 2, outputSize: [4, 4])
      }
    ),
    (
      "planes would have the shape [-2]",
      {
        maxUnpool1d(
          .ones(1, 1), indices: .zeros([1, 1], dtype: .int64), kernelSize: 2, padding: 2)
      }
    ),
    (
      "stride must be at least 1",
      {
        maxUnpool1d(
          .ones(1, 1), indices: .zeros([1, 1], dtype: .int64), kernelSize: 2, stride: 0)
      }
    ),
    (
      "memory can hold",
      {
        maxUnpool1d(
          .zeros(1, 1).broadcast(to: [1, 1 << 30]),
          indices: .zeros([1, 1], dtype: .int64).broadcast(to: [1, 1 << 30]), kernelSize: 1 << 30)
      }
    ),
    (
      "an axis of 1099511627776 elements is longer than 2147483646",
      {
        maxUnpool1d(
          .zeros(1, 1).broadcast(to: [1, 1 << 40]),
          indices: .zeros([1, 1], dtype: .int64).broadcast(to: [1, 1 << 40]), kernelSize: 2)
      }
    ),
    ("expected 4 axes", { maxUnpool2d(.ones(2, 2), indices: .zeros(2, 2), kernelSize: 2) }),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreReported(_ index: Int) {
    let (text, body) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { body().count } }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
  }
}
