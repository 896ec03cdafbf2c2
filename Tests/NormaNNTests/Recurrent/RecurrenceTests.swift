@testable import NormaNN
import NormaTensor
import Testing

/// The variants of ONNX, and the operation over all steps against its definition.
@Suite(.seeded) struct RecurrenceTests {
  private func weights(
    _ kind: RecurrentKind, peepholes: Bool = false, projection: Int? = nil
  ) -> RecurrentWeights {
    let rows = kind.gates * 3
    func draw(_ shape: Int...) -> Tensor { .randn(shape, dtype: .float64) }
    return RecurrentWeights(
      input: draw(rows, 4), recurrent: draw(rows, projection ?? 3), inputBias: draw(rows),
      recurrentBias: draw(rows), peepholes: peepholes ? draw(9) : nil,
      projection: projection.map { draw($0, 3) })
  }

  private func biases(_ weights: RecurrentWeights) -> Tensor {
    [weights.inputBias, weights.recurrentBias].compactMap { $0 }.reduce(.zeros([], dtype: .float64))
    {
      $0 + $1
    }
  }

  @Test(arguments: [RecurrentKind.rnn, .lstm, .gru], [false, true])
  func oneOperationIsTheRecordedSteps(_ kind: RecurrentKind, _ isReversed: Bool) {
    var recurrence = Recurrence(kind)
    recurrence.isReversed = isReversed
    let valid = (Tensor.arange(6).reshaped(6, 1, 1) .< Tensor([6, 2] as [Int]).reshaped(1, 2, 1))
    func draw(_ shape: [Int]) -> Tensor {
      Tensor.randn(shape, dtype: .float64).requiringGradient()
    }
    let states = RecurrentStates(
      gates: draw([6, 2, kind.gates * 3]), hidden: draw([2, 3]),
      cell: kind == .lstm ? draw([2, 3]) : nil, recurrent: draw([kind.gates * 3, 3]),
      bias: draw([kind.gates * 3]), newBias: kind == .gru ? draw([3]) : nil, valid: valid)
    #expect(recurrence.isPlain(states))
    let inputs =
      [states.gates, states.hidden, states.recurrent]
      + [states.cell, states.bias, states.newBias].compactMap { $0 }
    func run(_ body: (RecurrentStates) -> (output: Tensor, cell: Tensor?)) -> [Tensor] {
      let result = body(states)
      let loss =
        (result.output * Tensor.arange(36).reshaped(6, 2, 3).cast(to: .float64).cos()).sum()
      let total = result.cell.map { loss + ($0 * $0).sum() } ?? loss
      return [result.output] + (result.cell.map { [$0] } ?? [])
        + Tensor.gradient(of: total, at: inputs)
    }
    for (a, b) in zip(run(recurrence.fast), run(recurrence.recorded)) {
      #expect((a - b).abs().max().item() <= 1e-13)
    }
  }

  /// Batches below, at and above the number of sequences that a thread takes together.
  @Test(arguments: [1, 2, 4, 7, 8, 9, 16, 19], [RecurrentKind.rnn, .lstm, .gru])
  func batchesOfEverySize(_ batch: Int, _ kind: RecurrentKind) throws {
    let w = weights(kind)
    func narrow(_ w: RecurrentWeights) -> RecurrentWeights {
      w.mapped { $0.cast(to: .float32) }
    }
    let x = Tensor.randn([5, batch, 4], dtype: .float64)
    var recurrence = Recurrence(kind)
    if kind == .rnn && batch % 2 == 0 { recurrence.activations = [.relu] }
    func run(_ x: Tensor, _ w: RecurrentWeights) throws -> [Tensor] {
      let x = x.requiringGradient()
      let result = try recurrence.run(x, w, call: "test")
      let gradient = Tensor.gradient(of: (result.output * result.output).sum(), at: [x])
      return [result.output, result.cell ?? result.hidden] + gradient
    }
    // One sequence at a time, step by step, with a clip that changes nothing.
    var limited = recurrence
    limited.clip = 1e9
    for index in 0..<batch {
      let alone = try limited.run(x.narrowed(over: 1, from: index, count: 1), w, call: "test")
      let together = try recurrence.run(x, w, call: "test")
      let part = together.output.narrowed(over: 1, from: index, count: 1)
      #expect((part - alone.output).abs().max().item() < 1e-13)
    }
    let (exact, rounded) = (try run(x, w), try run(x.cast(to: .float32), narrow(w)))
    for (a, b) in zip(exact, rounded) {
      // States of relu grow from step to step.
      let scale = max(a.abs().max().item(), 1)
      #expect((a - b.cast(to: .float64)).abs().max().item() < 1e-5 * scale)
    }
  }

