import NormaTensor

/// The state of an ``LSTM`` or ``LSTMCell``.
public struct LSTMState: Sendable {
  /// What is put out: `[layers directions, N, outputs]`, or `[N, outputs]` of a cell.
  public var hidden: Tensor
  /// The memory: `[layers directions, N, hidden]`, or `[N, hidden]` of a cell.
  public var cell: Tensor

  /// A state with these values.
  public init(hidden: Tensor, cell: Tensor) {
    self.hidden = hidden
    self.cell = cell
  }

  /// The same values without histories, to go on with the next part of a long sequence.
  public func detached() -> LSTMState {
    LSTMState(hidden: hidden.detached(), cell: cell.detached())
  }
}

/// A network of long short-term memory: i, f, o = σ(W x + b + R h + c), g = tanh(...),
/// cell' = f cell + i g, h' = o tanh(cell').
///
/// Shapes, lengths, edge cases and cost are those of ``RNN``; the rows of weights and biases are
/// those of i, f, g and o, in this order. With `projSize` P > 0 what is put out, and goes into the
/// next step, is a linear map of h' to P numbers. PyTorch: `nn.LSTM`. Source: Hochreiter and
/// Schmidhuber (1997).
public final class LSTM: RecurrentLayer {
  /// A network with PyTorch's defaults; `dropout` applies between layers.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true,
    batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false,
    projSize: Int = 0, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      Recurrence(.lstm), inputSize, hiddenSize, numLayers: numLayers, bias: bias,
      batchFirst: batchFirst, dropout: dropout, isBidirectional: bidirectional,
      projSize: projSize, dtype: dtype, LayerOptions(layer: LSTM.self, file: file, line: line))
  }

  /// The outputs of the last layer for all steps, and the last states of all layers.
  public func callAsFunction(
    _ x: Tensor, state: LSTMState? = nil, lengths: [Int]? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (output: Tensor, state: LSTMState) {
    let result = run(x, state?.hidden, state?.cell, lengths, file, line)
    return (result.output, LSTMState(hidden: result.hidden, cell: result.cell))
  }
}
