import NormaNN
import NormaTensor

/// A way of normalizing a batch by hand, expecting batch norm to leave it unchanged.
///
/// These are the attempts of the forum thread "Understanding BatchNorm" and similar ones.
package struct Attempt: Sendable {
  /// What was done, in a line.
  package let name: String
  /// The formula in Norma's notation.
  package let code: String
  /// The hand-made normalization.
  package let normalize: @Sendable (Tensor) -> Tensor

  /// The attempts, in the order of the story.
  package static let all: [Attempt] = [
    Attempt(
      name: "per pixel over the batch, n - 1 (the question)",
      code: "(x - x.mean(over: 0)) / (x.std(over: 0) + 1e-5)"
    ) { divide($0, over: [0], correction: 1) },
    Attempt(
      name: "per pixel, divided by n",
      code: "(x - x.mean(over: 0)) / (x.std(over: 0, correction: 0) + 1e-5)"
    ) { divide($0, over: [0], correction: 0) },
    Attempt(
      name: "per channel over (0, 2, 3), n - 1, eps outside (the answer)",
      code: "(x - x.mean(over: 0, 2, 3)) / (x.std(over: 0, 2, 3) + 1e-5)"
    ) { divide($0, over: [0, 2, 3], correction: 1) },
    Attempt(
      name: "per channel, n, eps outside",
      code: "(x - x.mean(over: 0, 2, 3)) / (x.std(over: 0, 2, 3, correction: 0) + 1e-5)"
    ) { divide($0, over: [0, 2, 3], correction: 0) },
    Attempt(
      name: "per channel, n, eps inside the root",
      code: "(x - mean) / (x.variance(over: 0, 2, 3, correction: 0) + 1e-5).sqrt()"
    ) { x in
      let axes = [0, 2, 3]
      let variance = x.variance(over: axes, correction: 0, keepDims: true)
      return (x - x.mean(over: axes, keepDims: true)) / (variance + 1e-5).sqrt()
    },
    Attempt(
      name: "mean of means and std of std of std (the second attempt)",
      code: "mean and std over 3, then over 2 of that, then over 0 of that"
    ) { x in
      var (mean, std) = (x, x)
      for axis in [3, 2, 0] {
        mean = mean.mean(over: axis, keepDims: true)
        std = std.std(over: axis, keepDims: true)
      }
      return (x - mean) / (std + 1e-5)
    },
    Attempt(
      name: "channels first, then mean and std over one axis (the workaround)",
      code: "x.permuted(1, 0, 2, 3).reshaped(64, -1), then mean and std over 1"
    ) { x in
      let shape = x.shape
      let rows = x.permuted(1, 0, 2, 3).reshaped(shape[1], -1)
      let mean = rows.mean(over: 1, keepDims: true)
      let std = rows.std(over: 1, keepDims: true)
      let y = (rows - mean) / (std + 1e-5)
      return y.reshaped(shape[1], shape[0], shape[2], shape[3]).permuted(1, 0, 2, 3)
    },
  ]

  private static func divide(_ x: Tensor, over axes: [Int], correction: Double) -> Tensor {
    let mean = x.mean(over: axes, keepDims: true)
    return (x - mean) / (x.std(over: axes, correction: correction, keepDims: true) + 1e-5)
  }

  /// Why a new layer changes this normalization of `x`.
  package func explanation(of x: Tensor) -> Explanation {
    let y = normalize(x).evaluated()
    return BatchNorm2d(x.shape[1]).explain(y, expecting: y, from: x)
  }
}
