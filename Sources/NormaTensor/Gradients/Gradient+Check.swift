/// A gradient that differs from the central differences.
public struct GradientCheckError: Error, Sendable, CustomStringConvertible {
  /// The index of the input, and of the element in it in row-major order.
  public let input: Int, element: Int
  /// The gradient by the rule, and by central differences.
  public let gradient: Double, expected: Double
  /// The difference, in units of 1 + |expected|.
  public let error: Double

  /// `gradient of input 0 at element 3 is 1.5, central differences give 1.0 (error 0.25)`
  public var description: String {
    "gradient of input \(input) at element \(element) is \(gradient), "
      + "central differences give \(expected) (error \(error))"
  }
}

/// Compares the gradient of a function with central differences, in `float64`.
///
/// The inputs are converted to `float64`. The results are weighted with numbers that are neither
/// constant nor small, to catch a rule that omits or misapplies the upstream gradient. For each
/// element x of each input, |rule - (f(x + step) - f(x - step)) / (2 step)| is compared with
/// `tolerance` (1 + |expected|). Avoid kinks, such as `abs()` at 0.
///
/// - Parameters:
///   - function: the function.
///   - inputs: the point at which the gradient is checked.
///   - step: how far each element is moved in both directions.
///   - tolerance: the largest allowed error.
///   - order: 2 checks the gradient of the gradient as well.
/// - Returns: the largest error.
/// - Throws: ``GradientCheckError`` for the element with the largest error if that is above
///   `tolerance` or NaN, and the first ``TensorError`` of a call.
/// - Cost: two evaluations for each element.
/// - PyTorch: `torch.autograd.gradcheck`, `gradgradcheck`.
@discardableResult
public func checkGradient(
  of function: ([Tensor]) -> Tensor, at inputs: [Tensor], step: Double = 1e-5,
  tolerance: Double = 1e-7, order: Int = 1
) throws -> Double {
  let wide = inputs.map { $0.detached().cast(to: .float64) }
  var worst = try compareWithDifferences(function, wide, step, tolerance)
  guard order > 1 else { return worst }
  for index in inputs.indices {
    let slope = { (values: [Tensor]) in
      Tensor.gradient(of: { weighed(function($0)) }, at: values)[index]
    }
    worst = max(worst, try compareWithDifferences(slope, wide, step, tolerance * 10))
  }
  return worst
}

/// Σ weight * result, with weights in -2.2 ... 2.2 that have no short period.
private func weighed(_ result: Tensor) -> Tensor {
  let weights = (0..<result.count).map { index in
    let phase = (Double(index) * 0.754877666 + 0.31).truncatingRemainder(dividingBy: 1)
    return phase < 0.5 ? -0.7 - 3 * phase : 0.7 + 3 * (phase - 0.5)
  }
  return (result.cast(to: .float64) * Tensor(weights, shape: result.shape)).sum()
}

private func compareWithDifferences(
  _ function: ([Tensor]) -> Tensor, _ inputs: [Tensor], _ step: Double, _ tolerance: Double
) throws -> Double {
  let gradients = try catchingTensorErrors {
    Tensor.gradient(of: { weighed(function($0)) }, at: inputs).map { $0.evaluated() }
  }
  var worst = GradientCheckError(input: 0, element: 0, gradient: 0, expected: 0, error: 0)
  for (number, input) in inputs.enumerated() {
    let values = input.array(of: Double.self)
    let rule = gradients[number].array(of: Double.self)
    for element in values.indices {
      func value(at x: Double) throws -> Double {
        var moved = values
        moved[element] = x
        var all = inputs
        all[number] = Tensor(moved, shape: input.shape)
        return try catchingTensorErrors { withoutGradients { weighed(function(all)).item() } }
      }
      let x = values[element]
      let expected = (try value(at: x + step) - value(at: x - step)) / (2 * step)
      let error = abs(rule[element] - expected) / (1 + abs(expected))
      if error.isNaN || error > worst.error {
        worst = GradientCheckError(
          input: number, element: element, gradient: rule[element], expected: expected,
          error: error)
        if error.isNaN { throw worst }
      }
    }
  }
  if worst.error > tolerance { throw worst }
  return worst.error
}
