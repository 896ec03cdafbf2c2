import NormaNN
import NormaTensor

extension GroupNorm {
  /// What the layer does to an input, in numbers, and why its result is not the expected one.
  ///
  ///     let mean = x.mean(over: 1, 2, 3, keepDims: true)
  ///     let y = (x - mean) / x.std(over: 1, 2, 3, keepDims: true)
  ///     print(GroupNorm(8, 32).explain(x, expecting: y))
  ///
  /// The gap is split into causes as by
  /// ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)``: channels in other groups
  /// (another number of them, or every so many channels in place of neighbours), other axes,
  /// `n - 1`, another epsilon or one outside the root, weight and bias left out or by the group.
  ///
  /// - Parameters:
  ///   - input: A batch, as the layer takes it.
  ///   - expected: The user's own result, of the input's shape. The input itself when the layer is
  ///     expected to leave it alone. Without it, only the layer's formula is explained.
  ///   - origin: What the input was made from: the data before a normalization by hand, or the
  ///     tensor before a preceding bias was added.
  ///   - mask: 1 where a position counts and 0 where it is padding; broadcasts to the input.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Returns: A value that prints in words and encodes to JSON.
  /// - Cost: some trips over the data for every cause, and a search on a sample of its elements.
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
