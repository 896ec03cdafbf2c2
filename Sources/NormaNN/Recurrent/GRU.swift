import NormaTensor

/// A network of gated recurrent units, whose reset gate multiplies the product with the state:
/// r, z = σ(W x + b + R h + c), n = tanh(W x + b + r (R h + c)), h' = n + z (h - n).
///
/// Shapes, lengths, edge cases and cost are those of ``RNN``; the rows of weights and biases are
/// those of r, z and n, in this order. PyTorch: `nn.GRU`. Keras: `reset_after=True`, rows in the
/// order z, r, n. Source: Cho and others (2014).
public final class GRU: RecurrentLayer {
  /// A network with PyTorch's defaults; `dropout` applies between layers.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true,
    batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      Recurrence(.gru), inputSize, hiddenSize, numLayers: numLayers, bias: bias,
      batchFirst: batchFirst, dropout: dropout, isBidirectional: bidirectional, projSize: 0,
      dtype: dtype, LayerOptions(layer: GRU.self, file: file, line: line))
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
