import NormaNN
import NormaTensor

extension InstanceNorm {
  /// Explains what the layer computes for an input, and why the result differs from the expected
  /// one.
  ///
  ///     let mean = x.mean(over: 2, 3, keepDims: true)
  ///     let y = (x - mean) / (x.variance(over: 2, 3, keepDims: true) + 1e-5).sqrt()
  ///     print(InstanceNorm2d(64).explain(x, expecting: y))
  ///
  /// The gap is divided among causes as in
  /// ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)``: batch or running statistics
  /// instead of the sample's own, other axes, `n - 1`, another epsilon or one outside the square
  /// root, weight and bias, padding.
  ///
  /// The layer and its running statistics are not changed.
  ///
  /// - Parameters:
  ///   - input: A batch or one sample, as the layer takes it.
  ///   - expected: The user's own result, in the input's shape. Pass the input itself if the layer
  ///     should leave it unchanged. Without it, only the layer's formula is explained.
  ///   - origin: What the input was computed from: the data before a manual normalization, or the
  ///     tensor before a preceding bias was added.
  ///   - history: The training batches that led from initial running statistics to the current
  ///     ones.
  ///   - mask: 1 at selected positions and 0 at padding; broadcasts to the input.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Returns: An explanation that prints as text and encodes to JSON.
  /// - Cost: several passes over the data for every cause, and a search on a sample of its
  ///   elements.
  public func explain(
    _ input: Tensor, expecting expected: Tensor? = nil, from origin: Tensor? = nil,
    history: [Tensor] = [], mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Explanation {
    ExplainCall(
      layer: numbers, input: input, expected: expected, origin: origin, history: history,
      mask: mask, file: file, line: line
    ).explanation { output(for: input) }
  }

  /// Why the running mean that the user expects after training on `input` differs from the layer's,
  /// which is the mean over the samples of their means. The layer is not changed.
  public func explain(
    _ input: Tensor, expectingRunningMean expected: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    call(input, file, line).explanation(of: .mean, expecting: expected)
  }

  /// Why the running variance that the user expects after training on `input` differs from the
  /// layer's, which is the mean over the samples of their variances, divided by n - 1. The layer is
  /// not changed.
  public func explain(
    _ input: Tensor, expectingRunningVariance expected: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    call(input, file, line).explanation(of: .variance, expecting: expected)
  }

  private func call(_ input: Tensor, _ file: StaticString, _ line: UInt) -> ExplainCall {
    ExplainCall(
      layer: numbers, input: input, name: "explain(_:expectingRunning...:)", file: file, line: line)
  }

  /// The layer's own result, without updating its running statistics.
  private func output(for input: Tensor) -> Tensor {
    // One sample is a batch of one.
    let batch = input.rank == space + 1 ? input.reshaped([1] + input.shape) : input
    return instanceNorm(
      batch, runningMean: runningMean?.value, runningVar: runningVar?.value,
      weight: weight?.value, bias: bias?.value, useInputStats: isTraining || runningMean == nil,
      eps: eps
    ).reshaped(input.shape)
  }

  private var numbers: LayerNumbers {
    LayerNumbers(
      name: "\(type(of: self))(\(features))", reach: .instance(axes: space), features: features,
      epsilon: eps, momentum: momentum.share, weight: weight?.value.array(of: Double.self),
      bias: bias?.value.array(of: Double.self),
      runningMean: runningMean?.value.array(of: Double.self),
      runningVariance: runningVar?.value.array(of: Double.self),
      batchesTracked: Int(numBatchesTracked?.value.item() ?? 0), isTraining: isTraining)
  }
}
