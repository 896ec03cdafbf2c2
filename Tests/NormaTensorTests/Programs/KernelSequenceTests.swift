import Testing

@testable import NormaTensor

/// The kernels of a recorded call give the results of a new call, bit by bit, on other inputs;
/// calls that depend on numbers that they read are not repeated.
@Suite struct KernelSequenceTests {
  typealias Call = @Sendable ([Tensor]) -> [Tensor]

  /// Records the call on one set of inputs, and compares on another.
  private func expectSameBits(
    _ inputs: [Tensor], kernels: Int? = nil, _ call: Call, line: Int = #line
  ) throws {
    let location = SourceLocation(
      fileID: #fileID, filePath: #filePath, line: line, column: 1)
    try withoutGradients {
      // Weights are packed at their second use.
      let first = inputs.map { ($0 * 0.5 - 0.25).evaluated() }
      for _ in 0..<2 { for result in call(first) { result.evaluated() } }
      let (_, sequence) = KernelSequence.recording(first, call)
      let known = try #require(sequence, "cannot be repeated", sourceLocation: location)
      if let kernels { #expect(known.kernelCount == kernels, sourceLocation: location) }
      for given in [inputs, first] {
        let found = try #require(known.results(given.map { $0.evaluated() }))
        let wanted = call(given)
        #expect(found.count == wanted.count)
        for (found, wanted) in zip(found, wanted) {
          #expect(found.dtype == wanted.dtype, sourceLocation: location)
          #expect(found.shape == wanted.shape, sourceLocation: location)
          let known = wanted.withUnsafeBytes { [UInt8]($0) }
          #expect(found.withUnsafeBytes { [UInt8]($0) } == known, sourceLocation: location)
        }
      }
    }
  }

  private static func images(_ shape: [Int]) -> Tensor { withSeed(3) { .randn(shape) } }

  @Test func elementwiseWorkAndReductions() throws {
    let x = Self.images([6, 40, 50])
    try expectSameBits([x], kernels: 1) { [($0[0] * 2 + 1).exp()] }
    try expectSameBits([x]) { inputs in
      let x = inputs[0]
      let mean = x.mean(over: 1, 2, keepDims: true)
      return [(x - mean) / x.std(over: 1, 2, keepDims: true), x.max(over: 0), x.sum()]
    }
    // Few elements, and strips of a reduction with many results.
    try expectSameBits([Self.images([3, 5])]) { [$0[0].mean(over: 1), $0[0].sum() + 1] }
    try expectSameBits([Self.images([4, 30, 5000])]) { [$0[0].sum(over: 1) * 2] }
    // Two results that lie in one memory, and one that is a view.
    try expectSameBits([x]) { [$0[0] + 1, ($0[0] * 3)[1].transposed()] }
  }

  @Test func convolutions() throws {
    let w = Self.images([24, 16, 3, 3])
    let bias = Self.images([24])
    try expectSameBits([Self.images([2, 16, 20, 20])]) { inputs in
      let y = conv2d(inputs[0], weight: w, bias: bias, padding: 1)
      return [y.relu() + 1, maxPool2d(y, kernelSize: 2), avgPool2d(y, kernelSize: 2)]
    }
    let channelwise = Self.images([16, 1, 3, 3])
    try expectSameBits([Self.images([1, 16, 200, 200])]) {
      [conv2d($0[0], weight: channelwise, padding: 1, groups: 16).silu()]
    }
    let turned = Self.images([16, 24, 3, 3])
    try expectSameBits([Self.images([2, 16, 9, 9])]) {
      [convTranspose2d($0[0], weight: turned, stride: 2)]
    }
    // Few elements, by the definition.
    let small = Self.images([2, 1, 3])
    try expectSameBits([Self.images([1, 1, 12])]) { [conv1d($0[0], weight: small)] }
  }

  @Test func productsAndAttention() throws {
    let w = Self.images([64, 48])
    try expectSameBits([Self.images([70, 64])]) { [$0[0].matmul(w)] }
    try expectSameBits([Self.images([5, 64])]) { [$0[0].matmul(w)] }
    try expectSameBits([Self.images([3, 20, 64])]) { [$0[0].matmul(w).softmax(over: -1)] }
    try expectSameBits([Self.images([2, 4, 30, 16])]) { inputs in
      let x = inputs[0]
      return [
        Tensor.attention(
          x, x * 0.5, x + 1, mask: nil, isCausal: true, scale: 0.25, call: "attention")
      ]
    }
    try expectSameBits([Self.images([2, 6, 40, 32]), Self.images([2, 6, 32, 9])]) {
      [$0[0].matmul($0[1])]
    }
    let column = Self.images([64])
    try expectSameBits([Self.images([9, 64])]) { [$0[0].matmul(column), $0[0].softmax(over: 1)] }
  }

  @Test func normalizations() throws {
    let (weight, bias) = (Self.images([64]), Self.images([64]))
    for shape in [[5, 64], [700, 64], [3, 2000, 64]] {
      try expectSameBits([Self.images(shape)]) {
        [Self.normalized($0[0], over: [shape.count - 1], weight, bias)]
      }
    }
    let (scale, shift) = (Self.images([1, 4, 1, 1]), Self.images([1, 4, 1, 1]))
    for shape in [[2, 4, 5, 8], [4, 4, 90, 60]] {
      try expectSameBits([Self.images(shape)]) {
        [Self.normalized($0[0], over: [2, 3], scale, shift)]
      }
      try expectSameBits([Self.images(shape)]) {
        [Self.normalized($0[0], over: [0, 2, 3], scale, shift)]
      }
    }
  }

  private static func normalized(
    _ x: Tensor, over axes: [Int], _ weight: Tensor, _ bias: Tensor
  ) -> Tensor {
    let shape = (0..<x.rank).map { $0 == 1 && weight.rank == 4 ? 4 : 1 }
    let wide = weight.rank == 1 ? [Int](repeating: 1, count: x.rank - 1) + weight.shape : shape
    let result = try? x.normalized(
      over: axes, eps: 1e-5, weight: weight.reshaped(wide), bias: bias.reshaped(wide),
      call: "normalized")
    return result?.output ?? .poisoned
  }

  @Test func partsOfTensors() throws {
    let x = Self.images([4, 6, 10])
    try expectSameBits([x, Self.images([2, 6, 10])]) { inputs in
      [
        Tensor.concatenated([inputs[0], inputs[1] * 2, Tensor.ones(1, 6, 10)], over: 0),
        inputs[0].padded([1, 2], mode: .constant(3)), inputs[0].padded([2, 1], mode: .reflect),
        inputs[0].padded([1, 1]),
        Tensor.stacked([inputs[1], inputs[1] + 1], over: 1),
      ]
    }
  }

  @Test func recurrence() throws {
    let (w, hidden) = (Self.images([32, 8]), Tensor.zeros(3, 8))
    try expectSameBits([Self.images([7, 3, 32])]) { inputs in
      let steps = RecurrentSteps(
        .lstm, gates: inputs[0], hidden: hidden, cell: hidden, recurrent: w, bias: nil,
        newBias: nil, valid: nil, isReversed: true)
      return [steps.results(saving: false)?.states ?? .poisoned]
    }
  }

  /// What follows from constants alone is computed once.
  @Test func constantsAreNotComputedAgain() throws {
    let table = Self.images([50, 50])
    try expectSameBits([Self.images([50, 50])], kernels: 1) {
      [$0[0] + (table.exp() * 2).evaluated()]
    }
    let (results, sequence) = KernelSequence.recording([table]) { _ in [Tensor.ones(3) * 2] }
    #expect(sequence?.kernelCount == 0)
    #expect(sequence?.results([table])?[0].isEqual(to: results[0]) == true)
    // A number of the host that follows from constants may decide.
    try expectSameBits([table]) { inputs in
      table.sum().item() > -1e9 ? [inputs[0] + 1] : [inputs[0]]
    }
  }

  @Test func callsThatReadNumbersAreNotRepeated() {
    let x = Self.images([40, 40])
    let calls: [Call] = [
      { [$0[0].sum().item() > 0 ? $0[0] + 1 : $0[0] - 1] },
      { [$0[0] * $0[0].mean().item()] },
      { [$0[0] + Tensor.randn(40, 40)] },
      { [($0[0] .> 0).nonzero()] },
      // An input as it is.
      { [$0[0]] },
      { [$0[0].transposed()] },
    ]
    for (index, call) in calls.enumerated() {
      let (results, sequence) = withoutGradients { KernelSequence.recording([x], call) }
      #expect(sequence == nil, "call \(index)")
      #expect(results.count == 1)
    }
  }

  /// Whoever records the steps of execution gets them, and mistakes stay mistakes.
  @Test func logsAndMistakesGoTheUsualWay() throws {
    let x = Self.images([1, 1, 1, 1, 1, 1, 1, 1])
    let recorded = withoutGradients { KernelSequence.recording([x]) { [$0[0] + 1] } }
    let sequence = try #require(recorded.sequence)
    #expect(sequence.results([x]) != nil)
    #expect(ExecutionLog.recording { sequence.results([x]) }.result == nil)
    #expect(sequence.results([Tensor.poisoned]) == nil)
  }

  /// Results have memory of their own, and so has each call.
  @Test func resultsStay() async throws {
    let w = Self.images([64, 64])
    let x = Self.images([64, 64])
    let call: Call = { [($0[0].matmul(w) + 1).softmax(over: 1), $0[0] * 2] }
    let recorded = withoutGradients { KernelSequence.recording([x], call) }
    let sequence = try #require(recorded.sequence)
    let inputs = (0..<6).map { (x + Double($0)).evaluated() }
    let found = await withTaskGroup(of: (Int, [Tensor]).self) { group in
      for (index, input) in inputs.enumerated() {
        group.addTask { (index, sequence.results([input]) ?? []) }
      }
      return await group.reduce(into: [Int: [Tensor]]()) { $0[$1.0] = $1.1 }
    }
    for (index, input) in inputs.enumerated() {
      let results = try #require(found[index])
      for (one, wanted) in zip(results, call([input])) { #expect(one.isEqual(to: wanted)) }
    }
  }
}
