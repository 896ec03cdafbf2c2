import NormaNN
import NormaTensor

// Norms whose scale and shift come from elsewhere are explained as the norm that they are based on,
// with scale and shift as a separate factor.

extension ConditionalBatchNorm2d {
  /// Explains what the layer computes for an input and its classes, and why the result differs from
  /// the expected one.
  ///
  /// As ``BatchNorm/explain(_:expecting:from:history:mask:file:line:)`` of the batch norm inside.
  /// Weight and bias of the classes are a separate factor; leaving them out is an `affine` cause.
  /// The layer is not changed.
  public func explain(
    _ input: Tensor, _ classes: Tensor, expecting expected: Tensor? = nil,
    from origin: Tensor? = nil, history: [Tensor] = [], mask: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Explanation {
    var numbers = bn.numbers(for: input)
    numbers.name = "ConditionalBatchNorm2d(\(bn.features))"
    if input.rank == 4, classes.shape == [input.shape[0]] {
      let parts = withoutGradients { embed(classes, file: file, line: line).chunked(2, over: 1) }
      let shape = [input.shape[0], bn.features, 1, 1]
      numbers.add(scale: parts[0], shift: parts[1], shape, "weight and bias of the classes")
    }
    return ExplainCall(
      layer: numbers, input: input, expected: expected, origin: origin, history: history,
      mask: mask, name: "explain(_:_:expecting:from:)", file: file, line: line
    ).explanation { withoutUpdates { self(input, classes, file: file, line: line) } }
  }
}

extension AdaptiveLayerNorm {
  /// Explains what the layer computes for an input and a condition, and why the result differs from
  /// the expected one.
  ///
  /// As ``LayerNorm/explain(_:expecting:from:mask:file:line:)``. Scale and shift of the condition
  /// are a separate factor; leaving them out is an `affine` cause.
  public func explain(
    _ input: Tensor, _ condition: Tensor, expecting expected: Tensor? = nil,
    from origin: Tensor? = nil, mask: Tensor? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Explanation {
    var numbers = LayerNumbers(
      name: "AdaptiveLayerNorm(\(features))", reach: .axes(nil, sizes: [features]),
      features: features, epsilon: eps, isTraining: isTraining)
    if input.rank >= 2, condition.rank == 2, condition.shape[0] == input.shape[0] {
      let parts = withoutGradients {
        linear(condition.silu(), file: file, line: line).chunked(2, over: -1)
      }
      let shape = [input.shape[0]] + input.shape.dropFirst(2).map { _ in 1 } + [features]
      numbers.add(
        scale: parts[0] + 1, shift: parts[1], shape, "(1 + scale) and shift of the condition")
    }
    return ExplainCall(
      layer: numbers, input: input, expected: expected, origin: origin, mask: mask,
      name: "explain(_:_:expecting:from:)", file: file, line: line
    ).explanation { withoutUpdates { self(input, condition, file: file, line: line) } }
  }
}

/// Explains what `adaptiveInstanceNorm(_:style:eps:file:line:)` computes for an input, and why the
/// result differs from the expected one: as for instance norm, with spread and mean of the style as
/// a separate factor.
public func explainAdaptiveInstanceNorm(
  _ input: Tensor, style: Tensor, expecting expected: Tensor? = nil, from origin: Tensor? = nil,
  eps: Double = 1e-5, file: StaticString = #fileID, line: UInt = #line
) -> Explanation {
  let features = input.rank > 1 ? input.shape[1] : 0
  var numbers = LayerNumbers(
    name: "adaptiveInstanceNorm", reach: .instance(axes: max(input.rank - 2, 1)),
    features: features, epsilon: eps)
  if input.rank > 2, style.rank > 2, input.shape.prefix(2) == style.shape.prefix(2) {
    let (wide, axes) = (style.detached().cast(to: .float64), Array(2..<style.rank))
    let shape = Array(input.shape.prefix(2)) + input.shape.dropFirst(2).map { _ in 1 }
    numbers.add(
      scale: (wide.variance(over: axes, correction: 0) + eps).sqrt(),
      shift: wide.mean(over: axes), shape, "deviation and mean of the style")
  }
  return ExplainCall(
    layer: numbers, input: input, expected: expected, origin: origin,
    name: "explainAdaptiveInstanceNorm(_:style:)", file: file, line: line
  ).explanation {
    withoutUpdates { adaptiveInstanceNorm(input, style: style, eps: eps, file: file, line: line) }
  }
}

extension LayerNumbers {
  /// Adds a factor and an addend that are applied at the end.
  fileprivate mutating func add(
    scale: Tensor, shift: Tensor, _ shape: [Int], _ words: String
  ) {
    guard !scale.isPoisoned, scale.count == shape.reduce(1, *) else { return }
    extra = Extra(
      scale: Grid(shape: shape, values: scale.array(of: Double.self)),
      shift: Grid(shape: shape, values: shift.array(of: Double.self)), words: words)
    notes.append("The normalized values are then scaled and shifted by \(words).")
  }
}
