import NormaNN
import NormaTensor
import Testing

/// Values and gradients at edges, recorded from PyTorch 2.13 unless a test says otherwise.
@Suite struct EdgeValueTests {
  private func gradients(
    _ inputs: [Tensor], upstream: Tensor? = nil, _ function: ([Tensor]) -> Tensor
  ) -> (value: Tensor, slopes: [[Double]]) {
    let leaves = inputs.map { $0.requiringGradient() }
    let value = function(leaves)
    (value * (upstream ?? Tensor.ones(value.shape, dtype: value.dtype))).sum().backward()
    return (value.detached(), leaves.map { $0.grad?.array(of: Double.self) ?? [] })
  }

  /// The gradient matches the value: of several slices at the same index the last one stays.
  /// PyTorch has the same value, but gives [1, 1, 10] as the gradient of the source.
  @Test func equalIndicesOfACopy() {
    let zeros = Tensor.zeros([3], dtype: .float64)
    let (value, slopes) = gradients(
      [zeros, Tensor([1, 2, 3], dtype: .float64)],
      upstream: Tensor([1, 10, 100], dtype: .float64)
    ) { $0[0].indexCopied(Tensor([0, 0, 1]), $0[1], over: 0) }
    #expect(value.array() == [2, 3, 0])
    #expect(slopes == [[0, 0, 100], [0, 1, 10]])
  }

