import NormaNN
import NormaTensor

extension FrozenBatchNorm2d {
  /// Explains what the layer computes for an input, and why the result differs from the expected
  /// one, as ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)`` of a layer in
  /// evaluation.
  ///
  ///     print(frozen.explain(x, expecting: y))
  public func explain(
    _ input: Tensor, expecting expected: Tensor? = nil, from origin: Tensor? = nil,
    history: [Tensor] = [], mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Explanation {
    let features = weight.value.count
    let numbers = LayerNumbers(
      name: "FrozenBatchNorm2d(\(features))", features: features, epsilon: eps,
      weight: weight.value.array(), bias: bias.value.array(),
      runningMean: runningMean.value.array(), runningVariance: runningVar.value.array(),
      batchesTracked: 1, isTraining: false, usesBatch: false)
    return ExplainCall(
      layer: numbers, input: input, expected: expected, origin: origin, history: history,
      mask: mask, file: file, line: line
    ).explanation { withoutUpdates { self(input) } }
  }
}
