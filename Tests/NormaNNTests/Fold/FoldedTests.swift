import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Batch norm folded into its neighbours, against PyTorch and against the unfolded layers.
@Suite struct FoldedTests {
  static func set(_ norm: BatchNorm, _ numbers: [String: [Double]]) {
    for (name, value) in numbers {
      let dtype = norm.runningMean?.value.dtype ?? .float32
      let tensor = Tensor(value, dtype: dtype)
      switch name {
      case "weight": norm.weight?.value = tensor
      case "bias": norm.bias?.value = tensor
      case "mean": norm.runningMean?.value = tensor
      default: norm.runningVar?.value = tensor
      }
    }
  }

  static func fixed<Norm: BatchNorm>(_ norm: Norm) -> Norm {
    set(
      norm,
      ["mean": [0.5, -0.25], "variance": [2, 0.25], "weight": [1.5, -0.5], "bias": [0.25, 2]])
    return norm
  }

  /// Numbers for every channel, with a shift that is not zero.
  static func drawn<Norm: BatchNorm>(_ norm: Norm, _ random: inout TestRandom) -> Norm {
    let n = norm.features
    set(
      norm,
      [
        "mean": random.doubles(n, mean: 1, std: 2),
        "variance": random.doubles(n, mean: 0, std: 1).map { 0.1 + abs($0) },
        "weight": random.doubles(n, mean: 0, std: 1), "bias": random.doubles(n, mean: 3, std: 1),
      ])
    norm.eval()
    return norm
  }

  static func ulps(_ found: Tensor?, _ expected: [Double]) throws -> Double {
    try worstError(actual: found?.array(of: Float.self) ?? [], expected: expected).ulps
  }

  /// Seed 0, then `fuse_conv_bn_eval` and `fuse_linear_bn_eval` of PyTorch 2.13, which compute in
  /// float32: 3 roundings of a weight, 5 of a bias, whose terms cancel to at most an eighth.
  @Test func numbersOfPyTorch() throws {
    let cases: [(weight: Tensor?, bias: Tensor?, expected: [[Double]])] = try [
      withSeed(0) {
        let layer = try Self.fixed(BatchNorm1d(2)).folded(intoPrevious: Conv1d(2, 2, kernelSize: 2))
        return (
          layer.weight.value, layer.bias?.value,
          [
            [
              -0.003970475867390633, 0.2844914495944977, -0.4364844858646393, -0.39028963446617126,
              0.19257332384586334, -0.13407599925994873, 0.009906391613185406, -0.39643681049346924,
            ], [-0.32739222049713135, 1.6177014112472534],
          ]
        )
      },
      withSeed(0) {
        let conv = Conv2d(1, 2, kernelSize: [2, 1], bias: false)
        let layer = try Self.fixed(BatchNorm2d(2)).folded(intoPrevious: conv)
        return (
          layer.weight.value, layer.bias?.value,
          [
            [-0.005615100730210543, 0.4023316502571106, 0.5819690823554993, 0.5203770399093628],
            [-0.28032875061035156, 1.7500050067901611],
          ]
        )
      },
      withSeed(0) {
        let conv = Conv3d(2, 2, kernelSize: 1, groups: 2)
        let layer = try Self.fixed(BatchNorm3d(2)).folded(intoPrevious: conv)
        return (
          layer.weight.value, layer.bias?.value,
          [
            [-0.007940951734781265, -0.5364328622817993], [-1.1532976627349854, 2.485929250717163],
          ]
        )
      },
      withSeed(0) {
        let conv = ConvTranspose2d(2, 2, kernelSize: [1, 2])
        let layer = try Self.fixed(BatchNorm2d(2)).folded(intoPrevious: conv)
        return (
          layer.weight.value, layer.bias?.value,
          [
            [
              -0.003970475867390633, 0.2844914495944977, 0.4115143120288849, 0.36796215176582336,
              -0.20425842702388763, 0.14221155643463135, 0.009906391613185406, -0.39643681049346924,
            ], [-0.32739222049713135, 1.6177014112472534],
          ]
        )
      },
      withSeed(0) {
        let layer = try Self.fixed(BatchNorm1d(2)).folded(intoPrevious: Linear(3, 2))
        return (
          layer.weight.value, layer.bias?.value,
          [
            [
              -0.004584710579365492, 0.3285024166107178, -0.5040088891983032, 0.4248860776424408,
              0.22236451506614685, -0.1548176258802414,
            ], [-0.2924617528915405, 1.2922391891479492],
          ]
        )
      },
    ]
    for (weight, bias, expected) in cases {
      #expect(try Self.ulps(weight, expected[0]) <= 3)
      #expect(try Self.ulps(bias, expected[1]) <= 8)
    }
  }

