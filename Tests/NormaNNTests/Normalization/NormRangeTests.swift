import NormaNN
import NormaTensor
import Testing

/// `float64` whose squares leave the range is normalized as any other: expected values from mpmath
/// with 60 digits.
@Suite struct NormRangeTests {
  /// [1, -0.5, 0.25, 0.75] less its mean, by its deviation, and by its root mean square.
  static let centered = [
    1.0910894511799619, -1.5275252316519467, -0.21821789023599238, 0.65465367070797714,
  ]
  static let byLength = [
    1.460593486680443, -0.73029674334022148, 0.36514837167011074, 1.0954451150103322,
  ]
  /// The gradient of Σ y g for g = [1, 2, -1, 0.5], times the size.
  static let slopes = [
    1.3300899976289059, 1.4547859349066159, -2.9719198384520867, 0.1870439059165649,
  ]
  static let upstream = Tensor([1, 2, -1, 0.5], dtype: .float64)

  private func isClose(_ found: [Double], _ expected: [Double], by factor: Double = 1) -> Bool {
    found.count == expected.count
      && zip(found, expected).allSatisfy { abs($0 * factor - $1) < 2e-15 }
  }

  /// Copies of four numbers, so that there are few and many elements.
  private func data(_ size: Double, _ count: Int) -> Tensor {
    let row = Tensor([1, -0.5, 0.25, 0.75], dtype: .float64) * size
    return (row + Tensor.zeros([count, 1], dtype: .float64)).evaluated()
  }

  @Test(arguments: [1e200, 1e-200, 1e300, 0x1p-1000], [3, 20_000])
  func rowsOfExtremeSizes(size: Double, count: Int) {
    // Values of this size vanish next to a small epsilon.
    let eps = size > 1 ? 1e-5 : 0
    let x = data(size, count)
    for (number, (y, expected)) in [
      (layerNorm(x, normalizedShape: [4], eps: eps), Self.centered),
      (rmsNorm(x, normalizedShape: [4], eps: eps), Self.byLength),
      (groupNorm(x.unsqueezed(1), groups: 1, eps: eps).squeezed(1), Self.centered),
      (instanceNorm(x.unsqueezed(1), eps: eps).squeezed(1), Self.centered),
      (
        layerNorm(x, normalizedShape: [4], mask: .ones([1, 4], dtype: .bool), eps: eps),
        Self.centered
      ),
      (Tensor.normalize(x, eps: eps) * 2, Self.byLength),
    ].enumerated() {
      for row in [0, count - 1] {
        #expect(isClose(y[row].array(of: Double.self), expected), "\(number): \(size)")
      }
    }
  }

  @Test func batchNormOfExtremeSizes() {
    let layer = BatchNorm1d(2, dtype: .float64)
    // The second channel is ordinary, and keeps its bits.
    let ordinary = Tensor([3, 1, 4, 1], dtype: .float64)
    let x = Tensor.stacked([data(1e200, 1)[0], ordinary], over: 1)
    let y = layer(x)
    #expect(isClose(y[0..., 0].array(of: Double.self), Self.centered))
    let alone = BatchNorm1d(2, dtype: .float64)
    let z = alone(Tensor.stacked([ordinary, ordinary], over: 1))
    #expect(y[0..., 1].array(of: Double.self) == z[0..., 1].array(of: Double.self))
    #expect(layer.runningMean?.value.item(at: 0).isFinite == true)
  }

  @Test(arguments: [1e200, 1e-200]) func gradientsOfExtremeSizes(size: Double) {
    let eps = size > 1 ? 1e-5 : 0
    let x = data(size, 1)[0]
    let slope = Tensor.gradient(
      of: { (layerNorm($0, normalizedShape: [4], eps: eps) * Self.upstream).sum() }, at: x)
    #expect(isClose(slope.array(of: Double.self), Self.slopes, by: size), "\(slope)")
    let masked = Tensor.gradient(
      of: {
        (layerNorm($0, normalizedShape: [4], mask: .ones([4], dtype: .bool), eps: eps)
          * Self.upstream).sum()
      }, at: x)
    #expect(isClose(masked.array(of: Double.self), Self.slopes, by: size), "\(masked)")
  }

  @Test func pairwiseDistances() {
    for size in [1e200, 1e-200] {
      let a = Tensor([[1, -0.5]], dtype: .float64) * size
      let b = Tensor([[0.25, 0.75]], dtype: .float64) * size
      let distance = pairwiseDistance(a, b, eps: 0).item()
      #expect(abs(distance / size - 1.4577379737113251) < 1e-15)
      #expect(abs(Tensor.distance(a, b).item() / size - 1.4577379737113251) < 1e-15)
      // (1 * 0.25 - 0.5 * 0.75) / (√1.25 √0.625)
      #expect(abs(cosineSimilarity(a, b, eps: 0).item() + 0.1414213562373095) < 1e-15)
      let slope = Tensor.gradient(of: { cosineSimilarity($0, b, eps: 0).sum() }, at: a)
      // b / (|a| |b|) - cos a / |a|²
      for (found, expected) in zip(
        slope.array(of: Double.self), [0.39597979746446664, 0.7919595949289333])
      {
        #expect(abs(found * size - expected) < 1e-14, "\(size): \(slope)")
      }
    }
  }

  /// The functions reject what the layers reject.
  @Test func negativeEpsilonIsRefused() {
    let x = Tensor.ones(2, 4, 3)
    let mask = Tensor.ones([2, 4, 3], dtype: .bool)
    let (mean, variance) = (Tensor.zeros(4), Tensor.ones(4))
    for eps in [-1, .nan] {
      // PyTorch's norms that accept any number, and their masked forms.
      let taking: [() -> Tensor] = [
        { layerNorm(x, normalizedShape: [3], eps: eps) },
        { layerNorm(x, normalizedShape: [3], mask: mask, eps: eps) },
        { rmsNorm(x, normalizedShape: [3], eps: eps) },
        { rmsNorm(x, normalizedShape: [3], mask: mask, eps: eps) },
        { groupNorm(x, groups: 2, eps: eps) },
        { groupNorm(x, groups: 2, mask: mask, eps: eps) },
        { instanceNorm(x, mask: mask, eps: eps) },
        { adaptiveInstanceNorm(x, style: x, eps: eps) },
      ]
      let refusing: [() -> Tensor] = [
        { instanceNorm(x, eps: eps) },
        {
          instanceNorm(
            x, runningMean: mean, runningVar: variance, useInputStats: false, eps: eps)
        },
        { batchNorm(x, training: true, eps: eps) },
        { batchNorm(x, runningMean: mean, runningVar: variance, eps: eps) },
        { Tensor.normalize(x, eps: eps) }, { cosineSimilarity(x, x, eps: eps) },
      ]
      let calls = (eps.isNaN ? taking : []) + refusing
      for (number, call) in calls.enumerated() {
        let error = #expect(throws: TensorError.self, "\(number)") {
          try catchingTensorErrors { call() }
        }
        #expect(
          error?.reason.hasPrefix("eps must") == true, "\(number): \(String(describing: error))")
      }
    }
  }
}
