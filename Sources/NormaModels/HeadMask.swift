import NormaTensor

/// What the weights of the attention heads of each layer are multiplied by.
struct HeadMask {
  /// `[layers or 1, heads, 1, 1]`.
  private let factors: Tensor?

  /// - Parameter mask: `[heads]` or `[layers, heads]`.
  init(_ mask: Tensor?, layers: Int, heads: Int, call: String) throws(TensorError) {
    if let mask, ![[heads], [layers, heads]].contains(mask.shape) {
      throw TensorError(
        call, "the head mask has shape \(mask.shape); expected [\(heads)] or [\(layers), \(heads)]")
    }
    factors = mask?.reshaped(-1, heads, 1, 1)
  }

  /// The factors of a layer `[heads, 1, 1]`, for the results of its heads.
  subscript(layer: Int) -> Tensor? {
    factors.map { $0.selected(over: 0, at: $0.shape[0] == 1 ? 0 : layer) }
  }
}
