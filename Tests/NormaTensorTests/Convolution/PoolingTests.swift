import NormaReference
import NormaTensor
import Testing

/// Poolings against their definition, and the gradient rules of all maps along axes.
@Suite(.serialized) struct PoolingTests {
  @Test func maximaAgreeWithTheDefinition() throws {
    var random = TestRandom()
    for (channels, last) in [(3, false), (1, true), (5, true), (33, true)] {
      for (kernel, stride, padding, dilation) in [(2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 2)] {
        var numbers = random.doubles(2 * channels * 9 * 8)
        // Ties, NaN and infinity.
        for index in numbers.indices where index % 7 == 0 { numbers[index] = 1 }
        for index in numbers.indices where index % 61 == 5 { numbers[index] = .nan }
        for index in numbers.indices where index % 41 == 3 { numbers[index] = -.infinity }
        let values = Tensor(numbers, shape: [2, channels, 9, 8])
        for dtype in [DType.float64, .float32] {
          let x = last ? values.cast(to: dtype).channelsLast() : values.cast(to: dtype)
          let result = maxPool2dWithIndices(
            x, kernelSize: kernel, stride: stride, padding: padding,
            dilation: dilation)
          let window = ReferenceWindows.Window(
            stride: [stride, stride], before: [padding, padding], dilation: [dilation, dilation],
            kernel: [kernel, kernel])
          let truth = ReferenceWindows.largest(
            ReferenceTensor(shape: x.shape, values: x.array(of: Double.self)), window,
            outputs: Array(result.values.shape.suffix(2)))
          let error = try worstError(
            actual: result.values.array(of: Double.self), shape: result.values.shape,
            expected: truth.values)
          #expect(error.absolute == 0)
          #expect(result.indices.array(of: Int.self) == truth.indices)
          #expect(result.indices.dtype == .int64)
        }
      }
    }
  }

