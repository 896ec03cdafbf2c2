import Foundation
import NormaTensor

/// A gradient that is not finite where that was to be an error.
public struct NonFiniteGradientError: Error, Sendable, CustomStringConvertible {
  /// The norm that was found.
  public let norm: Double
  /// What was found, and the way out.
  public var description: String {
    "the gradients' norm is \(norm); lower the learning rate, or look for the first layer with "
      + "such values"
  }
}

/// Scales all gradients down so that their common norm is at most `limit`.
///
/// The norm is that of all elements together: (Σ |g|ᵖ)^(1/p), or the largest |g| for p = ∞. Smaller gradients
/// stay as they are. Cost: one read, and where they are scaled one read and write.
/// - Returns: the norm before.
/// - Throws: ``NonFiniteGradientError`` if `errorIfNonFinite`; otherwise gradients of an infinite norm
///   become zero or NaN, as in PyTorch.
/// - PyTorch: `nn.utils.clip_grad_norm_`.
@discardableResult
public func clipGradients(
  of parameters: [Parameter], norm limit: Double, p: Double = 2, errorIfNonFinite: Bool = false
) throws -> Double {
  try withoutGradients {
    let gradients = parameters.compactMap(\.grad)
    let parts = gradients.filter { $0.count > 0 }.map { gradient -> Double in
      let size = gradient.abs()
      if p.isInfinite { return size.max().item() }
      if p == 1 { return size.cast(to: .float64).sum().item() }
      if p == 2 { return gradient.cast(to: .float64).squared().sum().item() }
      return (size.cast(to: .float64).log() * p).exp().sum().item()
    }
    let norm =
      p.isInfinite
      ? parts.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
      : pow(parts.reduce(0, +), 1 / p)
    if errorIfNonFinite && !norm.isFinite { throw NonFiniteGradientError(norm: norm) }
    let factor = limit / (norm + 1e-6)
    if factor < 1 || factor.isNaN {
      for parameter in parameters {
        parameter.grad = parameter.grad.map { ($0 * factor).evaluated() }
      }
    }
    return norm
  }
}

/// Moves every element of the gradients into ±`limit`. PyTorch: `nn.utils.clip_grad_value_`.
public func clipGradients(of parameters: [Parameter], value limit: Double) {
  withoutGradients {
    for parameter in parameters {
      parameter.grad = parameter.grad.map { $0.clamped(min: -limit, max: limit).evaluated() }
    }
  }
}
