import Testing

@testable import NormaTensor

/// Loops outside of programs are recorded, too.
extension ExecutionLogTests {
  private static let x = withSeed(3) { Tensor.rand(6, 8) }.evaluated()
  private static let image = withSeed(4) { Tensor.rand(1, 2, 8, 8) }.evaluated()
  private static let indices = Tensor([2, 0, 2] as [Int64])

  static let loops: [(ExecutionPlan.Path, String, @Sendable () -> Tensor)] = [
    (.pooling, "max pooling", { maxPool2d(image, kernelSize: 2) }),
    (.axisMap, "weighted sums", { avgPool2d(image, kernelSize: 2) }),
    (.axisMap, "weighted sums", { Tensor.interpolate(image, size: [5, 5], mode: .bilinear) }),
    (.gather, "gather", { x.picked(0, [2, 0]) }),
    (.gather, "gather", { x[indices] }),
    (.scatter, "scatter", { x.indexCopied(indices[..<2], x[..<2], over: 0) }),
    (.scatter, "scatter sum", { x.indexAdded(indices, x[..<3], over: 0) }),
    (.sort, "sort", { x.sorted(over: 1).values }),
    (.sort, "sort", { x.topK(2, over: 1).values }),
    (.search, "search", { x[0].sorted(over: 0).values.searchSorted(x) }),
    (.search, "first indices", { x.argmax(over: 1) }),
    (.search, "indices of true", { (x .> 0.5).nonzero() }),
    (.scan, "scan sum", { x.cumulativeSum(over: 1) }),
    (.scan, "scan maximum", { x.cumulativeMax(over: 1).values }),
    (.distances, "distances", { x.cdist(x) }),
    (.counting, "count", { indices.binCount() }),
    (.copy, "triangle", { x.tril() }),
  ]

  @Test(arguments: loops.indices)
  func loopsLeaveMarks(index: Int) {
    let (path, operation, body) = Self.loops[index]
    let steps = ExecutionLog.recording { body().evaluated() }.steps
    let step = steps.first { $0.path == path && $0.operations == [operation] }
    #expect(step != nil, "\(operation): \(steps)")
    #expect((step?.bytesRead ?? 0) > 0)
  }

  @Test func gradientsOfPoolingLeaveMarks() {
    let steps = ExecutionLog.recording {
      let start = Self.image.requiringGradient()
      maxPool2d(start, kernelSize: 2).sum().backward()
      start.grad?.evaluated()
    }.steps
    #expect(steps.contains { $0.path == .scatter })
  }
}