  static func distinct(_ shape: [Int]) -> Tensor {
    // Far enough apart that a small step changes no maximum.
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Double($0 * 37 % count) * 0.25 }, shape: shape)
  }

  static let rules: [(String, [Int], @Sendable ([Tensor]) -> Tensor)] = [
    ("maxPool1d", [2, 2, 6], { maxPool1d($0[0].exp(), kernelSize: 2) }),
    (
      "maxPool2d", [2, 2, 5, 4],
      { maxPool2d(($0[0] * 0.1).exp(), kernelSize: 3, stride: 1, padding: 1) }
    ),
    (
      "maxPool2d last", [2, 3, 5, 4],
      { maxPool2d(($0[0] * 0.1).exp().channelsLast(), kernelSize: 2, stride: 2, ceilMode: true) }
    ),
    ("maxPool3d", [1, 2, 3, 4, 3], { maxPool3d(($0[0] * 0.1).exp(), kernelSize: 2) }),
    ("adaptiveMax", [1, 2, 5, 7], { adaptiveMaxPool2d($0[0] * $0[0], outputSize: [3, 4]) }),
    ("avgPool1d", [2, 5], { avgPool1d($0[0].sin(), kernelSize: 2, padding: 1) }),
    (
      "avgPool2d", [1, 2, 5, 4],
      {
        avgPool2d(
          $0[0].sin(), kernelSize: [3, 2], stride: 2, padding: 1, ceilMode: true,
          countIncludePad: false)
      }
    ),
    (
      "avgPool2d last", [1, 2, 5, 4],
      { avgPool2d($0[0].sin().channelsLast(), kernelSize: 2, divisorOverride: 3) }
    ),
    ("avgPool3d", [1, 1, 4, 4, 2], { avgPool3d($0[0].sin(), kernelSize: 2) }),
    ("adaptiveAvg", [2, 5, 7], { adaptiveAvgPool2d($0[0].sin(), outputSize: [3, nil]) }),
    ("adaptiveAvg 1", [1, 2, 4, 4], { adaptiveAvgPool2d($0[0].sin(), outputSize: 1) }),
    ("nearest", [1, 2, 3], { Tensor.interpolate($0[0].sin(), size: 5) }),
    (
      "bilinear", [1, 1, 3, 4],
      { Tensor.interpolate($0[0].sin(), scaleFactor: [1.7], mode: .bilinear) }
    ),
    (
      "corners", [1, 1, 3, 4],
      { Tensor.interpolate($0[0].sin(), size: [5, 2], mode: .bilinear, alignCorners: true) }
    ),
    ("bicubic", [1, 1, 4, 3], { Tensor.interpolate($0[0].sin(), size: 6, mode: .bicubic) }),
    ("trilinear", [1, 1, 2, 3, 2], { Tensor.interpolate($0[0].sin(), size: 3, mode: .trilinear) }),
    ("area", [1, 2, 5, 4], { Tensor.interpolate($0[0].sin(), size: 3, mode: .area) }),
    ("zeros", [2, 3], { $0[0].sin().padded([1, 2, 0, 1]).exp() }),
    ("cut", [4, 5], { $0[0].sin().padded([-1, 2, 1, -2], mode: .constant(2)).exp() }),
    ("reflect", [1, 3, 4], { $0[0].sin().padded([2, 1, 1, 2], mode: .reflect).exp() }),
    ("replicate", [1, 3, 4], { $0[0].sin().padded([2, -1, 1, 2], mode: .replicate).exp() }),
    ("circular", [1, 3, 4], { $0[0].sin().padded([2, 1, 1, 3], mode: .circular).exp() }),
    (
      "unfold", [1, 2, 4, 5],
      { Tensor.unfold($0[0].sin(), kernelSize: 2, padding: 1, stride: 2).exp() }
    ),
    (
      "fold", [1, 8, 6],
      { Tensor.fold($0[0].sin(), outputSize: [3, 4], kernelSize: 2).exp() }
    ),
  ]

  @Test(arguments: rules.indices) func rule(_ index: Int) throws {
    let (name, shape, function) = Self.rules[index]
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: function, at: [Self.distinct(shape) * 0.1], tolerance: 1e-6, order: 2)
    }
  }

  /// A window entirely in the padding: -∞ with index -1, and no gradient, in each layout.
  @Test(arguments: [1, 2, 20], [DType.float32, .float64, .float16])
  func windowsWithoutAnElement(channels: Int, dtype: DType) {
    let x = Tensor.full([1, channels, 1, 3], 5, dtype: dtype)
    for start in [x, x.channelsLast()] {
      let x = start.requiringGradient()
      let (values, indices) = maxPool2dWithIndices(
        x, kernelSize: [2, 1], padding: [1, 0], dilation: [2, 1])
      #expect(values.shape == [1, channels, 1, 3])
      #expect(values.array(of: Double.self).allSatisfy { $0 == -Double.infinity })
      #expect(indices.array(of: Int.self).allSatisfy { $0 == -1 })
      values.backward(upstream: .ones(values.shape, dtype: dtype))
      #expect(x.grad?.shape == x.shape)
      #expect(x.grad?.array(of: Double.self).allSatisfy { $0 == 0 } == true)
    }
  }

  /// The same together with windows that have elements.
  @Test func someWindowsWithoutAnElement() {
    func pool(_ x: Tensor) -> (values: Tensor, indices: Tensor) {
      maxPool1dWithIndices(x, kernelSize: 2, stride: 1, padding: 2, dilation: 3)
    }
    let x = Tensor([5.0, 7], shape: [1, 1, 2]).requiringGradient()
    let (values, indices) = pool(x)
    #expect(values.array() == [7, -Double.infinity, 5])
    #expect(indices.array(of: Int.self) == [1, -1, 0])
    let upstream = Tensor([1.0, 2, 4], shape: [1, 1, 3])
    values.backward(upstream: upstream)
    #expect(x.grad?.array() == [4, 1])
    // The gradient is linear in its upstream gradient.
    let factors = Tensor([3.0, 10], shape: [1, 1, 2])
    let second = Tensor.gradient(
      of: { w in
        (Tensor.gradient(of: { (pool($0).values * w).sum() }, at: x.detached()) * factors).sum()
      }, at: upstream)
    #expect(second.array() == [10, 0, 3])
  }

  @Test func orderOfMemoryIsKept() {
    let x = Tensor.randn(2, 8, 6, 6).channelsLast()
    let want = [8 * 9, 1, 8 * 3, 8]
    #expect(maxPool2d(x, kernelSize: 2).strides == want)
    #expect(avgPool2d(x, kernelSize: 2).strides == want)
    #expect(Tensor.interpolate(x, size: 3).strides == want)
    #expect(maxPool2d(x, kernelSize: 2).isEqual(to: maxPool2d(x + 0.0, kernelSize: 2)))
  }

  @Test func layoutsAndThreadsGiveTheSameBits() {
    let x = withSeed(5) { Tensor.randn(3, 40, 33, 17) }
    let functions: [(Tensor) -> Tensor] = [
      { maxPool2d($0, kernelSize: 3, stride: 2, padding: 1) },
      { avgPool2d($0, kernelSize: 3, stride: 2, padding: 1) },
      { Tensor.interpolate($0, size: [20, 41], mode: .bicubic) },
      { $0.padded([3, 4, 2, 1], mode: .reflect) },
    ]
    for function in functions {
      let one = withThreads(1) { function(x).evaluated() }
      withThreads(3) {
        #expect(function(x).isEqual(to: one))
        #expect(function(x.channelsLast()).isEqual(to: one))
      }
    }
  }

  @Test func paddingOfOtherTypes() {
    let x = Tensor([1, 2, 3] as [Int32])
    #expect(x.padded([1, 2], mode: .constant(7)).array(of: Int.self) == [7, 1, 2, 3, 7, 7])
    let rows = Tensor([1, 2, 3, 4, 5, 6] as [Int32], shape: [2, 3])
    #expect(rows.padded([1, 1], mode: .circular)[0].array(of: Int.self) == [3, 1, 2, 3, 1])
    #expect(rows.padded([1, 1], mode: .reflect)[1].array(of: Int.self) == [5, 4, 5, 6, 5])
  }

  /// result[i] = x[i - before], or the number where there is no such element, whatever is removed.
  @Test func paddingThatRemovesMoreThanTheAxis() {
    for size in 0...4 {
      let x = Tensor((0..<size).map { Float($0 + 1) })
      for before in -6...6 {
        for after in -6...6 where size + before + after >= 0 {
          let expected = (0..<(size + before + after)).map { index -> Float in
            (0..<size).contains(index - before) ? Float(index - before + 1) : 9
          }
          let padded = x.padded([before, after], mode: .constant(9))
          #expect(padded.array(of: Float.self) == expected, "\(size) \(before) \(after)")
          let rows = Tensor.zeros(2, 1) + x
          #expect(rows.padded([before, after], mode: .constant(9))[1].isEqual(to: padded))
        }
      }
    }
  }

  @Test func mistakes() {
    let x = Tensor.ones(2, 3, 8, 8)
    let mistakes: [(() -> Tensor, String)] = [
      (
        { maxPool2d(x, kernelSize: 2, padding: 2) },
        "maxPool2d(_:kernelSize:): padding 2 is more than half of the kernel, which spans 2 "
          + "elements"
      ),
      (
        { avgPool1d(x, kernelSize: 2) },
        "avgPool1d(_:kernelSize:): expected 3 axes (N, C and 1 spatial), or 2 without N; got shape "
          + "[2, 3, 8, 8]"
      ),
      (
        { Tensor.interpolate(x, size: 4, alignCorners: true) },
        "interpolate(_:mode: .nearest): alignCorners applies to linear and cubic modes only"
      ),
      (
        { x.padded([8, 0], mode: .reflect) },
        "padded(_:mode:): reflect pads the spatial axes of [N, C, space...] or [C, space...]: 2 "
          + "amounts do not fit shape [2, 3, 8, 8]"
      ),
      (
        { x.padded([8, 0, 0, 0], mode: .reflect) },
        "padded(_:mode:): reflect by 8 needs an axis of at least 9 elements; shape [2, 3, 8, 8] "
          + "has 8"
      ),
      (
        { conv2d(x, weight: .ones(4, 2, 3, 3)) },
        "conv2d(_:weight:): the input has 3 channels in axis 1 of [2, 3, 8, 8], but the weight "
          + "[4, 2, 3, 3] with 1 groups is for 2"
      ),
    ]
    for (body, text) in mistakes { #expect(MessageTests.message(body) == text) }
  }
}
