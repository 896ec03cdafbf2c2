/// A normalization over any axes and its gradient, by their definition.
///
/// y = (x - mean) r weight + bias with r = 1 / sqrt(variance + eps), and with u = g weight
/// dx = r (u - mean(u) - xhat mean(u xhat)), dweight = sum(g xhat), dbias = sum(g).
/// Without centering, the mean is zero, the variance is the mean square, and mean(u) is omitted.
package struct ReferenceNormalization: Sendable {
  package var axes: [Int]
  package var eps = 1e-5
  package var isCentered = true
  /// With as many axes as the input; sizes of 1 broadcast.
  package var weight: ReferenceTensor

  package init(over axes: [Int], weight: ReferenceTensor, isCentered: Bool = true) {
    self.axes = axes
    self.weight = weight
    self.isCentered = isCentered
  }

  /// (x - mean) r.
  package func normalized(_ x: ReferenceTensor) -> ReferenceTensor {
    let mean = x.reduced(over: axes, keepDims: true) {
      isCentered ? ReferenceMoments($0).mean : 0
    }
    return (x - mean) * inverse(x)
  }

  private func inverse(_ x: ReferenceTensor) -> ReferenceTensor {
    x.reduced(over: axes, keepDims: true) { values in
      let spread =
        isCentered
        ? ReferenceMoments(values).variance(0)
        : values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      return 1 / (spread + eps).squareRoot()
    }
  }

  /// The gradients of x, weight and bias for the gradient `g` of the result.
  package func gradients(
    _ x: ReferenceTensor, _ g: ReferenceTensor
  ) -> (x: ReferenceTensor, weight: ReferenceTensor, bias: ReferenceTensor) {
    let (xhat, inverse) = (normalized(x), inverse(x))
    let u = g * weight
    let shares = (u * xhat).mean(over: axes, keepDims: true)
    let centred = isCentered ? u - u.mean(over: axes, keepDims: true) : u
    let dx = inverse * (centred - xhat * shares)
    let constant = x.shape.indices.filter { weight.shape[$0] == 1 }
    func total(_ values: ReferenceTensor) -> ReferenceTensor {
      constant.isEmpty ? values : values.sum(over: constant, keepDims: true)
    }
    return (dx, total(g * xhat), total(g))
  }
}
