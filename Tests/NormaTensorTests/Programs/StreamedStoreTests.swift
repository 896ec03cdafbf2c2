import Testing

@testable import NormaTensor

/// Results of `Limits.streamedBytes` and more bypass the caches, in pieces that begin at any
/// address.
@Suite struct StreamedStoreTests {
  @Test func oddRowsWithNumbersOfTheirOwn() {
    // Rows of 12,000,004 bytes: the tiles of all but the first begin between cache lines.
    let x = Tensor.arange(9_000_003).reshaped(3, 3_000_001).cast(to: .float32).evaluated()
    #expect(x.count * 4 >= Limits.streamedBytes)
    let numbers = Tensor([1, 2, 4] as [Float]).reshaped(3, 1)
    let y = (x * numbers).evaluated()
    for row in 0..<3 {
      let factor = Float(1 << row)
      #expect((y[row] - x[row] * factor).abs().max().item() == 0)
    }
    #expect(y[2, -1].item() == Double(Float(9_000_002) * 4))
  }

  @Test func halvesAndViews() {
    let x = Tensor.arange(17_000_001).cast(to: .uint8).evaluated()
    let y = (x.cast(to: .float16) + 1).evaluated()
    #expect(y.count * 2 >= Limits.streamedBytes)
    #expect((y.cast(to: .int64) - x.cast(to: .int64)).min().item() == 1)
    #expect((y.cast(to: .int64) - x.cast(to: .int64)).max().item() == 1)
    #expect(y[1_234_567...].count == 17_000_001 - 1_234_567)
  }
}
