import NormaTensor

/// The kind of a recurrent network, with its number of gates.
package enum RecurrentKind: Sendable, Hashable {
  case rnn
  case lstm
  case gru

  /// The number of gates: matrices of the hidden size on top of each other in a weight.
  package var gates: Int {
    switch self {
    case .rnn: 1
    case .lstm: 4
    case .gru: 3
    }
  }
}

/// The parameters of one layer in one direction, with the gates in PyTorch's order: input, forget,
/// cell, output for LSTM; reset, update, new for GRU.
package struct RecurrentWeights: Sendable {
  /// `[gates hidden, inputs]`.
  package var input: Tensor
  /// `[gates hidden, outputs]`.
  package var recurrent: Tensor
  /// `[gates hidden]`, of the products with the input and with the state.
  package var inputBias: Tensor?
  package var recurrentBias: Tensor?
  /// `[3 hidden]`: LSTM's weights from the cell to the input, forget and output gates.
  package var peepholes: Tensor?
  /// `[outputs, hidden]`: LSTM's map from the hidden state to what is put out.
  package var projection: Tensor?

  package init(
    input: Tensor, recurrent: Tensor, inputBias: Tensor? = nil, recurrentBias: Tensor? = nil,
    peepholes: Tensor? = nil, projection: Tensor? = nil
  ) {
    self.input = input
    self.recurrent = recurrent
    self.inputBias = inputBias
    self.recurrentBias = recurrentBias
    self.peepholes = peepholes
    self.projection = projection
  }

  /// The rows of ONNX's weights or biases in the order of PyTorch: from input, output, forget, cell
  /// for LSTM, and from update, reset, hidden for GRU.
  package static func fromONNX(_ x: Tensor, _ kind: RecurrentKind) -> Tensor {
    let order: [Int]
    switch kind {
    case .rnn: return x
    case .lstm: order = [0, 2, 3, 1]
    case .gru: order = [1, 0, 2]
    }
    let parts = x.chunked(kind.gates)
    return Tensor.concatenated(order.map { parts[$0] }, over: 0)
  }

  /// ONNX's peepholes, of the input, output and forget gates, in the order of ``peepholes``.
  package static func peepholesFromONNX(_ x: Tensor) -> Tensor {
    let parts = x.chunked(3)
    return Tensor.concatenated([parts[0], parts[2], parts[1]], over: 0)
  }

  var all: [Tensor] {
    [input, recurrent] + [inputBias, recurrentBias, peepholes, projection].compactMap { $0 }
  }

  func mapped(_ body: (Tensor) -> Tensor) -> RecurrentWeights {
    RecurrentWeights(
      input: body(input), recurrent: body(recurrent), inputBias: inputBias.map(body),
      recurrentBias: recurrentBias.map(body), peepholes: peepholes.map(body),
      projection: projection.map(body))
  }
}

