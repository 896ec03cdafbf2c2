import NormaTensor

/// Stochastic gradient descent, with momentum.
///
/// g ← gradient + weightDecay p; v ← momentum v + (1 - dampening) g, at first g; p ← p - learningRate v,
/// or p - learningRate (g + momentum v) with `nesterov`. PyTorch: `torch.optim.SGD`.
public final class SGD: Optimizer {
  private let dampening: Double
  private let nesterov: Bool
  private let maximize: Bool

  /// An optimizer of these parameters.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-3, momentum: Double = 0,
    dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false,
    maximize: Bool = false
  ) {
    self.init(
      groups: [ParameterGroup(parameters)], learningRate: learningRate, momentum: momentum,
      dampening: dampening, weightDecay: weightDecay, nesterov: nesterov, maximize: maximize)
  }

  /// An optimizer of groups, which may have numbers of their own.
  public init(
    groups: [ParameterGroup], learningRate: Double = 1e-3, momentum: Double = 0,
    dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false,
    maximize: Bool = false
  ) {
    self.dampening = dampening
    self.nesterov = nesterov
    self.maximize = maximize
    super.init(
      groups, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
  }

  public override func moved(
    _ value: Tensor, _ gradient: Tensor, _ group: ParameterGroup, _ state: inout [String: Tensor]
  ) -> Tensor {
    var g = maximize ? -gradient : gradient
    if group.weightDecay != 0 { g = g + value * group.weightDecay }
    if group.momentum != 0 {
      let kept =
        state["momentum_buffer"].map { velocity in
          velocity * group.momentum + (dampening == 0 ? g : g * (1 - dampening))
        } ?? g * 1
      state["momentum_buffer"] = kept
      g = nesterov ? g + kept * group.momentum : kept
    }
    return value - g * group.learningRate
  }
}
