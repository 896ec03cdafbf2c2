import NormaNN
import NormaTensor
import Testing

/// Keys and values that grow in place.
@Suite(.seeded) struct KeyValueCacheTests {
  @Test func aCacheGoesOnWhereTheLastCallEnded() {
    let layer = MultiheadAttention(8, 2, batchFirst: true, dtype: .float64)
    let x = Tensor.randn([2, 6, 8], dtype: .float64)
    let whole = layer(x, needsWeights: false, isCausal: true).output
    let cache = KeyValueCache()
    let parts = [0..<3, 3..<4, 4..<6].map {
      layer(x[0..., $0], needsWeights: false, isCausal: true, cache: cache).output
    }
    #expect((Tensor.concatenated(parts, over: 1) - whole).abs().max().item() < 1e-13)
    #expect(cache.count == 6)
    cache.removeAll()
    #expect(cache.count == 0 && cache.keys == nil)
  }

  private func address(_ cache: KeyValueCache) -> [UnsafeRawPointer?] {
    [cache.keys, cache.values].map { all in
      all?[0, 0, 0].withUnsafeBytes { $0.baseAddress }
    }
  }

  /// A step writes into the memory of those before; only a full one moves, to twice its size.
  @Test func stepsStayInTheirMemory() {
    let cache = KeyValueCache()
    var expected = Tensor.randn(2, 3, 5, 4)
    _ = cache.adding(keys: expected, values: -expected)
    var moves: [Int] = []
    for step in 0..<20 {
      let before = address(cache)
      let new = Tensor.randn(2, 1, 3, 4).permuted(0, 2, 1, 3)
      let (all, steps) = ExecutionLog.recording { cache.adding(keys: new, values: -new) }
      expected = Tensor.concatenated([expected, new], over: 2)
      #expect(all.keys.isEqual(to: expected) && all.values.isEqual(to: -expected))
      #expect(cache.count == 6 + step)
      if address(cache) != before {
        moves.append(cache.count)
      } else {
        #expect(steps.allSatisfy { $0.bytesWritten <= 4 * new.count })
      }
    }
    #expect(moves == [6, 11, 21])
  }

  @Test func memoryFromTheStart() {
    let cache = KeyValueCache(minimumCapacity: 8)
    let new = Tensor.randn(1, 1, 1, 4)
    _ = cache.adding(keys: new, values: new)
    let before = address(cache)
    for _ in 1..<8 { _ = cache.adding(keys: new, values: new) }
    #expect(address(cache) == before)
  }

  /// Results that are kept stay as they were.
  @Test func whatIsKeptDoesNotChange() {
    let cache = KeyValueCache(minimumCapacity: 8)
    let new = Tensor.randn(1, 2, 3, 4)
    let kept = cache.adding(keys: new, values: new)
    _ = cache.adding(keys: new + 1, values: new - 1)
    #expect(kept.keys.isEqual(to: new) && kept.values.isEqual(to: new))
    #expect(cache.keys?.isEqual(to: .concatenated([new, new + 1], over: 2)) == true)
  }

  /// Gradients reach the positions of all calls.
  @Test func gradients() {
    let x = Tensor.randn([3, 1, 2, 2, 4], dtype: .float64).requiringGradient()
    let cache = KeyValueCache(minimumCapacity: 16)
    let first = Tensor.randn([1, 2, 2, 4], dtype: .float64)
    _ = cache.adding(keys: first, values: first)
    for index in 0..<3 { _ = cache.adding(keys: x[index], values: x[index] * 2) }
    let keys = cache.keys ?? .poisoned, values = cache.values ?? .poisoned
    let factor = Tensor.randn(keys.shape, dtype: .float64)
    let gradient = Tensor.gradient(of: (keys * factor + values).sum(), at: [x])[0]
    let parts = factor.narrowed(over: 2, from: 2, count: 6).split(every: 2, over: 2)
    #expect(gradient.isEqual(to: Tensor.stacked(parts, over: 0) + 2))
    withoutGradients { _ = cache.adding(keys: first, values: first) }
    #expect(cache.count == 10 && cache.keys?.hasHistory == false)
  }

  @Test func mistakesNameTheShapes() {
    let cache = KeyValueCache()
    let new = Tensor.zeros(1, 2, 3, 4)
    _ = cache.adding(keys: new, values: new)
    for wrong in [
      Tensor.zeros(2, 2, 3, 4), .zeros(2, 3, 4), .zeros([1, 2, 3, 4], dtype: .float64),
      .zeros(1, 2, 2, 4),
    ] {
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { _ = cache.adding(keys: new, values: wrong) }
      }
      #expect(error?.call == "KeyValueCache.adding(keys:values:)")
    }
    #expect(cache.count == 3)
  }
}
