import NormaTensor

/// Which constants of a graph are weights, which become parameters: real numbers that enter
/// products, sums and normalizations. Numbers such as the 6 of a clipped activation stay constants.
enum WeightRule {
  /// Operands that are weights whatever their size, by operator.
  private static let slots: [String: [Int]] = [
    "Conv": [0, 1, 2], "ConvTranspose": [0, 1, 2], "Gemm": [0, 1, 2], "MatMul": [0, 1],
    "BatchNormalization": [1, 2], "LayerNormalization": [1, 2], "GroupNormalization": [1, 2],
    "InstanceNormalization": [1, 2], "RMSNormalization": [1], "PRelu": [1], "LSTM": [1, 2, 3, 7],
    "GRU": [1, 2, 3], "RNN": [1, 2, 3], "Gather": [0], "FusedConv": [0, 1, 2],
    "FusedGemm": [0, 1, 2], "FusedMatMul": [0, 1], "SkipLayerNormalization": [2, 3, 4],
    "BiasGelu": [1], "Attention": [1, 2],
  ]
  /// Operators through which weights pass on their way, and those that add or scale.
  private static let passing: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity",
    "Expand", "Slice", "Concat", "Split", "Cast", "Einsum", "Where", "Pad", "Flatten",
  ]

  /// The operands of a node that are weights if they are constants; nil if it has none.
  static func weights(of node: NodeProto) -> [Int]? {
    if let slots = slots[node.op] { return slots }
    return passing.contains(node.op) ? Array(node.inputs.indices) : nil
  }

  /// Whether a constant has the form of a weight: several real numbers.
  static func mayBeWeight(_ constant: Constant) -> Bool {
    guard case .tensor(let tensor) = constant.value else { return false }
    return tensor.dtype.isFloatingPoint && tensor.count > 1
  }
}
