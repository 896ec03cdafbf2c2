import NormaNN
import NormaTensor

extension GroupNorm {
  /// Explains what the layer computes for an input, and why the result differs from the expected
  /// one.
  ///
  ///     let mean = x.mean(over: 1, 2, 3, keepDims: true)
  ///     let y = (x - mean) / x.std(over: 1, 2, 3, keepDims: true)
  ///     print(GroupNorm(8, 32).explain(x, expecting: y))
  ///
  /// The gap is divided among causes as in
  /// ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)``: channels in other groups (a
  /// different number of them, or interleaved channels instead of neighbors), other axes, `n - 1`,
  /// another epsilon or one outside the square root, weight and bias left out or applied per group.
  ///
  /// - Parameters:
  ///   - input: A batch, as the layer takes it.
  ///   - expected: The user's own result, in the input's shape. Pass the input itself if the layer
  ///     should leave it unchanged. Without it, only the layer's formula is explained.
  ///   - origin: What the input was computed from: the data before a manual normalization, or the
  ///     tensor before a preceding bias was added.
  ///   - mask: 1 at selected positions and 0 at padding; broadcasts to the input.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Returns: An explanation that prints as text and encodes to JSON.
  /// - Cost: several passes over the data for every cause, and a search on a sample of its
  ///   elements.
  public func explain(
    _ input: Tensor, expecting expected: Tensor? = nil, from origin: Tensor? = nil,
    mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Explanation {
    ExplainCall(
      layer: numbers, input: input, expected: expected, origin: origin, mask: mask, file: file,
      line: line
    ).explanation {
      groupNorm(input, groups: groups, weight: weight?.value, bias: bias?.value, eps: eps)
    }
  }

  private var numbers: LayerNumbers {
    LayerNumbers(
      name: "GroupNorm(\(groups), \(channels))", reach: .groups(groups), features: channels,
      epsilon: eps, weight: weight?.value.array(of: Double.self),
      bias: bias?.value.array(of: Double.self), isTraining: isTraining)
  }
}
