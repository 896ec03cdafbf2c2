import NormaTensor

/// A vector for each position, learned with the rest of a network and added to the tokens.
///
/// - Shapes: `[..., positions, width]`, usually `[N, L, E]`; the result has the same.
/// - Edge cases: positions beyond the table are an error.
/// - Cost: one pending addition; the rows are a view of the table.
/// - PyTorch: `x + embedding(torch.arange(L))` with an `nn.Embedding`, whose state key and initial
///   numbers these are. Source: Gehring and others (2017).
public final class LearnedPositionalEmbedding: Module, PlacedLayer {
  /// `[count, width]`.
  public let weight: Parameter

  /// Vectors of `width` numbers for `count` positions, initially normal random numbers.
  public init(
    _ count: Int, _ width: Int, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let options = LayerOptions(layer: LearnedPositionalEmbedding.self, file: file, line: line)
    let shape = [options.size(count, "count"), options.size(width, "width")]
    weight = Parameter(.normal(shape, mean: 0, std: 1, dtype: dtype))
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[0], weight.shape[1]).with("dtype", weight.dtype, unless: .float32).text
  }

  /// `x` with the vectors of the positions 0, 1, ... added.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    self(x, offset: 0, file: file, line: line)
  }

  /// `x` with the vectors of the positions `offset`, `offset` + 1, ... added.
  public func callAsFunction(
    _ x: Tensor, offset: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: "LearnedPositionalEmbedding(_:)") {
      () throws(TensorError) in
      if x.isPoisoned { return .poisoned }
      let (count, width) = (weight.shape[0], weight.shape[1])
      guard x.rank >= 2, x.shape[x.rank - 1] == width else {
        throw TensorError(
          "LearnedPositionalEmbedding(_:)",
          "tokens [..., positions, \(width)] are needed, got \(x.shape)")
      }
      let length = x.shape[x.rank - 2]
      guard offset >= 0, offset + length <= count else {
        throw TensorError(
          "LearnedPositionalEmbedding(_:)",
          "\(length) positions from \(offset) on are not among the \(count) of the table")
      }
      return x + weight.value.narrowed(over: 0, from: offset, count: length)
    }.observed(by: self, of: x, file, line)
  }
}
