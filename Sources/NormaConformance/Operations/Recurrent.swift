import NormaNN
import NormaTensor

let recurrentModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.RNN": recurrentModule(.rnn),
  "nn.GRU": recurrentModule(.gru),
  "nn.LSTM": recurrentModule(.lstm),
  "nn.RNNCell": recurrentCell(.rnn),
  "nn.GRUCell": recurrentCell(.gru),
  "nn.LSTMCell": recurrentCell(.lstm),
]

/// `RNN(input_size, hidden_size, num_layers, nonlinearity, bias, batch_first, dropout,
/// bidirectional)`, `GRU` and `LSTM` without the nonlinearity, `LSTM` with `proj_size` at the end.
private func recurrentModule(
  _ kind: RecurrentKind
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    guard let inputs = try arguments.int(0, "input_size"),
      let hidden = try arguments.int(1, "hidden_size")
    else { throw arguments.missing("input_size or hidden_size") }
    let shift = kind == .rnn ? 1 : 0
    let layers = try arguments.int(2, "num_layers") ?? 1
    let bias = try arguments.bool(3 + shift, "bias") ?? true
    let batchFirst = try arguments.bool(4 + shift, "batch_first") ?? false
    let dropout = try arguments.double(5 + shift, "dropout") ?? 0
    let both = try arguments.bool(6 + shift, "bidirectional") ?? false
    switch kind {
    case .rnn:
      let layer = RNN(
        inputs, hidden, numLayers: layers, nonlinearity: try nonlinearity(arguments, 3),
        bias: bias, batchFirst: batchFirst, dropout: dropout, bidirectional: both)
      return CaseModule(layer) { call in
        let result = layer(try call.tensor(0), state: try call.optionalTensor(1, "hx"))
        return [result.output, result.state]
      }
    case .gru:
      let layer = GRU(
        inputs, hidden, numLayers: layers, bias: bias, batchFirst: batchFirst, dropout: dropout,
        bidirectional: both)
      return CaseModule(layer) { call in
        let result = layer(try call.tensor(0), state: try call.optionalTensor(1, "hx"))
        return [result.output, result.state]
      }
    case .lstm:
      let layer = LSTM(
        inputs, hidden, numLayers: layers, bias: bias, batchFirst: batchFirst, dropout: dropout,
        bidirectional: both, projSize: try arguments.int(7, "proj_size") ?? 0)
      return CaseModule(layer) { call in
        let result = layer(try call.tensor(0), state: try lstmState(call))
        return [result.output, result.state.hidden, result.state.cell]
      }
    }
  }
}

/// `RNNCell(input_size, hidden_size, bias, nonlinearity)`, the others without the nonlinearity.
private func recurrentCell(
  _ kind: RecurrentKind
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    guard let inputs = try arguments.int(0, "input_size"),
      let hidden = try arguments.int(1, "hidden_size")
    else { throw arguments.missing("input_size or hidden_size") }
    let bias = try arguments.bool(2, "bias") ?? true
    switch kind {
    case .rnn:
      let cell = RNNCell(
        inputs, hidden, bias: bias, nonlinearity: try nonlinearity(arguments, 3))
      return CaseModule(cell) {
        [cell(try $0.tensor(0), state: try $0.optionalTensor(1, "hx"))]
      }
    case .gru:
      let cell = GRUCell(inputs, hidden, bias: bias)
      return CaseModule(cell) {
        [cell(try $0.tensor(0), state: try $0.optionalTensor(1, "hx"))]
      }
    case .lstm:
      let cell = LSTMCell(inputs, hidden, bias: bias)
      return CaseModule(cell) { call in
        let state = cell(try call.tensor(0), state: try lstmState(call))
        return [state.hidden, state.cell]
      }
    }
  }
}

private func nonlinearity(
  _ arguments: CaseArguments, _ position: Int
) throws -> RecurrentNonlinearity {
  switch try arguments.text(position, "nonlinearity") {
  case nil, "tanh": .tanh
  case "relu": .relu
  case let other?: throw CaseObstacle.notWritable("nonlinearity \(other)")
  }
}

private func lstmState(_ call: CaseArguments) throws -> LSTMState? {
  switch call.value(1, "hx") {
  case nil, .some(.none): return nil
  default: break
  }
  let states = try call.tensors(1, "hx")
  guard states.count == 2 else { throw call.mistyped("hx", "two tensors") }
  return LSTMState(hidden: states[0], cell: states[1])
}
