import NormaKernels
import NormaTensor
import Testing

/// The cache of freed buffers, in processes of their own because it belongs to the process.
@Suite struct MemoryTests {
  @Test func buffersAreUsedAgain() async {
    await #expect(processExitsWith: .success) {
      func address(_ x: Tensor) -> UInt { x.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
      let start = Memory.usage
      demand(start.inUse == 0 && start.cached == 0, "\(start)")
      var x: Tensor? = Tensor.ones(1000)
      let first = x.map(address)
      demand(Memory.usage.inUse >= 4000 && Memory.usage.inUse < 4600, "\(Memory.usage)")
      x = nil
      demand(Memory.usage.inUse == 0, "\(Memory.usage)")
      demand(Memory.usage.cached >= 4000, "\(Memory.usage)")
      x = Tensor.zeros(1000)
      demand(x.map(address) == first, "the buffer was not used again")
      demand(Memory.usage.cached < 4000, "\(Memory.usage)")
      demand(Memory.usage.peak < 10_000, "\(Memory.usage)")
      x = nil
      Memory.emptyCache()
      demand(Memory.usage.cached == 0, "\(Memory.usage)")
      demand(Memory.usage.peak > 4000, "\(Memory.usage)")
      Memory.resetPeak()
      demand(Memory.usage.peak == 0, "\(Memory.usage)")
    }
  }

  @Test func theCacheHasALimit() async {
    await #expect(processExitsWith: .success) {
      demand(Memory.cacheLimit > 1 << 20)
      Memory.cacheLimit = 1 << 20
      for size in [1 << 10, 1 << 16, 1 << 18, 1 << 20] { Tensor.ones(size).evaluated() }
      demand(Memory.usage.cached <= 1 << 20, "\(Memory.usage)")
      demand(Memory.usage.cached > 0, "\(Memory.usage)")
      Memory.cacheLimit = 1 << 16
      demand(Memory.usage.cached <= 1 << 16, "\(Memory.usage)")
      Memory.cacheLimit = -5
      demand(Memory.cacheLimit == 0 && Memory.usage.cached == 0, "\(Memory.usage)")
      Tensor.ones(100).evaluated()
      demand(Memory.usage.cached == 0 && Memory.usage.inUse == 0, "\(Memory.usage)")
    }
  }

  /// Fused programs need memory for their result and nothing else.
  @Test func fusedProgramsNeedNoMemoryBetween() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.rand(1 << 20)
      Memory.resetPeak()
      let before = Memory.usage.inUse
      let y = (((x + 1) * 2).sqrt() - x).abs().evaluated()
      demand(Memory.usage.peak - before <= 5 << 20, "\(Memory.usage)")
      Memory.resetPeak()
      let all = Memory.usage.inUse
      _ = ((y - x) * y).abs().max().item()
      demand(Memory.usage.peak - all < 1 << 16, "\(Memory.usage) after \(all)")
    }
  }

  @Test func manyStepsLeaveNothing() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.rand(64, 100)
      func step() {
        let y = (x - x.mean(over: 0)) / (x.std(over: 0) + 1e-5)
        demand(y.sum().item() < 1)
      }
      for _ in 0..<200 { step() }
      let (usage, resident) = (Memory.usage, residentBytes())
      for _ in 0..<2000 { step() }
      demand(Memory.usage.inUse == usage.inUse, "\(Memory.usage)")
      demand(residentBytes() - resident < 4 << 20, "\(residentBytes() - resident) bytes")
    }
  }

  /// Out of 64-byte steps and sixteenths of powers of two.
  @Test func sizesOfEveryKind() {
    for count in [0, 1, 15, 16, 17, 1023, 1024, 1025, 70_000, 1_000_003] {
      let x = Tensor.full([count], 7, dtype: .uint8) + 1
      #expect(x.count == count && x.array(of: UInt8.self).allSatisfy { $0 == 8 })
    }
  }
}
