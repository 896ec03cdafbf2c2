import NormaReference
import NormaTensor
import Testing

/// Normalization by the unmasked values, against the definition in Double.
@Suite(.seeded) struct MaskedNormalizationTests {
  static func normalized(
    _ x: Tensor, over axes: [Int], mask: Tensor, weight: Tensor? = nil, bias: Tensor? = nil
  ) -> Tensor {
    checked(file: #fileID, line: #line) { () throws(TensorError) in
      try x.normalized(
        over: axes, mask: mask, eps: 1e-5, weight: weight, bias: bias, call: "test"
      ).output
    }
  }

  /// At most 4 ulp of the largest value, also far from zero; exactly 0 where nothing counts.
  @Test(arguments: DType.realTypes, [0, 1e7])
  func values(dtype: DType, mean: Double) {
    var random = TestRandom(for: "\(#function) \(dtype) \(mean)")
    let shape = [5, 4, 9]
    // Half types do not have this range, and the definition has no more digits than float64.
    let x = Sample(
      shape, dtype, random: &random, mean: dtype == .float32 ? mean : 1, std: 1)
    for (axes, maskShape) in [
      ([0, 2], [5, 1, 9]), ([2], [5, 1, 9]), ([0, 2], shape), ([1], shape),
    ] {
      let truths = (0..<maskShape.reduce(1, *)).map { _ in
        Double.random(in: 0...1, using: &random) < 0.7 ? 1.0 : 0
      }
      let mask = Tensor(truths, shape: maskShape)
      let weight = random.doubles(4, mean: 1).map { Double(Float($0)) }
      let y = Self.normalized(
        x.tensor, over: axes, mask: mask, weight: Tensor(weight, shape: [4, 1], dtype: .float32))
      let found = y.array(of: Double.self)
      let holds = mask.broadcast(to: shape).array(of: Double.self)
      // The statistics of each value's group.
      let all = groups(Array(0..<found.count).map(Double.init), shape, over: axes)
      var (worst, scale) = (0.0, 0.0)
      for group in all {
        let indices = group.map { Int($0) }
        let moments = ReferenceMoments(indices.filter { holds[$0] != 0 }.map { x.values[$0] })
        for index in indices {
          if holds[index] == 0 {
            #expect(found[index] == 0)
            continue
          }
          let expected =
            (x.values[index] - moments.mean) / (moments.variance(0) + 1e-5).squareRoot()
            * weight[index / 9 % 4]
          worst = max(worst, found[index].isFinite ? abs(found[index] - expected) : .infinity)
          scale = max(scale, abs(expected))
        }
      }
      let limit: Double = dtype == .float64 ? 1e4 : 4  // The scale of float64 comes from float32.
      #expect(worst <= limit * dtype.ulp(scale), "\(axes) \(maskShape) \(worst)")
    }
  }

  @Test func gradients() throws {
    var random = TestRandom()
    let x = Tensor(random.doubles(60, mean: 2), shape: [4, 3, 5])
    let weight = Tensor(random.doubles(3, mean: 1), shape: [3, 1])
    let bias = Tensor(random.doubles(3), shape: [3, 1])
    let mask = Tensor(
      (0..<20).map { _ in Double.random(in: 0...1, using: &random) < 0.6 }, shape: [4, 1, 5])
    for axes in [[0, 2], [2], [1]] {
      try checkGradient(
        of: {
          Self.normalized($0[0], over: axes, mask: mask, weight: $0[1], bias: $0[2])
        }, at: [x, weight, bias], tolerance: 1e-6, order: 2)
      try checkGradient(
        of: { Self.normalized($0[0], over: axes, mask: mask) }, at: [x], tolerance: 1e-6)
    }
  }

  /// With a mask that is true everywhere, the same bits as without a mask; without any value,
  /// zeros.
  @Test func extremes() throws {
    let x = Tensor.randn(6, 4, 7)
    let plain = checked(file: #fileID, line: #line) { () throws(TensorError) in
      try x.normalized(over: [0, 2], eps: 1e-5, weight: nil, bias: nil, call: "test").output
    }
    let all = Self.normalized(x, over: [0, 2], mask: Tensor.ones(7))
    #expect(all.allClose(to: plain, rtol: 0, atol: 5e-7))
    let none = Self.normalized(x, over: [0, 2], mask: Tensor.zeros(7))
    #expect(none.abs().max().item() == 0)
    let poisoned = Tensor([[1, .nan, 3]] as [[Float]]).requiringGradient()
    let y = Self.normalized(poisoned, over: [1], mask: Tensor([1, 0, 1] as [Float]))
    #expect(y.array(of: Float.self)[1] == 0 && abs(y[0, 2].item() - 1) < 1e-5)
    y.backward(upstream: Tensor([[1, 5, 2]] as [[Float]]))
    let gradient = poisoned.grad?.array(of: Float.self) ?? []
    #expect(gradient.count == 3 && gradient[1] == 0 && gradient.allSatisfy(\.isFinite))
  }
}
