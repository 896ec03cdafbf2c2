import NormaReference
import NormaTensor
import Testing

/// Convolutions against their definition in Double, for every path.
@Suite(.serialized) struct ConvolutionTests {
  struct Case: Sendable {
    var input: [Int], weight: [Int]
    var stride = 1, padding = 0, dilation = 1, groups = 1
  }

  /// Small ones are computed by definition, large ones by oneDNN or, in Double, by products.
  static let cases: [Case] = [
    Case(input: [2, 3, 9], weight: [4, 3, 3]),
    Case(input: [2, 4, 9], weight: [6, 2, 3], stride: 2, padding: 2, dilation: 2, groups: 2),
    Case(input: [2, 3, 7, 6], weight: [4, 3, 3, 2], padding: 1),
    Case(input: [1, 4, 8, 8], weight: [4, 1, 3, 3], stride: 2, padding: 1, groups: 4),
    Case(input: [2, 2, 4, 5, 6], weight: [3, 2, 2, 3, 2], stride: 2, padding: 1, dilation: 1),
    Case(input: [2, 16, 64], weight: [16, 16, 5], padding: 2),
    Case(input: [1, 16, 14, 14], weight: [16, 16, 3, 3], padding: 1),
    Case(input: [1, 16, 15, 15], weight: [32, 16, 3, 3], stride: 2, padding: 1),
    Case(input: [1, 16, 14, 14], weight: [32, 8, 3, 3], padding: 2, dilation: 2, groups: 2),
    Case(input: [4, 1, 16, 16], weight: [16, 1, 3, 3], padding: 1),
    Case(input: [1, 8, 6, 6, 6], weight: [8, 8, 3, 3, 3], padding: 1),
  ]

  static func convolve(_ x: Tensor, _ w: Tensor, _ bias: Tensor?, _ c: Case) -> Tensor {
    let (stride, padding, dilation) = (c.stride, c.padding, c.dilation)
    switch x.rank {
    case 3:
      return conv1d(
        x, weight: w, bias: bias, stride: stride, padding: padding, dilation: dilation,
        groups: c.groups)
    case 4:
      return conv2d(
        x, weight: w, bias: bias, stride: stride, padding: padding, dilation: dilation,
        groups: c.groups)
    default:
      return conv3d(
        x, weight: w, bias: bias, stride: stride, padding: padding, dilation: dilation,
        groups: c.groups)
    }
  }