  @Test func threadsChangeNothingAndStepsAreOneOperation() throws {
    let w = weights(.lstm).mapped { $0.cast(to: .float32) }
    let x = Tensor.randn(200, 40, 4).requiringGradient()
    func run() throws -> [Tensor] {
      let output = try Recurrence(.lstm).run(x, w, call: "test").output
      return [output] + Tensor.gradient(of: (output * output).sum(), at: [x])
    }
    let (results, steps) = try ExecutionLog.recording { try run().map { $0.evaluated() } }
    #expect(steps.count { $0.path == .recurrence } == 2)
    let alone = try withThreads(1) { try run().map { $0.evaluated() } }
    for (a, b) in zip(results, alone) { #expect(a.isEqual(to: b)) }
  }

  /// By hand, for one step from a given state.
  @Test func variantsOfONNX() throws {
    var recurrence = Recurrence(.lstm)
    recurrence.clip = 0.75
    let w = weights(.lstm, peepholes: true)
    let x = Tensor.randn([1, 2, 4], dtype: .float64)
    let (h, c) = (
      Tensor.randn([2, 3], dtype: .float64), Tensor.randn([2, 3], dtype: .float64)
    )
    let sum = x[0].matmul(w.input.transposed()) + h.matmul(w.recurrent.transposed()) + biases(w)
    let parts = sum.chunked(4, over: 1)
    let p = (w.peepholes ?? .poisoned).chunked(3)
    func cut(_ x: Tensor) -> Tensor { x.clamped(min: -0.75, max: 0.75) }
    let i = cut(parts[0] + p[0] * c).sigmoid()
    for coupled in [false, true] {
      recurrence.couplesInputAndForget = coupled
      let f = coupled ? 1 - i : cut(parts[1] + p[1] * c).sigmoid()
      let next = f * c + i * cut(parts[2]).tanh()
      let expected = cut(parts[3] + p[2] * next).sigmoid() * next.tanh()
      let found = try recurrence.run(x, w, hidden: h, cell: c, call: "test")
      #expect((found.output[0] - expected).abs().max().item() < 1e-13)
      #expect(((found.cell ?? .poisoned) - next).abs().max().item() < 1e-13)
    }
  }

  @Test func resettingBeforeTheProduct() throws {
    var recurrence = Recurrence(
      .gru, activations: [.hardSigmoid(alpha: 0.2, beta: 0.5), .softsign])
    recurrence.resetsAfterProduct = false
    let w = weights(.gru)
    let x = Tensor.randn([1, 2, 4], dtype: .float64)
    let h = Tensor.randn([2, 3], dtype: .float64)
    let input = (x[0].matmul(w.input.transposed()) + biases(w))
      .chunked(3, over: 1)
    let rows = w.recurrent.chunked(3)
    func hard(_ x: Tensor) -> Tensor { (x * 0.2 + 0.5).clamped(min: 0.0, max: 1.0) }
    let r = hard(input[0] + h.matmul(rows[0].transposed()))
    let z = hard(input[1] + h.matmul(rows[1].transposed()))
    let n = (input[2] + (r * h).matmul(rows[2].transposed())).softsign()
    let found = try recurrence.run(x, w, hidden: h, call: "test")
    #expect((found.hidden - ((1 - z) * n + z * h)).abs().max().item() < 1e-13)
  }

  @Test func ordersOfONNX() {
    let rows = Tensor.arange(8).reshaped(8, 1)
    #expect(
      RecurrentWeights.fromONNX(rows, .lstm).array(of: Int.self) == [0, 1, 4, 5, 6, 7, 2, 3])
    #expect(
      RecurrentWeights.fromONNX(Tensor.arange(3), .gru).array(of: Int.self) == [1, 0, 2])
    #expect(
      RecurrentWeights.peepholesFromONNX(Tensor.arange(3)).array(of: Int.self) == [0, 2, 1])
  }

  @Test func halfTypesAndMixedPrecision() {
    let layer = LSTM(4, 3)
    let x = Tensor.randn(5, 2, 4)
    let y = layer(x).output
    let mixed = autocast(.bfloat16) { layer(x).output }
    #expect(mixed.dtype == .bfloat16)
    #expect((mixed.cast(to: .float32) - y).abs().max().item() < 0.03)
    mixed.sum().backward()
    #expect(layer.directions[0].weightHH.grad?.dtype == .float32)
  }
}