  @Test func extremesOfATensorAndItself() {
    let x = Tensor([1, 3, 2] as [Float])
    let upstream = Tensor([1, 2, 3] as [Float])
    for function in [maximum, minimum] as [(Tensor, Tensor, StaticString, UInt) -> Tensor] {
      let (_, slopes) = gradients([x], upstream: upstream) {
        function($0[0], $0[0], #fileID, #line)
      }
      #expect(slopes == [[1, 2, 3]])
    }
    let a = Tensor([1, .nan, 2, .nan] as [Float])
    let b = Tensor([1, 3, .nan, .nan] as [Float])
    let shares = Tensor([1, 2, 4, 8] as [Float])
    // If one is NaN, the gradient goes to both.
    for function in [maximum, minimum] as [(Tensor, Tensor, StaticString, UInt) -> Tensor] {
      let (_, own) = gradients([a], upstream: shares) { function($0[0], $0[0], #fileID, #line) }
      #expect(own == [[1, 4, 4, 16]])
      let (_, both) = gradients([a, b], upstream: shares) {
        function($0[0], $0[1], #fileID, #line)
      }
      #expect(both == [[0.5, 2, 4, 8], [0.5, 2, 4, 8]])
    }
    for function in [fmax, fmin] as [(Tensor, Tensor, StaticString, UInt) -> Tensor] {
      let (_, slopes) = gradients([a, b], upstream: shares) {
        function($0[0], $0[1], #fileID, #line)
      }
      #expect(slopes == [[1, 0, 4, 8], [0, 2, 0, 0]])
    }
    // torch.max of all: NaN is the largest, and shares.
    #expect(gradients([a]) { $0[0].max() }.slopes == [[0, 0.5, 0, 0.5]])
    #expect(gradients([a]) { $0[0].min() }.slopes == [[0, 0.5, 0, 0.5]])
    #expect(gradients([Tensor([2, 1, 2] as [Float])]) { $0[0].max() }.slopes == [[0.5, 0, 0.5]])
  }

  @Test func circularPadding() {
    let x = Tensor([[[1, 2, 3]]] as [[[Float]]])
    #expect(x.padded([3, 3], mode: .circular).array() == [1, 2, 3, 1, 2, 3, 1, 2, 3])
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { x.padded([4, 0], mode: .circular) }
    }
  }

  @Test func differencesBeyondTheAxis() {
    let x = Tensor([1, 2, 4] as [Float])
    #expect(x.difference(2).array() == [1] && x.difference(3).shape == [0])
    #expect(x.difference(5).shape == [0])
    let (_, slopes) = gradients([x]) { $0[0].difference(5) }
    #expect(slopes == [[0, 0, 0]])
  }

  @Test func nothingAndNumbersKeepTheirHistory() {
    let functions: [(Tensor) -> Tensor] = [
      { $0.softmax(over: 0) }, { $0.logSoftmax(over: 0) }, { $0.logSumExp(over: 0) },
    ]
    for (number, function) in functions.enumerated() {
      let single = gradients([Tensor(0, dtype: .float32)]) { function($0[0]) }
      #expect(single.slopes == [[number == 2 ? 1 : 0]], "\(number)")
      #expect(single.value.array() == [number == 0 ? 1 : 0])
      let leaf = Tensor.zeros(0).requiringGradient()
      let empty = function(leaf)
      empty.sum().backward()
      #expect(leaf.grad?.shape == [0], "\(number)")
      #expect(empty.array() == (number == 2 ? [-Double.infinity] : []))
    }
    let leaf = Tensor.zeros(0).requiringGradient()
    Tensor.concatenated([leaf, Tensor.ones(2)], over: 0).sum().backward()
    #expect(leaf.grad?.shape == [0])
  }

  @Test func layerNormOfOneFeature() {
    let (value, slopes) = gradients(
      [Tensor([[2], [3]] as [[Float]]), Tensor([1.5] as [Float]), Tensor([0.5] as [Float])],
      upstream: Tensor([[1], [10]] as [[Float]])
    ) { layerNorm($0[0], normalizedShape: [1], weight: $0[1], bias: $0[2]) }
    #expect(value.array() == [0.5, 0.5])
    #expect(slopes == [[0, 0], [0], [11]])
  }

  /// No stride is the kernel's size; an empty list is no stride, too.
  @Test func poolingWithoutAStride() {
    let x = Tensor.arange(16, dtype: .float32).reshaped(1, 1, 4, 4)
    #expect(avgPool2d(x, kernelSize: 2).array() == [2.5, 4.5, 10.5, 12.5])
    #expect(avgPool2d(x, kernelSize: 2, stride: [Int]()).array() == [2.5, 4.5, 10.5, 12.5])
    #expect(maxPool2d(x, kernelSize: 2, stride: [Int]()).array() == [5, 7, 13, 15])
  }

  /// PyTorch's "fro" is `.frobenius` of `matrixNorm`.
  @Test func frobeniusNorm() {
    #expect(Tensor([[3, 4], [0, 12]] as [[Float]]).matrixNorm(.frobenius).item() == 13)
  }

  @Test func distancesOfFractionalOrder() {
    let a = Tensor([[1, 2, 3]], dtype: .float64)
    let b = Tensor([[2, 4, -1]], dtype: .float64)
    #expect(abs(pairwiseDistance(a, b, p: 1.5).item() - 5.191401885014003) < 1e-14)
  }

  @Test func variancesThatBroadcast() {
    let x = Tensor([[1, 2], [3, 4]], dtype: .float64)
    let y = Tensor([[1.5, 1], [2, 5]], dtype: .float64)
    for variance in [Tensor([[0.5], [2]], dtype: .float64), Tensor([0.5, 2], dtype: .float64)] {
      let (value, slopes) = gradients([variance]) { gaussianNLLLoss(x, y, variance: $0[0]) }
      #expect(abs(value.item() - 0.4375) < 1e-15 && slopes == [[-0.125, 0.0625]])
    }
  }

  static let mistakes: [(String, @Sendable () -> Void)] = [
    ("eps", { _ = gaussianNLLLoss(.ones(2), .ones(2), variance: .ones(2), eps: -1) }),
    ("margin", { _ = tripletMarginLoss(.ones(2, 2), .ones(2, 2), .ones(2, 2), margin: -1) }),
    (
      "ignoreIndex",
      { _ = crossEntropy(.ones(2, 3), Tensor.ones(2, 3) / 3, ignoreIndex: 1) }
    ),
    ("64", { _ = Tensor.ones(1).reshaped([Int](repeating: 1, count: 65)) }),
    ("every must be at least 1, got 0", { _ = StepDecay(every: 0) }),
    ("steps must be at least 1, got 0", { _ = CosineAnnealing(steps: 0) }),
    ("growth must be at least 1, got 0", { _ = CosineAnnealing(steps: 2, growth: 0) }),
    ("steps must be at least 1, got -3", { _ = PolynomialDecay(steps: -3) }),
    ("steps must be at least 1, got 0", { _ = LinearWarmup(steps: 0) }),
  ]

  @Test(arguments: mistakes.indices) func optionsThatCannotBe(_ index: Int) {
    let (text, call) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { call() } }
    #expect(error?.reason.contains(text) == true, "\(error as Any)")
    #expect(error?.file == "NormaNNTests/EdgeValueTests.swift", "\(error as Any)")
  }
}