  static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    withSeed(seed) { Tensor.randn(shape, dtype: .float64) }
  }

  static func reference(_ x: Tensor) -> ReferenceTensor {
    ReferenceTensor(shape: x.shape, values: x.array(of: Double.self))
  }

  @Test(arguments: cases.indices) func forward(_ index: Int) throws {
    let c = Self.cases[index]
    let space = c.input.count - 2
    // `float32` numbers for both types, so that only sums are rounded.
    let inputs = [
      Self.random(c.input, seed: 1), Self.random(c.weight, seed: 2),
      Self.random([c.weight[0]], seed: 3),
    ].map { $0.cast(to: .float32) }
    let window = ReferenceWindows.Window(
      stride: Array(repeating: c.stride, count: space),
      before: Array(repeating: c.padding, count: space),
      dilation: Array(repeating: c.dilation, count: space), kernel: Array(c.weight.dropFirst(2)))
    let truth = ReferenceWindows.convolution(
      Self.reference(inputs[0]), Self.reference(inputs[1]),
      bias: inputs[2].array(of: Double.self), window, groups: c.groups,
      outputs: Array(Self.convolve(inputs[0], inputs[1], nil, c).shape.dropFirst(2)))
    for dtype in [DType.float64, .float32] {
      let (x, w) = (inputs[0].cast(to: dtype), inputs[1].cast(to: dtype))
      let b = inputs[2].cast(to: dtype)
      for x in [x, x.channelsLast(), x.transposed().contiguousTwin().transposed()] {
        let y = Self.convolve(x, w, b, c)
        let error = try worstError(
          actual: y.array(of: Double.self), shape: y.shape, expected: truth)
        #expect(error.relativeToScale < (dtype == .float64 ? 1e-14 : 2e-6), "\(c) \(dtype)")
      }
    }
  }

  /// In `float32` the gradients take other paths than in `float64`, where rules are checked.
  @Test(arguments: cases.indices) func gradients(_ index: Int) throws {
    let c = Self.cases[index]
    let inputs = [
      Self.random(c.input, seed: 4), Self.random(c.weight, seed: 5),
      Self.random([c.weight[0]], seed: 6),
    ].map { $0.cast(to: .float32) }
    let wide = inputs.map { $0.cast(to: .float64) }
    let upstream = Self.random(Self.convolve(inputs[0], inputs[1], nil, c).shape, seed: 7)
    func gradients(_ inputs: [Tensor]) -> [Tensor] {
      Tensor.gradient(
        of: {
          (Self.convolve($0[0], $0[1], $0[2], c) * upstream.cast(to: $0[0].dtype)).sum()
        }, at: inputs)
    }
    for (narrow, truth) in zip(gradients(inputs), gradients(wide)) {
      let error = try worstError(
        actual: narrow.array(of: Float.self), shape: narrow.shape, expected: Self.reference(truth))
      #expect(error.relativeToScale < 5e-6, "\(c)")
    }
  }

  static let rules: [(String, [[Int]], @Sendable ([Tensor]) -> Tensor)] = [
    (
      "conv1d", [[2, 2, 5], [3, 2, 2], [3]],
      { conv1d($0[0], weight: $0[1], bias: $0[2], stride: 2) }
    ),
    (
      "conv2d", [[1, 2, 4, 4], [2, 1, 2, 3], [2]],
      { conv2d($0[0], weight: $0[1], bias: $0[2], padding: [1, 2], dilation: [1, 2], groups: 2) }
    ),
    ("same", [[1, 2, 3, 4], [2, 2, 2, 3]], { conv2d($0[0], weight: $0[1], padding: .same) }),
    (
      "conv3d", [[1, 1, 3, 3, 2], [2, 1, 2, 2, 1], [2]],
      { conv3d($0[0], weight: $0[1], bias: $0[2]) }
    ),
    (
      "transposed", [[1, 2, 3, 3], [2, 2, 2, 3], [4]],
      {
        convTranspose2d(
          $0[0], weight: $0[1], bias: $0[2], stride: 2, padding: 1, outputPadding: 1, groups: 2)
      }
    ),
    (
      "transposed 1d", [[2, 3], [2, 3, 2], [3]],
      { convTranspose1d($0[0], weight: $0[1], bias: $0[2], dilation: 2) }
    ),
  ]

  @Test(arguments: rules.indices) func rule(_ index: Int) throws {
    let (name, shapes, function) = Self.rules[index]
    let inputs = shapes.enumerated().map { Self.random($1, seed: UInt64($0)) }
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: function, at: inputs, order: 2)
    }
  }

  @Test func memoryOrderIsKept() {
    let w = Tensor.randn(16, 16, 3, 3)
    let x = Tensor.randn(4, 16, 14, 14)
    let last = conv2d(x.channelsLast(), weight: w, padding: 1)
    #expect(last.strides == [16 * 196, 1, 16 * 14, 16])
    #expect(last.shape == [4, 16, 14, 14])
    #expect((last + 1).evaluated().strides == last.strides)
    let small = conv2d(Tensor.randn(1, 2, 3, 3).channelsLast(), weight: .ones(2, 2, 1, 1))
    #expect(small.strides == [18, 1, 6, 2])
  }

  @Test func halfTypesAreRoundedOnce() {
    let x = Self.random([2, 16, 14, 14], seed: 1).cast(to: .bfloat16)
    let w = Self.random([16, 16, 3, 3], seed: 2).cast(to: .bfloat16)
    let wide = conv2d(x.cast(to: .float32), weight: w.cast(to: .float32))
    #expect(conv2d(x, weight: w).isEqual(to: wide.cast(to: .bfloat16)))
  }

  @Test func emptyBatches() {
    let w = Tensor.ones(4, 3, 3, 3).requiringGradient()
    let y = conv2d(Tensor.zeros(0, 3, 8, 8), weight: w)
    #expect(y.shape == [0, 4, 6, 6])
  }
}

extension Tensor {
  /// The same values, contiguous in row-major order.
  fileprivate func contiguousTwin() -> Tensor { reshaped([-1]).reshaped(shape).evaluated() }
}
