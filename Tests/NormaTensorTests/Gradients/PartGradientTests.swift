import NormaTensor
import Testing

/// Parts of one tensor: their gradients are those of a sum, and are collected once.
@Suite struct PartGradientTests {
  static let cut: [@Sendable (Tensor) -> [Tensor]] = [
    { $0.unbound(over: 1) }, { $0.split(every: 2, over: 1) }, { $0.chunked(3, over: 1) },
    { $0.split([1, 4], over: 1) }, { $0.split(at: [2], over: 1) },
    { x in (0..<5).map { x[0..., $0] } },
    { x in (0..<4).map { x[0..., $0..<($0 + 2)] } },
    { [$0.diagonal(), $0.transposed()[1], $0[0..., -1], $0[AxisSlice(by: 2)], $0[1...]] },
    { Array($0) + Array($0) },
  ]

  @Test(arguments: cut.indices) func gradients(kind: Int) throws {
    let x = withSeed(3) { Tensor.rand(3, 5, dtype: .float64) }
    func loss(_ x: Tensor) -> Tensor {
      let parts = Self.cut[kind](x)
      return parts.enumerated().reduce(Tensor(0.0)) { sum, part in
        sum + (part.element.exp() * Double(part.offset + 1)).sum()
      }
    }
    try checkGradient(of: { loss($0[0]) }, at: [x], order: 2)
    // Of a computed tensor, in another memory order, and of a leaf that has other uses.
    try checkGradient(
      of: { loss(($0[0] * 2).transposed().reshaped(-1).reshaped(5, 3).transposed()) }, at: [x])
    try checkGradient(of: { loss($0[0]) + $0[0].sin().sum() }, at: [x])
  }

  @Test func partsOfALeafInSeveralPasses() {
    let x = Tensor.ones(4).requiringGradient()
    let (a, b) = (x[0], x[1...])
    (a * 2).backward()
    (b.sum() * 3).backward()
    (x[0] * 5).backward()
    #expect(x.grad?.array(of: Float.self) == [7, 3, 3, 3])
    let y = Tensor.ones(2).cast(to: .float16).requiringGradient()
    let part = y[0]
    (part * part + y[0] * 4).backward(retainGraph: true)
    #expect(y.grad?.array(of: Float.self) == [6, 0])
  }

  @Test func emptyResultsKeepTheirHistory() {
    let x = Tensor.zeros(0).requiringGradient()
    let two = Tensor.ones(2).requiringGradient()
    let joined = Tensor.concatenated([x, two, x])
    #expect(joined.hasHistory && Tensor.concatenated([x, x.detached()]).hasHistory)
    (joined * 3).sum().backward()
    #expect(x.grad?.shape == [0] && two.grad?.array(of: Float.self) == [3, 3])
    for y in [x.softmax(over: 0), x.logSoftmax(over: 0), x.logSumExp(), x.softmax(over: -1)] {
      #expect(y.hasHistory)
      y.sum().backward()
    }
    #expect(x.logSumExp().item() == -.infinity)
  }

  @Test func atMost64Axes() {
    let x = Tensor.ones([Int](repeating: 1, count: 64))
    #expect((x + 1).sum().item() == 2)
    for wrong in [
      { x.unsqueezed(0) }, { x.taking([NewAxis(), Ellipsis()]) },
      { x.reshaped([Int](repeating: 1, count: 65)) }, { .zeros([Int](repeating: 1, count: 65)) },
      { x.broadcast(to: [Int](repeating: 2, count: 1) + x.shape) },
    ] as [() -> Tensor] {
      #expect(MessageTests.message(wrong).contains("65 axes; a tensor has at most 64"))
    }
  }

  /// The gradient of an intermediate tensor is allocated once, however many parts it has.
  @Test func memoryDoesNotGrowWithTheNumberOfParts() async {
    await #expect(processExitsWith: .success) {
      let count = 200
      let x = Tensor.ones(16, count, 64).requiringGradient()
      let bytes = 16 * count * 64 * 4
      for cut in 0..<3 {
        let y = (x * 2).evaluated()
        let parts =
          switch cut {
          case 0: y.unbound(over: 1)
          case 1: y.split(every: 1, over: 1)
          default: (0..<count).map { y[0..., $0] }
          }
        let loss = parts.reduce(Tensor(0 as Float)) { $0 + $1.squared().sum() }
        TensorMemory.resetPeak()
        let before = TensorMemory.usage.inUse
        loss.backward()
        demand(
          TensorMemory.usage.peak - before < 6 * bytes,
          "\(cut): \(TensorMemory.usage.peak - before)")
      }
      demand(
        x.grad?.sum().item() == Double(3 * 8 * 16 * count * 64), "\(x.grad?.sum().item() ?? 0)")
    }
  }

  /// Four times as many parts take four times the bytes, not sixteen.
  @Test(arguments: 0..<4) func workGrowsAsTheNumberOfParts(cut: Int) {
    func bytes(_ count: Int) -> Int {
      let x = Tensor.ones(4, count, 256).requiringGradient()
      let y = (x * 2).evaluated()
      let parts =
        switch cut {
        case 0: y.unbound(over: 1)
        case 1: y.split(every: 1, over: 1)
        case 2: (0..<count).map { y[0..., $0] }
        default: (0..<count).map { y.narrowed(over: 1, from: $0, count: 1) }
        }
      let losses = parts.map { $0.squared().sum().evaluated() }
      let loss = Tensor.stacked(losses).sum().evaluated()
      let steps = ExecutionLog.recording { loss.backward() }.steps
      #expect(x.grad?.sum().item() == Double(8 * x.count))
      return steps.reduce(0) { $0 + $1.bytesRead + $1.bytesWritten }
    }
    let (few, many) = (bytes(20), bytes(80))
    #expect(few >= 2 * 4 * 20 * 256 * 4 && many < 6 * few, "\(few) and \(many) bytes")
  }

  @Test func keptLossesHoldNoGraph() async {
    await #expect(processExitsWith: .success) {
      let w = Tensor.ones(64, 1000).requiringGradient()
      var kept: [Tensor] = []
      var total = Tensor(0 as Float)
      var inUse = 0
      for step in 0..<60 {
        let loss = (w * Double(step + 1) - 1).squared().mean()
        loss.backward()
        kept.append(loss.detached())
        total = total + loss.detached()
        if step == 9 { inUse = TensorMemory.usage.inUse }
      }
      demand(
        TensorMemory.usage.inUse - inUse < 1 << 17, "\(TensorMemory.usage.inUse - inUse) bytes")
      demand(kept[1].item() == 1 && total.item() > 0)
    }
  }
}