/// One layer of a recurrent network in one direction: the variants of PyTorch and ONNX.
///
/// - RNN: h' = f(W x + b + R h + c).
/// - LSTM: i, f, o = f(W x + b + R h + c), g = g(...); cell' = f cell + i g; h' = o h(cell').
///   Peepholes add p cell to the input and forget gates, p cell' to the output gate.
/// - GRU: r, z = f(W x + b + R h + c), n = g(W x + b + r (R h + c)); h' = n + z (h - n).
package struct Recurrence: Sendable, Hashable {
  package var kind: RecurrentKind
  /// f for RNN; f, g for GRU; f, g, h for LSTM.
  package var activations: [RecurrentActivation]
  /// Limits the arguments of the gates' activations to ±clip.
  package var clip: Double?
  /// Whether LSTM's forget gate is 1 - its input gate (ONNX: `input_forget`).
  package var couplesInputAndForget = false
  /// Whether GRU's reset gate multiplies the product R h + c, as in PyTorch, and not h before it
  /// (ONNX: `linear_before_reset`, 0 by default).
  package var resetsAfterProduct = true
  /// Whether steps are taken from the last to the first.
  package var isReversed = false

  package init(_ kind: RecurrentKind, activations: [RecurrentActivation]? = nil) {
    self.kind = kind
    self.activations = activations ?? Self.usual(kind)
  }

  static func usual(_ kind: RecurrentKind) -> [RecurrentActivation] {
    switch kind {
    case .rnn: [.tanh]
    case .lstm: [.sigmoid, .tanh, .tanh]
    case .gru: [.sigmoid, .tanh]
    }
  }

  /// The results of a layer in one direction.
  package struct Results {
    /// `[T, N, outputs]`; 0 after the end of a sequence.
    package var output: Tensor
    /// `[N, outputs]`, after each sequence's last step.
    package var hidden: Tensor
    /// `[N, hidden]`; nil except for LSTM.
    package var cell: Tensor?
  }

  /// Runs over `x` `[T, N, inputs]`.
  ///
  /// - Parameters:
  ///   - x: the input, time first.
  ///   - weights: the parameters.
  ///   - hidden: the initial state `[N, outputs]`; 0 by default.
  ///   - cell: LSTM's initial cell `[N, hidden]`; 0 by default.
  ///   - lengths: the number of steps of each sequence; T by default. States stay as they are
  ///     afterwards, and backward in time sequences begin at their own ends.
  ///   - call: the call for error messages.
  package func run(
    _ x: Tensor, _ weights: RecurrentWeights, hidden: Tensor? = nil, cell: Tensor? = nil,
    lengths: [Int]? = nil, call: String
  ) throws(TensorError) -> Results {
    if Autocast.type != nil {
      let (x, weights) = (x.narrowed, weights.mapped(\.narrowed))
      let (hidden, cell) = (hidden?.narrowed, cell?.narrowed)
      return try Autocast.off { () throws(TensorError) in
        try run(x, weights, hidden: hidden, cell: cell, lengths: lengths, call: call)
      }
    }
    let sizes = try sizes(x, weights, hidden, cell, lengths, call)
    let (steps, batch) = (x.shape[0], x.shape[1])
    let hidden = hidden ?? .zeros(batch, sizes.outputs, dtype: x.dtype)
    let cell = kind == .lstm ? cell ?? .zeros(batch, sizes.hidden, dtype: x.dtype) : nil
    guard steps > 0, batch > 0 else {
      let output = Tensor.zeros(steps, batch, sizes.outputs, dtype: x.dtype)
      return Results(output: output, hidden: hidden, cell: cell)
    }
    let (bias, newBias) = biases(weights, sizes.hidden)
    // One product for all steps.
    let gates = Tensor.linear(
      x.reshaped(steps * batch, x.shape[2]), weight: weights.input, bias: nil
    )
    .reshaped(steps, batch, weights.input.shape[0])
    let valid = lengths.flatMap { validity($0, steps) }
    let states = RecurrentStates(
      gates: gates.evaluated(), hidden: hidden, cell: cell, recurrent: weights.recurrent,
      bias: bias, newBias: newBias, peepholes: weights.peepholes, projection: weights.projection,
      valid: valid)
    let (output, last) = isPlain(states) ? fast(states) : recorded(states)
    return Results(
      output: valid.map { Tensor.where($0, output, 0) } ?? output,
      hidden: output[isReversed ? 0 : steps - 1], cell: last)
  }

  /// The biases of both products as far as they are added together, and GRU's bias inside the
  /// product that the reset gate multiplies.
  private func biases(_ weights: RecurrentWeights, _ hidden: Int) -> (Tensor?, new: Tensor?) {
    guard kind == .gru, resetsAfterProduct, let recurrent = weights.recurrentBias else {
      guard let input = weights.inputBias else { return (weights.recurrentBias, nil) }
      return (weights.recurrentBias.map { input + $0 } ?? input, nil)
    }
    let parts = recurrent.split([2 * hidden, hidden])
    let added = Tensor.concatenated([parts[0], .zeros(hidden, dtype: recurrent.dtype)], over: 0)
    return (weights.inputBias.map { $0 + added } ?? added, parts[1])
  }

  /// Whether each step of each sequence exists, `[T, N, 1]`; nil if all do.
  private func validity(_ lengths: [Int], _ steps: Int) -> Tensor? {
    if lengths.allSatisfy({ $0 == steps }) { return nil }
    return (Tensor.arange(steps).reshaped(steps, 1, 1) .< Tensor(lengths).reshaped(1, -1, 1))
      .evaluated()
  }

  private func sizes(
    _ x: Tensor, _ weights: RecurrentWeights, _ hidden: Tensor?, _ cell: Tensor?,
    _ lengths: [Int]?, _ call: String
  ) throws(TensorError) -> (hidden: Int, outputs: Int) {
    let (input, recurrent) = (weights.input, weights.recurrent)
    guard x.rank == 3, input.rank == 2, recurrent.rank == 2, x.shape[2] == input.shape[1],
      input.shape[0] == recurrent.shape[0], input.shape[0] % kind.gates == 0
    else {
      throw TensorError(
        call,
        "input \(x.shape) does not fit the weights \(input.shape) and \(recurrent.shape); "
          + "expected [T, N, \(input.shape.last ?? 0)]")
    }
    if let other = weights.all.first(where: { $0.dtype != x.dtype }) {
      throw TensorError(
        call, "input is \(x.dtype) and the weights are \(other.dtype); cast one of them")
    }
    let sizes = (hidden: input.shape[0] / kind.gates, outputs: recurrent.shape[1])
    let expected = [
      ("the hidden state", hidden, [x.shape[1], sizes.outputs]),
      ("the cell state", cell, [x.shape[1], sizes.hidden]),
      ("the bias", weights.inputBias, [input.shape[0]]),
      ("the recurrent bias", weights.recurrentBias, [input.shape[0]]),
      ("the peepholes", weights.peepholes, [3 * sizes.hidden]),
      ("the projection", weights.projection, [sizes.outputs, sizes.hidden]),
    ]
    for case (let name, let tensor?, let shape) in expected where tensor.shape != shape {
      throw TensorError(call, "\(name) has shape \(tensor.shape); expected \(shape)")
    }
    for case let state? in [hidden, cell] where state.dtype != x.dtype {
      throw TensorError(
        call, "a state is \(state.dtype) and the input \(x.dtype); cast one of them")
    }
    if let lengths {
      guard lengths.count == x.shape[1], lengths.allSatisfy({ 0...x.shape[0] ~= $0 }) else {
        throw TensorError(
          call, "lengths \(lengths) are not \(x.shape[1]) numbers in 0 ... \(x.shape[0])")
      }
    }
    return sizes
  }
}
