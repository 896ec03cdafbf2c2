import NormaReference
import NormaTensor
import Testing

/// Normalizations over any axes and their gradients, against their definition.
@Suite struct NormalizationGradientTests {
  /// Long and short runs of a slice, strips of columns, and several tiles.
  static let shapes = [
    [3, 5, 7], [16, 20], [40, 100], [1, 16, 6, 8], [4, 3, 6, 5], [600, 17],
  ]

  /// The results of a normalization and its gradients.
  struct Run {
    let y: Tensor
    let x: Tensor, weight: Tensor, bias: Tensor

    init(
      _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ upstream: Tensor, over axes: [Int],
      from origin: NormalizationOrigin = .mean, evaluatesFirst: Bool = true
    ) {
      let leaves = [x, weight, bias].map { $0.requiringGradient() }
      y = checked(file: #fileID, line: #line) { () throws(TensorError) in
        try leaves[0].normalized(
          over: axes, from: origin, eps: 1e-5, weight: leaves[1], bias: leaves[2], call: "test"
        ).output
      }
      if evaluatesFirst { y.evaluated() }
      y.backward(upstream: upstream)
      let gradients = leaves.map { $0.grad ?? .zeros(0) }
      (self.x, self.weight, self.bias) = (gradients[0], gradients[1], gradients[2])
    }

    var all: [Tensor] { [y, x, weight, bias] }
  }

  /// Weights that are constant within each statistic, and those that vary along the reduced axes.
  static func weightShapes(_ shape: [Int], _ axes: [Int]) -> [[Int]] {
    [
      shape.indices.map { axes.contains($0) ? 1 : shape[$0] },
      shape.indices.map { axes.contains($0) ? shape[$0] : 1 }, shape,
    ]
  }

  /// The largest error in units of the last place of the largest value, or of a `scale` above it
  /// where terms cancel.
  static func error(
    _ found: Tensor, _ expected: ReferenceTensor, scale: Double = 0
  ) -> Double {
    let scale = expected.values.reduce(scale) { max($0, abs($1)) }
    guard found.shape == expected.shape else { return .infinity }
    let worst = zip(found.array(of: Double.self), expected.values).map { abs($0 - $1) }.max() ?? 0
    return worst == 0 ? 0 : worst.isNaN ? .infinity : worst / found.dtype.ulp(scale)
  }

