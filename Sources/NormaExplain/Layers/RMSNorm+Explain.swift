import NormaNN
import NormaTensor

extension RMSNorm {
  /// What the layer does to an input, in numbers, and why its result is not the expected one.
  ///
  ///     let y = x * (x.squared().mean(over: -1, keepDims: true) + 1e-6).rsqrt() * (1 + weight)
  ///     print(RMSNorm(512, eps: 1e-6).explain(x, expecting: y))
  ///
  /// The gap is split into causes as by
  /// ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)``: a mean that is subtracted as
  /// in layer norm, other axes or groups of features, another epsilon or one outside the root, a
  /// weight left out or counted from 1, a sum where a mean belongs, half types on the way.
  ///
  /// - Parameters:
  ///   - input: What the layer takes: the normalized shape at its last axes, or at ``axes``.
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
      layer: numbers(input.dtype), input: input, expected: expected, origin: origin, mask: mask,
      file: file, line: line
    ).explanation {
      rmsNorm(
        input, normalizedShape: normalizedShape, axes: axes, weight: weight?.value, eps: eps)
    }
  }

  private func numbers(_ dtype: DType) -> LayerNumbers {
    LayerNumbers(
      name: "\(type(of: self))(\(sizes(normalizedShape)))",
      reach: .axes(axes, sizes: normalizedShape),
      subtractsMean: false, features: normalizedShape.reduce(1, *),
      epsilon: eps ?? dtype.computingEpsilon, weight: weight?.value.array(of: Double.self),
      isTraining: isTraining)
  }
}
