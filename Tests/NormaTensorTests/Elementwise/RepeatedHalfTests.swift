import Testing

@testable import NormaTensor

/// A single half that is broadcast to a whole tensor, widened and stored.
@Suite struct RepeatedHalfTests {
  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64, .uint8, .bool])
  func widened(_ type: DType) {
    for shape in [[5], [5, 1], [1, 5], [5, 2], [40, 70]] {
      for target in DType.allCases {
        let x = Tensor([1.0], dtype: type).evaluated().broadcast(to: shape).cast(to: target)
        #expect(x.copied().array(of: Double.self).allSatisfy { $0 == 1 }, "\(target) \(shape)")
        #expect(x.sum().item() == Double(x.count))
      }
    }
  }
}
