import NormaTensor

/// Whether a plain recurrent network uses tanh or relu.
public enum RecurrentNonlinearity: Sendable, Hashable {
  /// The hyperbolic tangent.
  case tanh
  /// max(x, 0).
  case relu

  var recurrence: Recurrence { Recurrence(.rnn, activations: [self == .tanh ? .tanh : .relu]) }
}

/// A plain recurrent network: h' = tanh(W x + b + R h + c), or relu.
///
/// - Shapes: input `[T, N, inputs]`, or `[N, T, inputs]` with `batchFirst`, or `[T, inputs]`;
///   output `[T, N, directions hidden]` likewise; states `[layers directions, N, hidden]`, without
///   `N` for an input without a batch.
/// - Sequences of different lengths: pass `lengths` instead of packing them. Outputs after the end
///   of a sequence are 0 and states stop changing.
/// - Edge cases: without steps the output is empty and the state the initial one; PyTorch refuses.
/// - Gradients of any order.
/// - Cost: one matrix product for the inputs of all steps, then for each step one for the state
///   and one pass over it. PyTorch: `nn.RNN`.
public final class RNN: RecurrentLayer {
  /// A network with PyTorch's defaults; `dropout` applies between layers.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1,
    nonlinearity: RecurrentNonlinearity = .tanh, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      nonlinearity.recurrence, inputSize, hiddenSize, numLayers: numLayers, bias: bias,
      batchFirst: batchFirst, dropout: dropout, isBidirectional: bidirectional, projSize: 0,
      dtype: dtype, LayerOptions(layer: RNN.self, file: file, line: line))
  }

  public override var optionsDescription: String {
    let isRelu = recurrence.activations == [.relu]
    return super.optionsDescription + (isRelu ? ", nonlinearity: .relu" : "")
  }

  /// The outputs of the last layer for all steps, and the last states of all layers.
  public func callAsFunction(
    _ x: Tensor, state: Tensor? = nil, lengths: [Int]? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (output: Tensor, state: Tensor) {
    let result = run(x, state, nil, lengths, file, line)
    return (result.output, result.hidden)
  }
}
