import Foundation
import NormaTensor

/// A non-finite gradient that was to be reported as an error.
public struct NonFiniteGradientError: Error, Sendable, CustomStringConvertible {
  /// The norm of the gradients.
  public let norm: Double
  /// The norm, and how to proceed.
  public var description: String {
    "the gradients' norm is \(norm); lower the learning rate, or look for the first layer with "
      + "such values"
  }
}

/// Scales all gradients down so that their total norm is at most `limit`.
///
/// The norm is that of all elements together: (Σ |g|ᵖ)^(1/p), or the largest |g| for p = ∞; for p =
/// 0 the number of gradients that are not all zero. Gradients of smaller norm do not change. Cost:
/// one read, and one read and write if they are scaled.
///
/// A limit or p that is negative or NaN is an error.
/// - Returns: the norm before scaling.
/// - Throws: ``NonFiniteGradientError`` if `errorIfNonFinite`; otherwise gradients of an infinite
///   norm become zero or NaN, as in PyTorch.
/// - PyTorch: `nn.utils.clip_grad_norm_`.
@discardableResult
public func clipGradients(
  of parameters: [Parameter], norm limit: Double, p: Double = 2, errorIfNonFinite: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) throws -> Double {
  if let problem = negativeOption(("norm", limit), ("p", p)) {
    report(TensorError("clipGradients(of:norm:p:)", problem), file: file, line: line)
    return .nan
  }
  return try withoutGradients {
    let norm = commonNorm(parameters.compactMap(\.grad).filter { $0.count > 0 }, p)
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

/// Clamps every element of the gradients to ±`limit`. A limit that is negative or NaN is an error.
/// PyTorch: `nn.utils.clip_grad_value_`.
public func clipGradients(
  of parameters: [Parameter], value limit: Double, file: StaticString = #fileID,
  line: UInt = #line
) {
  if let problem = negativeOption(("value", limit)) {
    report(TensorError("clipGradients(of:value:)", problem), file: file, line: line)
    return
  }
  withoutGradients {
    for parameter in parameters {
      parameter.grad = parameter.grad.map { $0.clamped(min: -limit, max: limit).evaluated() }
    }
  }
}

/// The p-norm of all elements of tensors that are not empty.
private func commonNorm(_ gradients: [Tensor], _ p: Double) -> Double {
  func largest() -> Double {
    gradients.map { $0.abs().max().item() }.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
  }
  if p.isInfinite { return largest() }
  if p == 0 { return Double(gradients.count { ($0 .!= 0).any().item() != 0 }) }
  func scaled(by scale: Double) -> Double {
    let sums = gradients.map { gradient -> Double in
      let size = gradient.cast(to: .float64).abs() / scale
      if p == 1 { return size.sum().item() }
      return (p == 2 ? size.squared() : (size.log() * p).exp()).sum().item()
    }
    return scale * pow(sums.reduce(0, +), 1 / p)
  }
  let norm = scaled(by: 1)
  // The sum of powers may overflow or underflow where the norm does not.
  guard norm == 0 || norm.isInfinite else { return norm }
  let scale = largest()
  return scale > 0 && scale.isFinite ? scaled(by: scale) : scale
}
