import NormaNN
import NormaTensor

/// How a graph runs in evaluation without gradients: fewer steps, on values that follow from
/// weights and are computed again only when weights change.
///
/// Made at the first such call, so that who trains pays nothing for it.
final class EvaluationPlan {
  /// What one call needs.
  struct Prepared {
    let steps: [GraphPlan.Step]
    /// Constants, weights and what follows from them.
    let slots: [Value?]
    let inputs: [Int]
    let captures: [Int]
    let outputs: [Int]
  }

  /// The graph, which owns this.
  private unowned let plan: GraphPlan
  private let options: ONNXModel.Options
  private let lock = Lock()
  private var passes: EvaluationPasses?
  private var kept: (weights: [Tensor], prepared: Prepared?)?

  init(_ plan: GraphPlan, _ options: ONNXModel.Options) {
    self.plan = plan
    self.options = options
  }

  deinit { lock.free() }

  /// The steps, and the values for the weights of this moment; nil if the graph has to run as it is
  /// written, because a weight gives no finite number.
  func prepared() throws -> Prepared? {
    try lock.locked {
      let passes = try passes ?? EvaluationPasses(plan, options)
      self.passes = passes
      if let kept, passes.weights.elementsEqual(kept.weights, by: { $0.value.isSame(as: $1) }) {
        return kept.prepared
      }
      let weights = passes.weights.map(\.value)
      let prepared = passes.prepared(weights)
      kept = (weights, prepared)
      return prepared
    }
  }

  /// Releases the values, which would keep optimizers from reusing the memory of weights.
  func forget() { lock.locked { kept = nil } }
}
