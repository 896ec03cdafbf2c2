import NormaNN
import NormaTensor
import Testing

/// Running statistics that left the range of their type; the answers are PyTorch's.
@Suite struct InfiniteStatisticsTests {
  @Test func anInfiniteRunningMeanGivesInfinity() {
    let x = Tensor([[1, 2], [3, 4]] as [[Float]])
    let y = batchNorm(
      x, runningMean: Tensor([Float.infinity, 0]), runningVar: Tensor([1, 1] as [Float]))
    #expect(y[0..., 0].array(of: Float.self) == [-.infinity, -.infinity])
    #expect(y[0..., 1].allClose(to: x[0..., 1], rtol: 1e-5, atol: 1e-8))
  }
}
