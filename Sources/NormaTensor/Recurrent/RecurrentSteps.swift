import CNormaLoops

/// The formula of a recurrent step.
package enum RecurrentFormula: Sendable {
  case rnnTanh
  case rnnRelu
  case lstm
  case gru

  var number: Int32 {
    switch self {
    case .rnnTanh: Int32(NORMA_RNN_TANH.rawValue)
    case .rnnRelu: Int32(NORMA_RNN_RELU.rawValue)
    case .lstm: Int32(NORMA_LSTM.rawValue)
    case .gru: Int32(NORMA_GRU.rawValue)
    }
  }

  var gates: Int {
    switch self {
    case .rnnTanh, .rnnRelu: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// Numbers that a step saves for its gradient, for each component of the state, besides the cell.
  var saved: Int { self == .lstm || self == .gru ? 4 : 0 }
}

/// All steps of a layer of a recurrent network in one direction, with their gradients, without a
/// history: sequences are independent, so each thread takes all steps of some of them.
///
/// Formulas and the order of gates are in recurrent.h. Tensors are `float32` or `float64`, all the
/// same, and have no history.
package struct RecurrentSteps: Sendable {
  package let formula: RecurrentFormula
  /// The input's share of all gates, `[T, N, gates hidden]`, T and N above 0.
  package let gates: Tensor
  /// The first state `[N, hidden]`, and LSTM's first cell.
  package let hidden: Tensor
  package let cell: Tensor?
  /// `[gates hidden, hidden]`.
  package let recurrent: Tensor
  /// `[gates hidden]`, added to the input's share.
  package let bias: Tensor?
  /// GRU's bias `[hidden]` inside the product that the reset gate multiplies.
  package let newBias: Tensor?
  /// Which steps exist, `bool` `[T, N, 1]`; nil if all do.
  package let valid: Tensor?
  package let isReversed: Bool

  package init(
    _ formula: RecurrentFormula, gates: Tensor, hidden: Tensor, cell: Tensor?, recurrent: Tensor,
    bias: Tensor?, newBias: Tensor?, valid: Tensor?, isReversed: Bool
  ) {
    self.formula = formula
    self.gates = gates.detached().contiguous()
    self.hidden = hidden.detached().contiguous()
    self.cell = cell?.detached().contiguous()
    self.recurrent = recurrent.detached().contiguous()
    self.bias = bias?.detached().contiguous()
    self.newBias = newBias?.detached().contiguous()
    self.valid = valid?.detached().contiguous()
    self.isReversed = isReversed
  }

  var steps: Int { gates.shape[0] }
  var batch: Int { gates.shape[1] }
  var width: Int { hidden.shape[1] }
  var dtype: DType { gates.dtype }

  /// The results of all steps.
  package struct Results: Sendable {
    /// `[T, N, hidden]`, and LSTM's last cell behind: `[T + 1, N, hidden]`.
    package let states: Tensor
    /// What the gradient needs: gates `[T, N, saved hidden]` and cells `[T, N, hidden]`; empty
    /// unless asked for.
    package let saved: [Tensor]

    package init(states: Tensor, saved: [Tensor]) {
      (self.states, self.saved) = (states, saved)
    }
  }

  /// Computes all steps; nil if there was no memory, which is recorded.
  package func results(saving: Bool) -> Results? {
    let isLSTM = formula == .lstm
    let size = batch * width
    let savesCells = saving && isLSTM
    guard
      let states = Tensor.Pack(count: (steps + (isLSTM ? 1 : 0)) * size, of: 1, dtype: dtype),
      let saved = Tensor.Pack(
        count: saving ? steps * size * formula.saved : 0, of: 1, dtype: dtype),
      let cells = Tensor.Pack(count: savesCells ? steps * size : 0, of: 1, dtype: dtype),
      let operands = RecurrentOperands(self, turning: batch > 1 && steps >= Limits.turningSteps)
    else { return nil }
    operands.note("\(formula)", writes: states, saved, cells)
    let (form, count) = (operands.form, operands.memory.count)
    let results: [KernelMemory] = [
      .writes(states.storage), .writes(saved.storage), .writes(cells.storage),
    ]
    _ = KernelRecorder.run(operands.memory + results) { at in
      let results = at + count
      RecurrentKernel(form, at: at).run(
        states: results[0], saved: saving ? results[1] : nil,
        cells: savesCells ? results[2] : nil)
      return true
    }
    func tensor(_ pack: Tensor.Pack, _ count: Int, _ numbers: Int) -> Tensor {
      pack.tensors(like: Layout(contiguous: [count, batch, numbers]))[0]
    }
    return Results(
      states: tensor(states, steps + (isLSTM ? 1 : 0), width),
      saved: (saving && formula.saved > 0 ? [tensor(saved, steps, formula.saved * width)] : [])
        + (savesCells ? [tensor(cells, steps, width)] : []))
  }

  /// The gradients of what the steps read.
  package struct Gradients: Sendable {
    /// Of the input's share, `[T, N, gates hidden]`.
    package let gates: Tensor
    /// Of the products with the states, of the same shape; other numbers only for GRU.
    package let products: Tensor
    /// Of the first state, and of LSTM's first cell.
    package let hidden: Tensor
    package let cell: Tensor?
  }

  /// The gradients from `upstream`, of the shape of the results' states; nil if there was no
  /// memory, which is recorded.
  package func gradients(_ results: Results, upstream: Tensor) -> Gradients? {
    let upstream = upstream.detached().contiguous()
    let size = batch * width
    let isGRU = formula == .gru
    guard
      let gates = Tensor.Pack(count: steps * size * formula.gates, of: 1, dtype: dtype),
      let products = Tensor.Pack(
        count: isGRU ? steps * size * formula.gates : 0, of: 1, dtype: dtype),
      let state = Tensor.Pack(count: size, of: 3, dtype: dtype),
      let operands = RecurrentOperands(
        self, turning: false, and: [upstream, results.states] + results.saved)
    else { return nil }
    operands.note("\(formula) gradient", writes: gates, products, state)
    let (form, count) = (operands.form, operands.memory.count)
    let saved = results.saved.count
    let written: [KernelMemory] = [
      .writes(gates.storage), .writes(products.storage), .writes(state.storage),
    ]
    _ = KernelRecorder.run(operands.memory + written) { at in
      let (kernel, written) = (RecurrentKernel(form, at: at), at + count)
      let further = kernel.operands.further
      kernel.differentiate(
        upstream: further[0], states: further[1], saved: saved > 0 ? further[2] : nil,
        cells: saved > 1 ? further[3] : nil,
        gates: written[0], products: isGRU ? written[1] : nil, state: written[2])
      return true
    }
    let layout = Layout(contiguous: [steps, batch, formula.gates * width])
    let parts = state.tensors(like: Layout(contiguous: [batch, width]))
    let all = gates.tensors(like: layout)[0]
    return Gradients(
      gates: all, products: isGRU ? products.tensors(like: layout)[0] : all,
      hidden: parts[0] + parts[1], cell: formula == .lstm ? parts[2] : nil)
  }
}
