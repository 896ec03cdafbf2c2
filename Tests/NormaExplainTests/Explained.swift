import NormaTensor

@testable import NormaExplain

/// The causes by name, the most important first.
func names(_ explanation: Explanation) -> [CauseName] { explanation.causes.map(\.name) }

/// What is said of a result where the layer is given as numbers.
func explain(
  _ layer: LayerNumbers, _ input: Tensor, _ expected: Tensor, history: [Tensor] = []
) -> Explanation {
  Explainer(
    layer: layer, input: input, output: layer.output(for: input), expected: expected,
    history: history
  ).explanation()
}
