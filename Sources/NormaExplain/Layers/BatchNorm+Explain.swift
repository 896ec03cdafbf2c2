import NormaNN
import NormaTensor

extension BatchNorm {
  /// Explains what the layer computes for an input, and why the result differs from the expected
  /// one.
  ///
  /// The gap `layer(input) - expected` is divided among causes by Shapley value. With `f(S)` the
  /// result after the causes in `S` are fixed and `|.|` the largest magnitude, the value of a set
  /// of causes is the fraction of the gap that vanishes, `v(S) = 1 - |f(S) - f(all)| /
  /// |f(nothing) - f(all)|`. The causes come from a search for a formula that computes `expected`
  /// from the input. What no formula accounts for remains unexplained, and rounding is never
  /// attributed to a cause.
  ///
  ///     let mean = x.mean(over: 0, 2, 3, keepDims: true)
  ///     let y = (x - mean) / (x.std(over: 0, 2, 3, keepDims: true) + 1e-5)
  ///     print(bn.explain(y, expecting: y, from: x))
  ///
  /// The layer and its running statistics are not changed. Special properties of a kind of batch
  /// norm are named, too: parts of the batch (``GhostBatchNorm``, ``SplitBatchNorm2d``), and the
  /// factors of ``BatchRenorm``.
  ///
  /// - Parameters:
  ///   - input: A batch, as the layer takes it.
  ///   - expected: The user's own result, in the input's shape. Pass the input itself if the layer
  ///     should leave it unchanged. Without it, only the layer's formula is explained.
  ///   - origin: What the input was computed from: the data before a manual normalization, or the
  ///     tensor before a preceding bias was added. Without it some causes cannot be distinguished.
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
      layer: numbers(for: input), input: input, expected: expected, origin: origin,
      history: history,
      mask: mask, file: file, line: line
    ).explanation { output(for: input) }
  }

  /// Why the running mean that the user expects after training on `input` differs from the layer's.
  ///
  /// The layer is not changed. See ``explain(_:expecting:from:history:mask:file:line:)`` for how
  /// the gap is divided.
  public func explain(
    _ input: Tensor, expectingRunningMean expected: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    call(input, file, line).explanation(of: .mean, expecting: expected)
  }

  /// Why the running variance that the user expects after training on `input` differs from the
  /// layer's.
  ///
  /// The layer is not changed. See ``explain(_:expecting:from:history:mask:file:line:)`` for how
  /// the gap is divided.
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

  /// The layer's own result, without updating its running statistics.
  private func output(for input: Tensor) -> Tensor { withoutUpdates { self(input) } }
}

/// The result of a call that updates no running statistics, as when a checkpoint recomputes.
func withoutUpdates(_ call: () -> Tensor) -> Tensor {
  withoutGradients { GradientMode.$isRecomputing.withValue(true) { call().evaluated() } }
}
