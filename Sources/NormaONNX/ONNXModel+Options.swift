extension ONNXModel {
  /// What may be done to a graph. Nothing of it changes a result beyond rounding, and weights keep
  /// their names and values.
  ///
  /// Some of it holds for evaluation without gradients alone, because training changes weights and
  /// statistics, and needs each layer: then the graph runs as it was written. What is computed from
  /// weights follows them when they change.
  public struct Options: Sendable, Hashable {
    /// Nodes whose operands are constants are computed once.
    public var folding = true
    /// Layer norms that are written as their steps become layers.
    public var recognizesNorms = true
    /// SiLU, hard-swish, GELU (with erf and with tanh) and softmax that are written as their steps
    /// become one operator each.
    public var recognizesActivations = true
    /// In evaluation without gradients: `Identity` and `Dropout` are left out.
    public var removesIdentities = true
    /// In evaluation without gradients: batch norms, and constant factors and offsets of channels,
    /// are folded into the convolution or product before them.
    public var foldsNorms = true
    /// In evaluation without gradients: what depends on weights alone, such as a transposed weight,
    /// is computed once.
    public var preparesWeights = true
    /// In evaluation without gradients: convolutions of 3 x 3 run by Winograd's algorithm where it
    /// is faster. It is as accurate, unless numbers of very different size lie side by side; see
    /// `withWinograd(_:_:)`.
    public var usesWinograd = true
    /// In evaluation without gradients: the kernels of a call are kept, and run again for inputs of
    /// the same shapes. The results have the same bits.
    public var repeatsCalls = true

    /// Everything.
    public init() {}

    /// Nothing: the graph runs node by node, as it was written.
    public static var none: Options {
      var options = Options()
      options.folding = false
      options.recognizesNorms = false
      options.recognizesActivations = false
      options.removesIdentities = false
      options.foldsNorms = false
      options.preparesWeights = false
      options.usesWinograd = false
      options.repeatsCalls = false
      return options
    }
  }
}