  /// From zero, dx has no term with the sum of u, whose infinity would make all of it NaN.
  @Test(arguments: [4, 64]) func infiniteGradientFromZero(_ columns: Int) {
    let x = Tensor((0..<(2 * columns)).map { Float($0 + 1) }, shape: [2, columns])
    let upstream = Tensor((0..<(2 * columns)).map { $0 == 0 ? Float.infinity : 0 }, shape: x.shape)
    for weight in [Tensor.ones(1, columns), Tensor.ones(1, 1)] {
      let run = Run(x, weight, .zeros(weight.shape), upstream, over: [1], from: .zero)
      let row = run.x[0].array(of: Float.self)
      #expect(row[0].isNaN)
      #expect(row[1...].allSatisfy { $0 == -.infinity })
      #expect(run.x[1].array(of: Float.self).allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: DType.realTypes, [NormalizationOrigin.mean, .zero])
  func everySubsetOfAxes(dtype: DType, origin: NormalizationOrigin) throws {
    var random = TestRandom(for: "\(#function) \(dtype) \(origin)")
    let allowed: Double = dtype.byteCount == 2 ? 1.01 : dtype == .float32 ? 6 : 24
    for shape in Self.shapes {
      // The slow definition of large ones is computed for one type only.
      let isLarge = shape.reduce(1, *) > 3000
      for arrangement in [Arrangement.contiguous, .channelsLast, .pending]
      where !isLarge || dtype == .float32 && arrangement != .channelsLast {
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: 3)
        let upstream = Sample(shape, dtype, arrangement, random: &random, mean: 0.2)
        for axes in subsets(shape.count).dropFirst() {
          for weightShape in Self.weightShapes(shape, axes)
          where shape.count < 4 || dtype == .float32 && origin == .mean {
            let weight = Sample(weightShape, dtype, random: &random, mean: 1, std: 0.5)
            let bias = Sample(weightShape, dtype, random: &random)
            let run = Run(
              sample.tensor, weight.tensor, bias.tensor, upstream.tensor, over: axes, from: origin)
            let definition = ReferenceNormalization(
              over: axes, weight: ReferenceTensor(shape: weightShape, values: weight.values),
              isCentered: origin == .mean)
            let expected = definition.gradients(
              ReferenceTensor(shape: shape, values: sample.values),
              ReferenceTensor(shape: shape, values: upstream.values))
            // Terms cancel if a statistic has few values.
            let scale =
              upstream.values.reduce(0) { max($0, abs($1)) }
              * Double(upstream.values.count).squareRoot()
            for (name, found, truth) in [
              ("dx", run.x, expected.x), ("dweight", run.weight, expected.weight),
              ("dbias", run.bias, expected.bias),
            ] {
              let error = Self.error(found, truth, scale: name == "dx" ? 0 : scale)
              if error > allowed {
                Issue.record(
                  """
                  \(name) of \(dtype) \(shape) \(arrangement) over \(axes) from \(origin), weight \
                  \(weightShape): \(error) ulp of the largest
                  """)
              }
            }
          }
        }
      }
    }
  }

  /// Pending inputs and gradients, statistics that have not run yet, and any number of threads.
  @Test func pendingOrNotTheBitsAreTheSame() {
    func draw(_ shape: [Int], mean: Float = 0) -> Tensor {
      (Tensor.randn(shape) + mean).evaluated()
    }
    for shape in Self.shapes + [[40, 100], [2, 8, 128, 129]] {
      for (axes, origin) in [
        ([0], NormalizationOrigin.mean), ([shape.count - 1], .mean), ([shape.count - 1], .zero),
        ([0] + Array(2..<shape.count), .mean),
      ] {
        for weightShape in Self.weightShapes(shape, axes).prefix(2) {
          let (x, mask, g) = withSeed(7) {
            (draw(shape, mean: 3), draw(shape) .> 0, draw(shape, mean: 0.1))
          }
          let (weight, bias) = withSeed(8) { (draw(weightShape, mean: 1), draw(weightShape)) }
          let stored = Tensor.where(mask, g, 0).evaluated()
          let expected = withThreads(1) {
            Run(x, weight, bias, stored, over: axes, from: origin).all.map { $0.evaluated() }
          }
          for threads in [1, 2, 3, 7] {
            for first in [true, false] {
              let found = withThreads(threads) {
                Run(
                  x, weight, bias, Tensor.where(mask, g, 0), over: axes, from: origin,
                  evaluatesFirst: first
                ).all.map { $0.evaluated() }
              }
              for (k, (a, b)) in zip(found, expected).enumerated() {
                #expect(isSame(a, b), "\(k) of \(shape) over \(axes), \(threads) threads")
              }
            }
          }
        }
      }
    }
  }

  /// Inputs and gradients with different memory orders.
  @Test func ordersOfMemory() {
    var random = TestRandom()
    let shape = [5, 3, 4, 6]
    let arrangements: [Arrangement] = [
      .contiguous, .channelsLast, .reversed, .stepped, .offset, .repeated, .mixed,
    ]
    for first in arrangements {
      for second in arrangements {
        let sample = Sample(shape, .float32, first, random: &random, mean: 3)
        let upstream = Sample(shape, .float32, second, random: &random)
        for axes in [[0, 2, 3], [1], [2, 3], [1, 2, 3]] {
          let weight = Sample(Self.weightShapes(shape, [0, 2, 3])[0], .float32, random: &random)
          let run = Run(sample.tensor, weight.tensor, weight.tensor, upstream.tensor, over: axes)
          let expected = ReferenceNormalization(
            over: axes,
            weight: ReferenceTensor(shape: weight.tensor.shape, values: weight.values)
          ).gradients(
            ReferenceTensor(shape: shape, values: sample.values),
            ReferenceTensor(shape: shape, values: upstream.values))
          let error = Self.error(run.x, expected.x)
          #expect(error <= 6, "\(first), \(second) over \(axes)")
        }
      }
    }
  }

  /// Second derivatives use a composition; both agree with small steps.
  @Test func smallSteps() throws {
    var random = TestRandom()
    for (shape, axes) in [([3, 4, 2], [0, 2]), ([3, 5], [1]), ([2, 3, 2], [0, 1, 2])] {
      let x = Sample(shape, .float64, random: &random, mean: 3).tensor
      for weightShape in Self.weightShapes(shape, axes) {
        let weight = Sample(weightShape, .float64, random: &random, mean: 1).tensor
        let bias = Sample(weightShape, .float64, random: &random).tensor
        for origin in [NormalizationOrigin.mean, .zero] {
          _ = try checkGradient(
            of: { inputs in
              checked(file: #fileID, line: #line) { () throws(TensorError) in
                try inputs[0].normalized(
                  over: axes, from: origin, eps: 1e-2, weight: inputs[1], bias: inputs[2],
                  call: "test"
                ).output
              }
            }, at: [x, weight, bias], tolerance: 1e-6, order: 2)
        }
      }
    }
  }

  /// Given statistics are constants.
  @Test func givenStatistics() throws {
    var random = TestRandom()
    let x = Sample([3, 4, 5], .float64, random: &random, mean: 3).tensor
    let mean = Sample([1, 4, 1], .float64, random: &random).tensor
    let variance = mean.abs() + 1
    let weight = Sample([1, 4, 1], .float64, random: &random, mean: 1).tensor
    _ = try checkGradient(
      of: { inputs in
        checked(file: #fileID, line: #line) { () throws(TensorError) in
          try inputs[0].normalized(
            mean: mean, variance: variance, eps: 1e-2, weight: inputs[1], bias: inputs[2],
            call: "test")
        }
      }, at: [x, weight, weight * 2], tolerance: 1e-6, order: 2)
  }

  /// Data far from zero keep their digits in the gradient, too.
  @Test func farFromZero() {
    var random = TestRandom()
    for (shape, axes) in [([4, 8, 20], [0, 2]), ([40, 60], [1])] {
      let sample = Sample(shape, .float32, random: &random, mean: 1e7, std: 3)
      let upstream = Sample(shape, .float32, random: &random)
      let weight = Sample(Self.weightShapes(shape, axes)[0], .float32, random: &random, mean: 1)
      let run = Run(sample.tensor, weight.tensor, weight.tensor, upstream.tensor, over: axes)
      let expected = ReferenceNormalization(
        over: axes,
        weight: ReferenceTensor(shape: weight.tensor.shape, values: weight.values)
      ).gradients(
        ReferenceTensor(shape: shape, values: sample.values),
        ReferenceTensor(shape: shape, values: upstream.values))
      #expect(Self.error(run.x, expected.x) <= 4)
      #expect(Self.error(run.weight, expected.weight) <= 4)
    }
  }
}
