import NormaNN
import NormaReference
import NormaTensor
import Testing

/// p-norms, what is divided by them, and norms across channels.
@Suite struct LengthTests {
  static let powers: [Double] = [0, 0.5, 1, 1.5, 2, 3, 4, -1, -2.1, .infinity, -.infinity]

  static func definition(_ values: [Double], _ p: Double) -> Double {
    switch p {
    case .infinity: values.map(abs).max() ?? 0
    case -.infinity: values.map(abs).min() ?? 0
    case 0: Double(values.count { $0 != 0 })
    default: pow(values.reduce(0) { $0 + pow(abs($1), p) }, 1 / p)
    }
  }

  static func pow(_ x: Double, _ p: Double) -> Double {
    x == 0
      ? (p > 0 ? 0 : .infinity)
      : Tensor(x, dtype: .float64).log().item() == 0
        ? 1 : (Tensor(x, dtype: .float64).log() * p).exp().item()
  }

  @Test(arguments: powers)
  func againstTheDefinition(p: Double) {
    var random = TestRandom(for: "\(#function) \(p)")
    for (shape, axes) in [([3, 4, 5], [1]), ([3, 4, 5], [0, 2]), ([7], [0])] {
      let x = BatchNormTests.batch(shape, .float32, &random)
      let expected = x.reference.reduced(over: axes, keepDims: false) { Self.definition($0, p) }
      let found = x.tensor.norm(p, over: axes)
      #expect(found.shape == expected.shape)
      #expect(NormalizationCheck.error(found, expected.values) <= 1, "\(shape) over \(axes)")
      #expect(x.tensor.norm(p, over: axes, keepDims: true).rank == shape.count)
    }
  }

  @Test(arguments: powers)
  func gradients(p: Double) throws {
    let x = withSeed(5) { Tensor.randn([3, 4], dtype: .float64) }
    if p != 0 {
      _ = try checkGradient(
        of: { $0[0].norm(p, over: 1) }, at: [x], tolerance: 1e-5, order: p.isFinite ? 2 : 1)
    }
    _ = try checkGradient(
      of: { Tensor.normalize($0[0], p: p, axis: 0) }, at: [x], tolerance: 1e-5, order: 1)
  }

  @Test func noOverflowAndNoUnderflow() {
    #expect(Tensor([3e30, 4e30] as [Float]).norm().item(as: Float.self) == 5e30)
    #expect(Tensor([3e-30, 4e-30] as [Float]).norm().item(as: Float.self) == 5e-30)
    let zero = Tensor.zeros(3).requiringGradient()
    zero.norm().backward()
    #expect(zero.grad?.array(of: Float.self) == [0, 0, 0])
    #expect(Tensor.zeros(0, 3).norm(over: 0).array(of: Float.self) == [0, 0, 0])
    #expect(Tensor([3, -4] as [Float]).norm(over: 0, keepDims: true).shape == [1])
  }

  @Test func normalizeEdges() {
    let x = Tensor([[3, 0], [4, 0]] as [[Float]])
    #expect(Tensor.normalize(x, axis: 0).array(of: Float.self) == [0.6, 0, 0.8, 0])
    #expect(Tensor.normalize(x.cast(to: .bfloat16)).dtype == .bfloat16)
    #expect(Tensor.normalize(.zeros(2, 0)).shape == [2, 0])
    for call in [
      { Tensor.normalize(x, axis: 2) }, { Tensor.normalize(Tensor.arange(4).reshaped(2, 2)) },
      { Tensor.arange(3).norm() }, { Tensor.zeros(0).norm(-.infinity) },
    ] as [() -> Tensor] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { call().evaluated() } }
    }
  }

  @Test func localResponseAsInPyTorch() throws {
    let x = WeightParametrizationTests.waves([1, 6, 2, 2])
    let y = LocalResponseNorm(4, alpha: 1)(x)
    WeightParametrizationTests.expect(
      y.flattened()[12...],
      [
        -0.70371693, -0.73892885, -0.67142844, -0.50483942, -0.26562518, 0.00501608, 0.26703808,
        0.49029288, 0.67477185, 0.73670650, 0.72114205, 0.62091488,
      ])
    let wide = x.cast(to: .float64)
    _ = try checkGradient(
      of: { localResponseNorm($0[0], size: 3, alpha: 0.7, beta: 0.6, k: 0.9) }, at: [wide],
      tolerance: 1e-6, order: 1)
    #expect(localResponseNorm(.zeros(0, 3, 4), size: 3).shape == [0, 3, 4])
    let last = x.permuted(0, 2, 3, 1).evaluated()
    #expect(
      LocalResponseNorm(4, alpha: 1)((last * 1).permuted(0, 3, 1, 2))
        .allClose(to: y, rtol: 1e-6, atol: 1e-7))
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { localResponseNorm(.zeros(2, 3), size: 3) }
    }
  }

  /// The same as local response norm for odd sizes; for even ones, over one channel less.
  @Test func acrossMaps() {
    let x = WeightParametrizationTests.waves([2, 6, 2, 2])
    for size in [1, 3, 5] {
      #expect(
        CrossMapLRN2d(size, alpha: 0.5)(x)
          .isEqual(to: LocalResponseNorm(size, alpha: 0.5)(x)))
    }
    #expect(
      CrossMapLRN2d(4, alpha: 0.4)(x)
        .allClose(to: LocalResponseNorm(3, alpha: 0.3)(x), rtol: 1e-6, atol: 1e-7))
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { CrossMapLRN2d(3)(.zeros(2, 3, 4)) }
    }
  }
}
