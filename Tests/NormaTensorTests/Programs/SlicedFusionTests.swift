import NormaReference
import NormaTensor
import Testing

/// Values minus their own statistics: reductions that run slice by slice with the program that
/// needs them give the same bits as reductions that run before it.
@Suite struct SlicedFusionTests {
  static let shapes = [
    [6, 64, 8, 8], [16, 20], [40, 100], [3, 17, 5], [4, 32, 32], [2, 8, 1800], [8, 64, 4, 64],
  ]

  /// The statistics that normalize a tensor, pending or evaluated.
  static func normalized(_ x: Tensor, _ axes: [Int], keepDims: Bool, evaluated: Bool) -> [Tensor] {
    var mean = x.mean(over: axes, keepDims: keepDims)
    var std = x.std(over: axes, keepDims: keepDims)
    var high = x.max(over: axes, keepDims: keepDims)
    if evaluated { (mean, std, high) = (mean.evaluated(), std.evaluated(), high.evaluated()) }
    let y = (x - mean) / (std + 1e-5)
    return [y, x - mean, y * 2 - x, x / high, (y - x).abs().max()]
  }

  @Test(arguments: DType.realTypes)
  func everySubsetOfAxes(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes where dtype == .float32 || shape.reduce(1, *) < 5000 {
      for arrangement in [Arrangement.contiguous, .channelsLast, .stepped, .mixed] {
        let x = Sample(shape, dtype, arrangement, random: &random).tensor
        for axes in subsets(shape.count) {
          let plain = Self.normalized(x.evaluated(), axes, keepDims: true, evaluated: true)
          for (k, expected) in plain.enumerated() {
            // Each from new reductions, so that none finds the results of another.
            let found = Self.normalized(x, axes, keepDims: true, evaluated: false)[k]
            #expect(isSame(found, expected), "\(k) of \(shape) \(arrangement) over \(axes)")
          }
        }
      }
    }
  }

  /// Without the reduced axes a statistic is aligned with the last axes of its source, whichever
  /// they are.
  @Test func statisticsThatLineUpWithOtherAxes() {
    var random = TestRandom()
    for shape in [[8, 64, 4, 64], [64, 64], [6, 6, 6], [32, 32, 32]] {
      let x = Sample(shape, .float32, random: &random).tensor
      for axes in subsets(shape.count).dropFirst() {
        let mean = x.mean(over: axes)
        guard mean.shape.elementsEqual(shape.suffix(mean.rank)) else { continue }
        let expected = x - mean.evaluated()
        let found = x - x.mean(over: axes)
        #expect(isSame(found, expected), "\(shape) over \(axes)")
        let turned = x.mean(over: axes, keepDims: false)
        if turned.rank == 2 && turned.shape[0] == turned.shape[1] {
          #expect(
            isSame(x - turned.transposed(), x - x.mean(over: axes).evaluated().transposed()),
            "\(shape) over \(axes) transposed")
        }
      }
    }
  }

  /// A statistic of a view with steps, and one that is broadcast along its own new axes.
  @Test func viewsOfStatistics() {
    var random = TestRandom()
    let x = Sample([16, 32, 32], .float32, random: &random).tensor
    func views(_ mean: Tensor) -> [Tensor] {
      [
        x[0..<8] - mean.taking([AxisSlice(by: 2)]).reshaped(8, 1, 1),
        x - mean.reshaped(16, 1, 1), x - mean.reshaped(16, 1, 1).broadcast(to: [16, 32, 32]),
        x - mean[3], x[..., 0..<16] - mean, x - mean.reshaped(4, 4, 1).reshaped(16, 1, 1),
        x - mean.reshaped(1, 16).transposed().unsqueezed(2),
      ]
    }
    let expected = views(x.mean(over: 1, 2).evaluated())
    for k in expected.indices {
      #expect(isSame(views(x.mean(over: 1, 2))[k], expected[k]), "\(k)")
    }
  }

  /// Statistics of two tensors, and statistics of statistics.
  @Test func severalGroups() {
    var random = TestRandom()
    let x = Sample([16, 500], .float32, random: &random).tensor
    let y = Sample([16, 500], .float32, .reversed, random: &random).tensor
    func of(_ evaluate: (Tensor) -> Tensor) -> [Tensor] {
      let a = evaluate(x.mean(over: 1, keepDims: true))
      let b = evaluate(y.std(over: 1, keepDims: true))
      let c = evaluate((x - a).variance(over: 1, keepDims: true))
      let d = evaluate(a.max())
      return [x - a + b, (x - a) / c, (x - d) * a, (x + y - a) * b + c, (y - a).sum(over: 0)]
    }
    let expected = of { $0.evaluated() }
    for k in expected.indices { #expect(isSame(of { $0 }[k], expected[k]), "\(k)") }
  }
}