  /// The results of both, in float64, and in float32 within the rounding of weight, bias and sums.
  static func expectEqual<A: Layer>(
    _ folded: A, _ layers: [any Layer], _ x: Tensor, taps: Int,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let unfolded = layers.reduce(x) { $1($0) }
    let result = folded(x)
    #expect(result.dtype == x.dtype, sourceLocation: location)
    let error = try worstError(
      actual: result.array(of: Double.self), shape: result.shape,
      expected: ReferenceTensor(shape: unfolded.shape, values: unfolded.array()))
    // Sums of `taps` terms, whose magnitudes may be some times that of the largest result.
    #expect(error.relativeToScale <= 0x1p-52 * Double(4 * taps), sourceLocation: location)
  }

  @Test(arguments: [1, 2])
  func convolutions(groups: Int) throws {
    var random = TestRandom(for: "\(#function) \(groups)")
    let x = Tensor(random.doubles(2 * 4 * 5 * 4 * 3), shape: [2, 4, 5, 4, 3], dtype: .float64)
    let inputs = [x[0..., 0..., 0..., 0, 0], x[0..., 0..., 0..., 0..., 0], x]
    let (one, two, three) = withSeed(7) {
      (
        Conv1d(4, 6, kernelSize: 3, stride: 2, padding: 1, groups: groups, dtype: .float64),
        Conv2d(
          4, 6, kernelSize: [3, 2], padding: .same, dilation: [1, 2], groups: groups, bias: false,
          paddingMode: .circular, dtype: .float64),
        Conv3d(4, 6, kernelSize: 2, padding: 1, groups: groups, dtype: .float64)
      )
    }
    let behind = (
      Self.drawn(BatchNorm1d(6, dtype: .float64), &random),
      Self.drawn(BatchNorm2d(6, dtype: .float64), &random),
      Self.drawn(BatchNorm3d(6, affine: false, dtype: .float64), &random)
    )
    try Self.expectEqual(behind.0.folded(intoPrevious: one), [one, behind.0], inputs[0], taps: 12)
    try Self.expectEqual(behind.1.folded(intoPrevious: two), [two, behind.1], inputs[1], taps: 24)
    try Self.expectEqual(
      behind.2.folded(intoPrevious: three), [three, behind.2], inputs[2], taps: 32)
    // Before the layer, without zero padding.
    let valid = withSeed(8) {
      (
        Conv1d(4, 6, kernelSize: 3, stride: 2, groups: groups, dtype: .float64),
        Conv3d(4, 6, kernelSize: 2, groups: groups, bias: false, dtype: .float64)
      )
    }
    let front = (
      Self.drawn(BatchNorm1d(4, dtype: .float64), &random),
      Self.drawn(BatchNorm2d(4, dtype: .float64), &random),
      Self.drawn(BatchNorm3d(4, dtype: .float64), &random)
    )
    try Self.expectEqual(
      front.0.folded(intoNext: valid.0), [front.0, valid.0], inputs[0], taps: 12)
    try Self.expectEqual(front.1.folded(intoNext: two), [front.1, two], inputs[1], taps: 24)
    try Self.expectEqual(
      front.2.folded(intoNext: valid.1), [front.2, valid.1], inputs[2], taps: 32)
  }

  @Test(arguments: [1, 2])
  func transposedConvolutions(groups: Int) throws {
    var random = TestRandom(for: "\(#function) \(groups)")
    let x = Tensor(random.doubles(2 * 4 * 5 * 4 * 3), shape: [2, 4, 5, 4, 3], dtype: .float64)
    let inputs = [x[0..., 0..., 0..., 0, 0], x[0..., 0..., 0..., 0..., 0], x]
    let (one, two, three) = withSeed(7) {
      (
        ConvTranspose1d(
          4, 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: groups,
          dtype: .float64),
        ConvTranspose2d(
          4, 6, kernelSize: [3, 2], groups: groups, bias: false, dilation: [1, 2], dtype: .float64),
        ConvTranspose3d(4, 6, kernelSize: 1, groups: groups, dtype: .float64)
      )
    }
    let behind = (
      Self.drawn(BatchNorm1d(6, dtype: .float64), &random),
      Self.drawn(BatchNorm2d(6, dtype: .float64), &random),
      Self.drawn(BatchNorm3d(6, dtype: .float64), &random)
    )
    try Self.expectEqual(behind.0.folded(intoPrevious: one), [one, behind.0], inputs[0], taps: 12)
    try Self.expectEqual(behind.1.folded(intoPrevious: two), [two, behind.1], inputs[1], taps: 24)
    try Self.expectEqual(
      behind.2.folded(intoPrevious: three), [three, behind.2], inputs[2], taps: 4)
    let front = Self.drawn(BatchNorm3d(4, dtype: .float64), &random)
    try Self.expectEqual(front.folded(intoNext: three), [front, three], inputs[2], taps: 4)
    let wide = Self.drawn(BatchNorm1d(4, dtype: .float64), &random)
    #expect(throws: TensorError.self) { try wide.folded(intoNext: one) }
  }

