import NormaNN
import NormaTensor

extension BatchNorm {
  /// What the layer does to an input, in numbers, and why its result is not the expected one.
  ///
  /// The gap `layer(input) - expected` is split into causes by Shapley value: with `f(S)` the result
  /// with the causes in `S` put right and `|.|` the largest magnitude, a set of causes is worth the
  /// part of the gap that is gone, `v(S) = 1 - |f(S) - f(all)| / |f(nothing) - f(all)|`.
  /// The causes come from a search for the formula that makes `expected` out of the input; what no
  /// formula accounts for is left unexplained, and rounding is never blamed on a cause.
  ///
  ///     let mean = x.mean(over: 0, 2, 3, keepDims: true)
  ///     let y = (x - mean) / (x.std(over: 0, 2, 3, keepDims: true) + 1e-5)
  ///     print(bn.explain(y, expecting: y, from: x))
  ///
  /// The layer and its running statistics are not changed. What a kind of batch norm does beside the
  /// rest is named, too: parts of the batch (``GhostBatchNorm``, ``SplitBatchNorm2d``), and the factors
  /// of ``BatchRenorm``.
  ///
  /// - Parameters:
  ///   - input: A batch, as the layer takes it.
  ///   - expected: The user's own result, of the input's shape. The input itself when the layer is
  ///     expected to leave it alone. Without it, only the layer's formula is explained.
  ///   - origin: What the input was made from: the data before a normalization by hand, or the
  ///     tensor before a preceding bias was added. Without it some causes cannot be told apart.
  ///   - history: The training batches that led from fresh running statistics to the present ones.
  ///   - mask: 1 where a position counts and 0 where it is padding; broadcasts to the input.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Returns: A value that prints in words and encodes to JSON.
  /// - Cost: some trips over the data for every cause, and a search on a sample of its elements.
  public func explain(
    _ input: Tensor, expecting expected: Tensor? = nil, from origin: Tensor? = nil,
    history: [Tensor] = [], mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Explanation {
    ExplainCall(
      layer: numbers(for: input), input: input, expected: expected, origin: origin,
      history: history,
      mask: mask, file: file, line: line
    ).explanation { output(for: input) }
  }

  /// Why the running mean that the user expects after training on `input` is not the layer's.
  ///
  /// The layer is not changed. See ``explain(_:expecting:from:history:mask:file:line:)`` for the
  /// split.
  public func explain(
    _ input: Tensor, expectingRunningMean expected: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    call(input, file, line).explanation(of: .mean, expecting: expected)
  }

  /// Why the running variance that the user expects after training on `input` is not the layer's.
  ///
  /// The layer is not changed. See ``explain(_:expecting:from:history:mask:file:line:)`` for the
  /// split.
  public func explain(
    _ input: Tensor, expectingRunningVariance expected: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    call(input, file, line).explanation(of: .variance, expecting: expected)
  }

  private func call(_ input: Tensor, _ file: StaticString, _ line: UInt) -> ExplainCall {
    ExplainCall(
      layer: numbers(for: input), input: input, name: "explain(_:expectingRunning...:)", file: file,
      line: line)
  }

  /// The layer's own result, without an update of its running statistics.
  private func output(for input: Tensor) -> Tensor { withoutUpdates { self(input) } }
}

/// The result of a call that no running statistic follows, as in a checkpoint's second run.
func withoutUpdates(_ call: () -> Tensor) -> Tensor {
  withoutGradients { GradientMode.$isRecomputing.withValue(true) { call().evaluated() } }
}
