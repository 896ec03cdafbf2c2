import NormaTensor
import Testing

// A debug build takes a tenth of the steps, which is long enough for a stack to overflow.
#if DEBUG
  private let steps = 100_000
#else
  private let steps = 1_000_000
#endif

/// Programs stay bounded however long a computation continues, and are released without recursion.
@Suite struct LongChainTests {
  @Test func additions() async {
    await #expect(processExitsWith: .success) {
      onSmallStack(512 << 10) {
        var total = Tensor.zeros(3)
        let x = Tensor([1, 2, 4] as [Float])
        for _ in 0..<steps { total = total + x }
        let n = Float(steps)
        demand(total.array(of: Float.self) == [n, 2 * n, 4 * n], "\(total)")
      }
      demand(TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
      demand(TensorMemory.usage.peak < 1 << 20, "\(TensorMemory.usage)")
    }
  }

  @Test func differencesFromTheMean() async {
    await #expect(processExitsWith: .success) {
      onSmallStack(512 << 10) {
        var x = Tensor([1, 2, 4, 5] as [Float])
        for _ in 0..<steps / 10 { x = x - x.mean() }
        demand(x.array(of: Float.self) == [-2, -1, 1, 2], "\(x)")
        var y = Tensor([1, 2, 4, 5], dtype: .float64)
        for _ in 0..<2000 { y = y - y.mean(over: 0, keepDims: true) }
        demand(y.array(of: Double.self) == [-2, -1, 1, 2], "\(y)")
      }
      demand(TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
    }
  }

  /// Reductions of reductions, and copies of copies, are no elementwise operations.
  @Test func reductionsOfReductions() async {
    await #expect(processExitsWith: .success) {
      onSmallStack(512 << 10) {
        var x = Tensor([[1, 2], [3, 4]] as [[Float]])
        for _ in 0..<20_000 { x = x.max(over: 0, keepDims: true) }
        demand(x.array(of: Float.self) == [3, 4], "\(x)")
        var y = Tensor([[1, 2], [3, 4]], dtype: .float64)
        for _ in 0..<20_000 { y = y.sum(over: 1, keepDims: true) }
        demand(y.array(of: Float.self) == [3, 7], "\(y)")
        // Read through a view, a pending value is stored first.
        var w = Tensor([[1, 2], [3, 4]] as [[Float]])
        for _ in 0..<20_001 { w = w.transposed() + 1 }
        demand(w.array(of: Float.self) == [20002, 20004, 20003, 20005], "\(w)")
        var z = Tensor([[1, 2], [3, 4]] as [[Float]])
        for _ in 0..<20_000 { z = z.transposed().reshaped(4).reshaped(2, 2) }
        demand(z.array(of: Float.self) == [1, 2, 3, 4], "\(z)")
      }
      demand(TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
    }
  }

  /// What is not needed is dropped without being run.
  @Test func dropped() async {
    await #expect(processExitsWith: .success) {
      onSmallStack(512 << 10) {
        var x = Tensor.ones(4)
        for _ in 0..<steps / 20 { x = (x * 1.0001).max(over: 0, keepDims: true) + x.mean() }
      }
      demand(TensorMemory.usage.inUse == 0, "\(TensorMemory.usage)")
    }
  }

  /// Many inputs of half types make many values: each is converted, and each step is rounded.
  @Test(arguments: [DType.float16, .uint8, .float32])
  func manyInputs(dtype: DType) {
    // Every level combines three values, so that cost grows faster than depth.
    var level = (0..<243).map { Tensor.full([3, 5], $0 % 5, dtype: dtype) + ($0 & 1) }
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 3).map { k in
        let (a, b, c) = (level[k], level[k + 1], level[k + 2])
        return Tensor.where(a.transposed().transposed() .< b, b, c) + a * 0 + (b - b)
      }
    }
    let value = level[0].array(of: Double.self)
    #expect(value.allSatisfy { $0 == value[0] } && value.count == 15)
  }

  /// One instruction on each of many different layouts of one shape.
  @Test func sumOfManyTensors() {
    var total = Tensor.zeros([4, 6], dtype: .bfloat16)
    var parts: [Tensor] = []
    for k in 0..<200 {
      let part = Tensor.full([6, 4], k % 3, dtype: .bfloat16).transposed()
      parts.append(k % 2 == 0 ? part : part[0..<1].broadcast(to: [4, 6]))
    }
    while parts.count > 1 {
      parts = stride(from: 0, to: parts.count, by: 2).map {
        $0 + 1 < parts.count ? parts[$0] + parts[$0 + 1] : parts[$0]
      }
    }
    total = total + parts[0]
    #expect(total.array(of: Double.self) == [Double](repeating: 199, count: 24))
  }

  /// More axes than needed in practice, none of which merge.
  @Test func twentyAxes() {
    let shape = [Int](repeating: 2, count: 18)
    let x = Tensor.arange(1 << 18).reshaped(shape)
    let y = x.permuted(Array(shape.indices.reversed()))
    let difference = (x - y).abs()
    #expect(difference.max().item() > 0)
    #expect((x - y).sum().item() == 0)
    #expect(difference.sum(over: Array(stride(from: 0, to: 18, by: 2))).shape.count == 9)
    #expect(
      (y.cast(to: .float32) * 2).mean(over: 3, 7).sum().item() == Double(1 << 16)
        * Double(1 << 18 - 1))
    #expect(y.reshaped(-1)[1].item() == Double(1 << 17))
  }
}