  @Test func linearLayers() throws {
    var random = TestRandom()
    let x = Tensor(random.doubles(35), shape: [7, 5], dtype: .float64)
    for hasBias in [true, false] {
      let layer = withSeed(3) { Linear(5, 3, bias: hasBias, dtype: .float64) }
      let behind = Self.drawn(BatchNorm1d(3, dtype: .float64), &random)
      let front = Self.drawn(BatchNorm1d(5, bias: false, dtype: .float64), &random)
      try Self.expectEqual(behind.folded(intoPrevious: layer), [layer, behind], x, taps: 5)
      try Self.expectEqual(front.folded(intoNext: layer), [front, layer], x, taps: 5)
    }
  }

  /// Each number is rounded once: half an ulp of the numbers in Double.
  @Test(arguments: [DType.float32, .float16])
  func roundedOnce(dtype: DType) throws {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let layer = withSeed(4) { Linear(6, 5, dtype: dtype) }
    let norm = Self.drawn(BatchNorm1d(6), &random)
    let twin = try norm.folded(intoNext: layer)
    #expect(twin.weight.dtype == dtype && twin.bias?.dtype == dtype)
    func values(_ tensor: Tensor?) -> [Double] { tensor?.array() ?? [] }
    let (w, b) = (values(layer.weight.value), values(layer.bias?.value))
    let (mean, variance) = (values(norm.runningMean?.value), values(norm.runningVar?.value))
    let (gamma, beta) = (values(norm.weight?.value), values(norm.bias?.value))
    let scale = (0..<6).map { gamma[$0] / (variance[$0] + 1e-5).squareRoot() }
    let weight = w.indices.map { w[$0] * scale[$0 % 6] }
    let bias = b.indices.map { o in
      (0..<6).reduce(b[o]) { $0 + w[o * 6 + $1] * (beta[$1] - mean[$1] * scale[$1]) }
    }
    for (found, expected) in [(twin.weight.value, weight), (twin.bias?.value, bias)] {
      let worst =
        dtype == .float32
        ? try worstError(actual: found?.array(of: Float.self) ?? [], expected: expected).ulps
        : try worstError(actual: found?.array(of: Float16.self) ?? [], expected: expected).ulps
      #expect(worst <= 0.5 + 1e-6)
    }
  }

  @Test func whatCannotBeFolded() throws {
    let padded = Conv2d(2, 3, kernelSize: 3, padding: 1)
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return ""
      } catch {
        return "\(error)"
      }
    }
    let norm = Self.fixed(BatchNorm2d(2))
    #expect(message { _ = try norm.folded(intoNext: padded) }.contains("padding of zeros"))
    #expect(
      message { _ = try norm.folded(intoPrevious: padded) }.contains(
        "2 channels, the layer 3 outputs"))
    let free = BatchNorm2d(3, trackRunningStats: false)
    #expect(message { _ = try free.folded(intoPrevious: padded) }.contains("no running statistics"))
    let batch = BatchNorm2d(3)
    batch.statistics = .batch
    #expect(
      message { _ = try batch.folded(intoPrevious: padded) }.contains("set statistics to .auto"))
    let broken = Self.fixed(BatchNorm2d(2))
    Self.set(broken, ["variance": [1, -2]])
    let valid = Conv2d(2, 3, kernelSize: 3)
    #expect(
      message { _ = try broken.folded(intoNext: valid) }.contains(
        "channel 1 has running mean -0.25 and running variance -2.0"))
    // Nothing is added: zeros stay zero.
    let still = BatchNorm2d(2)
    Self.set(still, ["variance": [4, 9]])
    still.eval()
    let x = withSeed(5) { Tensor.randn(2, 2, 4, 4) }
    #expect(
      try still.folded(intoNext: padded)(x).allClose(to: padded(still(x)), rtol: 1e-5, atol: 1e-6))
  }

  @Test func optionsModesAndDrawsStay() throws {
    let conv = Conv2d(2, 2, kernelSize: 3, stride: [2, 1], padding: .same, dilation: 2)
    conv.eval()
    conv.freeze()
    let (a, b) = try withSeed(9) {
      let twin = try Self.fixed(BatchNorm2d(2)).folded(intoPrevious: conv)
      #expect(twin.stride == [2, 1] && twin.padding == .same && twin.dilation == 2)
      #expect(!twin.isTraining && twin.weight.isFrozen && twin.weight !== conv.weight)
      return (Tensor.rand(3), withSeed(9) { Tensor.rand(3) })
    }
    #expect(a.isEqual(to: b))
  }
}
