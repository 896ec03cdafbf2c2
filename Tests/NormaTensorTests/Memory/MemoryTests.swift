import NormaTensor
import Testing

/// The cache of freed buffers, tested in separate processes because it belongs to the process.
@Suite(.seeded) struct MemoryTests {
  @Test func buffersAreUsedAgain() async {
    await #expect(processExitsWith: .success) {
      func address(_ x: Tensor) -> UInt { x.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
      let start = TensorMemory.usage
      demand(start.inUse == 0 && start.cached == 0, "\(start)")
      var x: Tensor? = Tensor.ones(1000)
      let first = x.map(address)
      demand(
        TensorMemory.usage.inUse >= 4000 && TensorMemory.usage.inUse < 4600, "\(TensorMemory.usage)"
      )
      x = nil
      demand(TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
      demand(TensorMemory.usage.cached >= 4000, "\(TensorMemory.usage)")
      x = Tensor.zeros(1000)
      demand(x.map(address) == first, "the buffer was not used again")
      demand(TensorMemory.usage.cached < 4000, "\(TensorMemory.usage)")
      demand(TensorMemory.usage.peak < 10_000, "\(TensorMemory.usage)")
      x = nil
      TensorMemory.emptyCache()
      demand(TensorMemory.usage.cached == 0, "\(TensorMemory.usage)")
      demand(TensorMemory.usage.peak > 4000, "\(TensorMemory.usage)")
      TensorMemory.resetPeak()
      demand(TensorMemory.usage.peak == 0, "\(TensorMemory.usage)")
    }
  }

  @Test func theCacheHasALimit() async {
    await #expect(processExitsWith: .success) {
      demand(TensorMemory.cacheLimit > 1 << 20)
      TensorMemory.cacheLimit = 1 << 20
      for size in [1 << 10, 1 << 16, 1 << 18, 1 << 20] { Tensor.ones(size).evaluated() }
      demand(TensorMemory.usage.cached <= 1 << 20, "\(TensorMemory.usage)")
      demand(TensorMemory.usage.cached > 0, "\(TensorMemory.usage)")
      TensorMemory.cacheLimit = 1 << 16
      demand(TensorMemory.usage.cached <= 1 << 16, "\(TensorMemory.usage)")
      TensorMemory.cacheLimit = -5
      demand(
        TensorMemory.cacheLimit == 0 && TensorMemory.usage.cached == 0, "\(TensorMemory.usage)")
      Tensor.ones(100).evaluated()
      demand(
        TensorMemory.usage.cached == 0 && TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
    }
  }

  /// Fused programs need memory for their result and nothing else.
  @Test func fusedProgramsNeedNoMemoryBetween() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.rand(1 << 20)
      TensorMemory.resetPeak()
      let before = TensorMemory.usage.inUse
      let y = (((x + 1) * 2).sqrt() - x).abs().evaluated()
      demand(TensorMemory.usage.peak - before <= 5 << 20, "\(TensorMemory.usage)")
      TensorMemory.resetPeak()
      let all = TensorMemory.usage.inUse
      _ = ((y - x) * y).abs().max().item()
      demand(TensorMemory.usage.peak - all < 1 << 16, "\(TensorMemory.usage) after \(all)")
    }
  }

  @Test func manyStepsKeepNoMemory() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.rand(64, 100)
      func step() {
        let y = (x - x.mean(over: 0)) / (x.std(over: 0) + 1e-5)
        demand(y.sum().item() < 1)
      }
      for _ in 0..<200 { step() }
      let (usage, resident) = (TensorMemory.usage, residentBytes())
      for _ in 0..<2000 { step() }
      demand(TensorMemory.usage.inUse == usage.inUse, "\(TensorMemory.usage)")
      demand(residentBytes() - resident < 4 << 20, "\(residentBytes() - resident) bytes")
    }
  }

  /// In 64-byte steps and sixteenths of powers of two.
  @Test func sizesOfEveryKind() {
    for count in [0, 1, 15, 16, 17, 1023, 1024, 1025, 70_000, 1_000_003] {
      let x = Tensor.full([count], 7, dtype: .uint8) + 1
      #expect(x.count == count && x.array(of: UInt8.self).allSatisfy { $0 == 8 })
    }
  }
}
