import NormaTensor

/// An activation of a recurrent step; ONNX's list, of which PyTorch uses the first three.
package enum RecurrentActivation: Sendable, Hashable {
  case sigmoid
  case tanh
  case relu
  case affine(alpha: Double, beta: Double)
  case leakyRelu(alpha: Double)
  case thresholdedRelu(alpha: Double)
  case scaledTanh(alpha: Double, beta: Double)
  case hardSigmoid(alpha: Double, beta: Double)
  case elu(alpha: Double)
  case softsign
  case softplus

  /// The activation with ONNX's name, in any case; nil for others. Parameters that are not given
  /// have ONNX's defaults.
  package init?(named name: String, alpha: Double? = nil, beta: Double? = nil) {
    switch name.lowercased() {
    case "sigmoid": self = .sigmoid
    case "tanh": self = .tanh
    case "relu": self = .relu
    case "affine": self = .affine(alpha: alpha ?? 1, beta: beta ?? 0)
    case "leakyrelu": self = .leakyRelu(alpha: alpha ?? 0.01)
    case "thresholdedrelu": self = .thresholdedRelu(alpha: alpha ?? 1)
    case "scaledtanh": self = .scaledTanh(alpha: alpha ?? 1, beta: beta ?? 1)
    case "hardsigmoid": self = .hardSigmoid(alpha: alpha ?? 0.2, beta: beta ?? 0.5)
    case "elu": self = .elu(alpha: alpha ?? 1)
    case "softsign": self = .softsign
    case "softplus": self = .softplus
    default: return nil
    }
  }

  /// Whether ONNX takes parameters for it from `activation_alpha` and `activation_beta`.
  package static func parameters(of name: String) -> (alpha: Bool, beta: Bool) {
    switch name.lowercased() {
    case "affine", "scaledtanh", "hardsigmoid": (true, true)
    case "leakyrelu", "thresholdedrelu", "elu": (true, false)
    default: (false, false)
    }
  }

  /// The activation of each element.
  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .sigmoid: x.sigmoid()
    case .tanh: x.tanh()
    case .relu: x.relu()
    case .affine(let alpha, let beta): x * alpha + beta
    case .leakyRelu(let alpha): x.leakyRelu(slope: alpha)
    case .thresholdedRelu(let alpha): x.thresholded(at: alpha, value: 0)
    case .scaledTanh(let alpha, let beta): (x * beta).tanh() * alpha
    case .hardSigmoid(let alpha, let beta): (x * alpha + beta).clamped(min: 0, max: 1)
    case .elu(let alpha): x.elu(alpha: alpha)
    case .softsign: x.softsign()
    case .softplus: x.softplus()
    }
  }
}
