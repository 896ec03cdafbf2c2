import NormaTensor

/// One step of a usual recurrence, as pending work that runs in one pass over memory.
struct PlainStep {
  /// The new state, and LSTM's new cell.
  private(set) var hidden: Tensor
  private(set) var cell: Tensor?
  /// What the gradient needs: LSTM's gates i, f, g, o; GRU's r, z, n and what r multiplies.
  private(set) var saved: [Tensor] = []

  init(
    _ kind: RecurrentKind, _ input: Tensor, _ product: Tensor, _ old: Tensor, _ oldCell: Tensor?,
    _ width: Int, _ recurrence: Recurrence, _ newBias: Tensor?
  ) {
    func part(_ x: Tensor, _ index: Int) -> Tensor {
      x.narrowed(over: 1, from: index * width, count: width)
    }
    func sum(_ index: Int) -> Tensor { part(input, index) + part(product, index) }
    switch (kind, oldCell) {
    case (.lstm, let oldCell?):
      let (write, keep) = (sum(0).sigmoid(), sum(1).sigmoid())
      let (new, output) = (sum(2).tanh(), sum(3).sigmoid())
      let next = keep * oldCell + write * new
      (hidden, cell) = (output * next.tanh(), next)
      saved = [write, keep, new, output]
    case (.gru, _):
      let (reset, update) = (sum(0).sigmoid(), sum(1).sigmoid())
      let inner = newBias.map { part(product, 2) + $0 } ?? part(product, 2)
      let new = (part(input, 2) + reset * inner).tanh()
      hidden = new + update * (old - new)
      saved = [reset, update, new, inner]
    default:
      hidden = recurrence.activations[0](input + product)
    }
  }

  /// Keeps the old state where the step does not exist.
  mutating func keep(_ old: Tensor, _ oldCell: Tensor?, unless valid: Tensor) {
    hidden = Tensor.where(valid, hidden, old)
    if let new = cell, let oldCell { cell = Tensor.where(valid, new, oldCell) }
  }
}

/// The gradients of one step.
struct PlainStepGradient {
  /// Of the arguments of the gates' activations, in order.
  private(set) var gates: [Tensor]
  /// Of what GRU's reset gate multiplies.
  private(set) var inner: Tensor?
  /// Of the cell before the step.
  private(set) var cell: Tensor?
  /// Of the state before the step, except through the product.
  private(set) var direct: Tensor?
  private let upstream: Tensor
  private let cellUpstream: Tensor?

  init(
    _ kind: RecurrentKind, _ saved: [Tensor], result: Tensor, hidden: Tensor, cell oldCell: Tensor?,
    upstream: Tensor, cellUpstream: Tensor?, isRelu: Bool
  ) {
    self.upstream = upstream
    self.cellUpstream = cellUpstream
    switch (kind, oldCell, cellUpstream) {
    case (.lstm, let oldCell?, let cellUpstream?):
      let (write, keep, new, output) = (saved[0], saved[1], saved[2], saved[3])
      let shown = saved[4].tanh()
      let next = cellUpstream + upstream * output * (1 - shown * shown)
      gates = [
        next * new * (write * (1 - write)), next * oldCell * (keep * (1 - keep)),
        next * write * (1 - new * new), upstream * shown * (output * (1 - output)),
      ]
      cell = next * keep
    case (.gru, _, _):
      let (reset, update, new, product) = (saved[0], saved[1], saved[2], saved[3])
      let last = upstream * (1 - update) * (1 - new * new)
      gates = [
        last * product * (reset * (1 - reset)),
        upstream * (hidden - new) * (update * (1 - update)), last,
      ]
      inner = last * reset
      direct = upstream * update
    default:
      gates = [
        isRelu ? Tensor.where(result .> 0, upstream, 0) : upstream * (1 - result * result)
      ]
    }
  }

  /// Passes the gradients on where the step does not exist.
  mutating func drop(unless valid: Tensor) {
    gates = gates.map { Tensor.where(valid, $0, 0) }
    inner = inner.map { Tensor.where(valid, $0, 0) }
    direct = Tensor.where(valid, direct ?? Tensor.zeros([], dtype: upstream.dtype), upstream)
    if let cell, let cellUpstream { self.cell = Tensor.where(valid, cell, cellUpstream) }
  }
}
