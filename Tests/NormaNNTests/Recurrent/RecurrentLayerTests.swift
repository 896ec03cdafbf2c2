import NormaNN
import NormaTensor
import Testing

/// Recurrent layers and cells against PyTorch in float64, with gradients of gradients.
@Suite(.seeded) struct RecurrentLayerTests {
  static let kinds = ["rnn", "lstm", "gru"]

  private struct Options {
    var layers = 1
    var bias = true
    var batchFirst = false
    var both = false
    var lengths: [Int]?
  }

  private func check(_ kind: String, _ name: String, _ options: Options) throws {
    let case_ = try SequenceFixture("\(kind).\(name)")
    switch kind {
    case "lstm":
      let layer = LSTM(
        4, 3, numLayers: options.layers, bias: options.bias, batchFirst: options.batchFirst,
        bidirectional: options.both, dtype: .float64)
      try case_.check(layer) { inputs in
        let state = inputs["h"].flatMap { h in
          inputs["c"].map { LSTMState(hidden: h, cell: $0) }
        }
        let (y, last) = layer(inputs["x"] ?? .poisoned, state: state, lengths: options.lengths)
        return [y, last.hidden, last.cell]
      }
    case "gru":
      let layer = GRU(
        4, 3, numLayers: options.layers, bias: options.bias, batchFirst: options.batchFirst,
        bidirectional: options.both, dtype: .float64)
      try case_.check(layer) { inputs in
        let (y, last) = layer(
          inputs["x"] ?? .poisoned, state: inputs["h"], lengths: options.lengths)
        return [y, last]
      }
    default:
      let layer = RNN(
        4, 3, numLayers: options.layers, nonlinearity: name == "relu" ? .relu : .tanh,
        bias: options.bias, batchFirst: options.batchFirst, bidirectional: options.both,
        dtype: .float64)
      try case_.check(layer) { inputs in
        let (y, last) = layer(
          inputs["x"] ?? .poisoned, state: inputs["h"], lengths: options.lengths)
        return [y, last]
      }
    }
  }

  @Test(arguments: kinds) func plain(_ kind: String) throws {
    try check(kind, "plain", Options())
    try check(kind, "states", Options())
    try check(kind, "no_bias", Options(bias: false))
  }

  @Test func reluNetworks() throws { try check("rnn", "relu", Options()) }

  @Test(arguments: kinds) func layersAndDirections(_ kind: String) throws {
    try check(kind, "layers", Options(layers: 3, both: true))
    try check(kind, "batch_first", Options(batchFirst: true))
    try check(kind, "unbatched", Options(layers: 2))
  }

  @Test(arguments: kinds) func sequencesOfDifferentLengths(_ kind: String) throws {
    try check(kind, "lengths", Options(layers: 2, both: true, lengths: [5, 2, 4]))
  }

  @Test func projection() throws {
    let layer = LSTM(
      4, 3, numLayers: 2, bidirectional: true, projSize: 2, dtype: .float64)
    try SequenceFixture("lstm.projection").check(layer) { inputs in
      let state = LSTMState(hidden: inputs["h"] ?? .poisoned, cell: inputs["c"] ?? .poisoned)
      let (y, last) = layer(inputs["x"] ?? .poisoned, state: state)
      return [y, last.hidden, last.cell]
    }
  }

  @Test func cells() throws {
    let rnn = RNNCell(4, 3, dtype: .float64)
    try SequenceFixture("rnn_cell").check(rnn) { [rnn($0["x"] ?? .poisoned, state: $0["h"])] }
    let gru = GRUCell(4, 3, dtype: .float64)
    try SequenceFixture("gru_cell").check(gru) { [gru($0["x"] ?? .poisoned, state: $0["h"])] }
    let lstm = LSTMCell(4, 3, dtype: .float64)
    try SequenceFixture("lstm_cell").check(lstm) {
      let state = LSTMState(hidden: $0["h"] ?? .poisoned, cell: $0["c"] ?? .poisoned)
      let next = lstm($0["x"] ?? .poisoned, state: state)
      return [next.hidden, next.cell]
    }
  }

  @Test func initialParametersOfPyTorch() throws {
    try SequenceFixture("initial.lstm").checkInitial {
      LSTM(4, 3, numLayers: 2, bidirectional: true, projSize: 2)
    }
    try SequenceFixture("initial.gru_cell").checkInitial { GRUCell(4, 3) }
  }

  @Test func mistakesNameTheShapes() throws {
    let layer = LSTM(4, 3)
    for (shape, text) in [([5, 3, 5], "[5, 3, 5]"), ([5], "[5]")] {
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { _ = layer(Tensor.zeros(shape)) }
      }
      #expect(error?.reason.contains(text) == true && error?.call == "LSTM(_:)")
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = layer(Tensor.zeros(5, 3, 4), lengths: [6, 1, 2]) }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { _ = LSTM(4, 3, projSize: 3) } }
  }

  @Test func withoutStepsTheStateStays() {
    let layer = GRU(4, 3)
    let state = Tensor.randn(1, 2, 3)
    let (y, last) = layer(Tensor.zeros(0, 2, 4), state: state)
    #expect(y.shape == [0, 2, 3] && last.isEqual(to: state))
  }
}
