import NormaNN
import NormaReference
import NormaTensor
import Testing

@Suite struct GroupNormTests {
  @Test(arguments: BatchNormTests.realTypes, [false, true])
  func againstTheDefinition(dtype: DType, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(dtype) \(channelsLast)")
    for shape in [[2, 12, 5, 7], [3, 8], [4, 6, 33], [1, 4, 3, 2, 5], [8, 16, 8, 8]] {
      // The gradient of two values cancels.
      for groups in [1, 2, shape[1] / 2, shape[1]]
      where shape.dropFirst().reduce(1, *) / groups > 2 {
        let x = BatchNormTests.batch(shape, dtype, channelsLast: channelsLast, &random).tensor
        let split = [shape[0], groups, shape[1] / groups] + shape.dropFirst(2)
        let check = NormalizationCheck(
          axes: Array(2..<split.count), shape: split,
          parameterShape: split.indices.map { $0 == 1 || $0 == 2 ? split[$0] : 1 })
        let errors = check.errors(
          x, weight: random.doubles(shape[1], mean: 1), bias: random.doubles(shape[1]),
          upstream: random.doubles(x.count, mean: 0.2)
        ) { groupNorm($0, groups: groups, weight: $1, bias: $2) }
        NormalizationCheck.expectSmall(
          errors, limit: dtype == .float64 ? 24 : 4,
          "\(groups) groups of \(dtype) \(shape), channels last \(channelsLast)")
      }
    }
  }

  /// Data far from zero keep their digits.
  @Test(arguments: [1e3, 1e5, 1e7], [false, true])
  func farFromZero(mean: Double, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(mean) \(channelsLast)")
    let shape = [4, 8, 9, 10]
    let x = BatchNormTests.batch(
      shape, .float32, channelsLast: channelsLast, mean: mean, std: 1, &random
    ).tensor
    let check = NormalizationCheck(
      axes: [2, 3, 4], shape: [4, 2, 4, 9, 10], parameterShape: [1, 2, 4, 1, 1])
    let errors = check.errors(
      x, weight: random.doubles(8, mean: 1), bias: random.doubles(8),
      upstream: random.doubles(x.count)
    ) { groupNorm($0, groups: 2, weight: $1, bias: $2) }
    NormalizationCheck.expectSmall(errors, limit: 4, "mean \(mean)")
  }

  /// As many groups as channels is instance norm, one group is layer norm over all but the batch.
  @Test func betweenLayerAndInstanceNorm() {
    let x = withSeed(3) { Tensor.randn(3, 6, 4, 5) }
    #expect(groupNorm(x, groups: 6).isEqual(to: instanceNorm(x)))
    #expect(groupNorm(x, groups: 1).isEqual(to: layerNorm(x, normalizedShape: [6, 4, 5])))
  }

  /// One or two passes over memory, with any number of threads: the bits are the same.
  @Test func threadsChangeNothing() {
    let x = withSeed(4) { Tensor.randn(8, 32, 24, 24) }
    let layer = GroupNorm(4, 32)
    layer.weight?.value = withSeed(5) { .randn(32) }
    let expected = withThreads(1) { layer(x).evaluated() }
    for threads in [2, 3, 7] {
      #expect(withThreads(threads) { layer(x).evaluated() }.isEqual(to: expected))
    }
  }

  @Test func edges() {
    let layer = GroupNorm(2, 4)
    #expect(layer.stateDict().keys.sorted() == ["bias", "weight"])
    #expect(GroupNorm(2, 4, affine: false).stateDict().isEmpty)
    #expect(GroupNorm(2, 4, bias: false).stateDict().keys.sorted() == ["weight"])
    layer.bias?.value = Tensor([1, 2, 3, 4] as [Float])
    let constant = layer(.full([2, 4, 3], 1e7 + 1))
    #expect(constant[1, 0..., 2].array(of: Float.self) == [1, 2, 3, 4])
    #expect(layer(.zeros(0, 4, 3)).shape == [0, 4, 3])
    #expect(layer(.zeros(2, 4, 0)).shape == [2, 4, 0])
    #expect(layer(.zeros(2, 4)).shape == [2, 4])
    #expect(layer(.zeros(2, 4, 3, dtype: .bfloat16)).dtype == .bfloat16)
    let mistakes: [(String, () -> Tensor)] = [
      ("3 groups", { GroupNorm(3, 10)(.zeros(2, 10)) }),
      ("no groups", { groupNorm(.zeros(2, 10), groups: 0) }),
      ("other channels", { layer(.zeros(2, 6, 3)) }), ("one axis", { layer(.zeros(4)) }),
      ("one value a group", { GroupNorm(4, 4)(.zeros(1, 4)) }),
      ("integers", { layer(Tensor.arange(8).reshaped(2, 4)) }),
      ("weight", { groupNorm(.zeros(2, 4), groups: 2, weight: .ones(2)) }),
    ]
    for (what, call) in mistakes {
      #expect(throws: TensorError.self, "\(what)") {
        try catchingTensorErrors { call().evaluated() }
      }
    }
  }
}
