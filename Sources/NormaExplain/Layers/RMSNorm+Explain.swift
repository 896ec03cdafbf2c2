import NormaNN
import NormaTensor

extension RMSNorm {
  /// Explains what the layer computes for an input, and why the result differs from the expected
  /// one.
  ///
  ///     let y = x * (x.squared().mean(over: -1, keepDims: true) + 1e-6).rsqrt() * (1 + weight)
  ///     print(RMSNorm(512, eps: 1e-6).explain(x, expecting: y))
  ///
  /// The gap is divided among causes as in
  /// ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)``: a mean that is subtracted as
  /// in layer norm, other axes or groups of features, another epsilon or one outside the square
  /// root, a weight left out or offset by 1, a sum instead of a mean, half types in between.
  ///
  /// - Parameters:
  ///   - input: An input with the normalized shape in its last axes, or in ``axes``.
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
