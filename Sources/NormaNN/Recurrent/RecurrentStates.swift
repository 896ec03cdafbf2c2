import NormaTensor

/// What the steps of a layer start from: the input's share of all gates, the first state, and the
/// weights that act on states.
struct RecurrentStates {
  /// `[T, N, gates hidden]`, stored.
  var gates: Tensor
  /// `[N, outputs]`.
  var hidden: Tensor
  /// `[N, hidden]`, for LSTM.
  var cell: Tensor?
  var recurrent: Tensor
  /// `[gates hidden]`, added to the input's share.
  var bias: Tensor?
  var newBias: Tensor?
  var peepholes: Tensor?
  var projection: Tensor?
  /// `[T, N, 1]`: which steps exist; nil if all do.
  var valid: Tensor?

  var steps: Int { gates.shape[0] }
}

extension Recurrence {
  /// The hidden states of all steps `[T, N, outputs]`, and the last cell, as recorded operations:
  /// the definition, whose gradients follow from those of its parts.
  func recorded(_ states: RecurrentStates) -> (output: Tensor, cell: Tensor?) {
    let inputs = (states.bias.map { states.gates + $0 } ?? states.gates).unbound()
    let valid = states.valid?.unbound()
    let recurrent = states.recurrent.transposed()
    let width = states.gates.shape[2] / kind.gates
    var (hidden, cell) = (states.hidden, states.cell)
    var outputs = inputs
    for index in isReversed ? Array(inputs.indices.reversed()) : Array(inputs.indices) {
      var next = step(
        inputs[index], hidden, cell, recurrent: recurrent, width: width, states)
      if let valid = valid?[index] {
        next.hidden = Tensor.where(valid, next.hidden, hidden)
        if let new = next.cell, let cell { next.cell = Tensor.where(valid, new, cell) }
      }
      (hidden, cell) = next
      Tensor.evaluate(together: [hidden] + (cell.map { [$0] } ?? []))
      outputs[index] = hidden
    }
    return (Tensor.stacked(outputs), cell)
  }

  private func step(
    _ input: Tensor, _ hidden: Tensor, _ cell: Tensor?, recurrent: Tensor, width: Int,
    _ states: RecurrentStates
  ) -> (hidden: Tensor, cell: Tensor?) {
    func gate(_ x: Tensor, _ index: Int) -> Tensor {
      x.narrowed(over: 1, from: index * width, count: width)
    }
    func limited(_ x: Tensor) -> Tensor { clip.map { x.clamped(min: -$0, max: $0) } ?? x }
    switch (kind, cell) {
    case (.lstm, let cell?):
      let product = hidden.matmul(recurrent)
      let peepholes = states.peepholes?.chunked(3)
      func sum(_ index: Int, _ peephole: Int? = nil, _ cell: Tensor? = nil) -> Tensor {
        let sum = gate(input, index) + gate(product, index)
        guard let peephole, let cell, let weights = peepholes else { return limited(sum) }
        return limited(sum + weights[peephole] * cell)
      }
      let write = activations[0](sum(0, 0, cell))
      let keep = couplesInputAndForget ? 1 - write : activations[0](sum(1, 1, cell))
      let next = keep * cell + write * activations[1](sum(2))
      let output = activations[0](sum(3, 2, next)) * activations[2](next)
      return (states.projection.map { output.matmul($0.transposed()) } ?? output, next)
    case (.gru, _):
      let isSplit = !resetsAfterProduct
      let product = hidden.matmul(
        isSplit ? recurrent.narrowed(over: 1, from: 0, count: 2 * width) : recurrent)
      let reset = activations[0](limited(gate(input, 0) + gate(product, 0)))
      let update = activations[0](limited(gate(input, 1) + gate(product, 1)))
      var inner: Tensor
      if isSplit {
        inner = (reset * hidden)
          .matmul(recurrent.narrowed(over: 1, from: 2 * width, count: width))
      } else {
        inner = gate(product, 2)
        inner = reset * (states.newBias.map { inner + $0 } ?? inner)
      }
      let new = activations[1](limited(gate(input, 2) + inner))
      return (new + update * (hidden - new), nil)
    default:
      return (activations[0](limited(input + hidden.matmul(recurrent))), nil)
    }
  }
}
