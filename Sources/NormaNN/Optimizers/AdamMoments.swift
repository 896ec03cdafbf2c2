import NormaTensor

/// The common part of ``Adam`` and its variants: two kinds of weight decay, and running means of
/// the gradient and of its square.
protocol AdamMoments: UpdateRule {
  var beta1: Double { get }
  var beta2: Double { get }
  var eps: Double { get }
  var weightDecay: Double { get }
  var decoupledWeightDecay: Bool { get }
  var maximize: Bool { get }
}

extension AdamMoments {
  /// PyTorch's name of the running mean.
  static var mean: String { "exp_avg" }
  static var square: String { "exp_avg_sq" }

  /// Describes an invalid option among the common ones; nil if all are valid.
  var problemOfMoments: String? {
    wrongBeta(beta1, beta2)
      ?? negativeOption(
        ("learningRate", learningRate), ("eps", eps), ("weightDecay", weightDecay))
  }

  /// The parameter and its gradient after weight decay, which changes one of them.
  func decayed(_ value: Tensor, _ gradient: Tensor) -> (value: Tensor, gradient: Tensor) {
    let g = maximize ? -gradient : gradient
    if weightDecay == 0 { return (value, g) }
    return decoupledWeightDecay
      ? (value * (1 - learningRate * weightDecay), g) : (value, g + value * weightDecay)
  }

  /// Updates the running means of the gradient and of its square with the new gradient.
  func moments(with g: Tensor, _ state: inout ParameterState) -> (mean: Tensor, square: Tensor) {
    let mean = state[Self.mean].map { $0 + (g - $0) * (1 - beta1) } ?? g * (1 - beta1)
    let new = g * g * (1 - beta2)
    let square = state[Self.square].map { $0 * beta2 + new } ?? new
    state[Self.mean] = mean
    state[Self.square] = square
    return (mean, square)
  }
}
