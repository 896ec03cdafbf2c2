import NormaTensor
import Testing

/// Which operations run in the type of a scope, and the types of gradients.
@Suite struct AutocastTests {
  static let a = Tensor([[1.001, 2, 3], [4, 5, 6.003]] as [[Float]])
  static let b = Tensor([[1, 0.3], [0.7, 1], [2, 0.1]] as [[Float]])

  /// PyTorch's lists for CPUs; `matmul` includes products with vectors.
  @Test(arguments: [DType.bfloat16, .float16]) func listsOfPyTorch(_ type: DType) {
    let (a, b) = (Self.a, Self.b)
    let (image, kernel) = (Tensor.ones(1, 2, 3), Tensor.ones(2, 2, 2))
    autocast(type) {
      for narrow in [
        a.matmul(b), a[0].matmul(b), a[0].matmul(a[1]), b.unsqueezed(0).matmul(a),
        Tensor.zeros(2, 2).addmm(a, b),
        Tensor.zeros(1, 2, 2).baddbmm(a.unsqueezed(0), b.unsqueezed(0)),
        Tensor.zeros(2, 2).addbmm(a.unsqueezed(0), b.unsqueezed(0)), einsum("ij,jk->ik", a, b),
        einsum("ij,ij->i", a, a), a.tensordot(b, axes: 1), conv1d(image, weight: kernel),
        conv1d(image[0], weight: kernel, bias: .ones(2)), convTranspose1d(image, weight: kernel),
        a.cast(to: .bfloat16).matmul(b.cast(to: .float16)),
      ] { #expect(narrow.dtype == type) }
      for wide in [
        a + a, a.sum(), a.mean(over: 1), a.std(over: 1), a.softmax(over: 1), a.exp(),
        Tensor.zeros(2).addmv(a, b[0..., 0]), a.cumulativeSum(over: 0), a.cdist(a),
      ] { #expect(wide.dtype == .float32) }
      let wider = a.cast(to: .float64)
      #expect(wider.matmul(b.cast(to: .float64)).dtype == .float64)
      #expect(a.cast(to: .int64).matmul(b.cast(to: .int64)).dtype == .int64)
    }
    #expect(a.matmul(b).dtype == .float32)
  }

  /// What PyTorch computes and keeps in `float32`, whatever the operands, and what stays narrow.
  @Test func wideResultsOfNarrowOperands() {
    let x = Tensor.ones([1, 2, 4, 4, 4], dtype: .bfloat16)
    let (plane, line) = (x[0..., 0..., 0], x[0..., 0..., 0, 0])
    func results() -> (wide: [Tensor], narrow: [Tensor]) {
      (
        [
          x.product(), x.product(over: 1), x.quantile(0.5), x.quantile([0.5, 0.7]),
          x.quantile(Tensor([0.5] as [BFloat16])), x.nanQuantile(0.5), line.cdist(line),
          line[0].trace(), avgPool3d(x, kernelSize: 2), adaptiveAvgPool3d(x, outputSize: 2),
          maxPool3d(x, kernelSize: 2), adaptiveMaxPool3d(x, outputSize: 2),
          line.padded([1, 1], mode: .reflect), plane.padded([1, 1, 1, 1], mode: .reflect),
          line.padded([1, 1], mode: .replicate), plane.padded([1, 1, 1, 1], mode: .replicate),
          x.padded([1, 1, 1, 1, 1, 1], mode: .replicate),
        ],
        [
          x.padded([1, 1, 1, 1, 1, 1], mode: .reflect), line.padded([1, 1], mode: .circular),
          line.padded([1, 1]), maxPool2d(plane, kernelSize: 2), avgPool2d(plane, kernelSize: 2),
          x.median(), x.sum(), x.norm(), x.cast(to: .float32).prelu(Tensor([0.5])),
        ]
      )
    }
    let found = autocast(.bfloat16) { results() }
    for (number, result) in found.wide.enumerated() {
      #expect(result.dtype == .float32, "\(number)")
    }
    for (number, result) in found.narrow.enumerated() {
      #expect(result.dtype == .bfloat16, "\(number)")
    }
    #expect(results().wide.allSatisfy { $0.dtype == .bfloat16 })
  }

  /// Operands are rounded, sums are not.
  @Test func operandsAreRoundedAndSumsAreWide() {
    let type = DType.bfloat16
    let rounded = (
      Self.a.cast(to: type).cast(to: .float32), Self.b.cast(to: type).cast(to: .float32)
    )
    let product = autocast(type) { Self.a.matmul(Self.b) }
    #expect(product.isEqual(to: rounded.0.matmul(rounded.1).cast(to: type)))
    // In bfloat16 a sum of ones would end at 256.
    let sum = autocast(type) { Tensor.ones(1, 4096).matmul(.ones(4096, 1)) }
    #expect(sum.item() == 4096)
    let long = autocast(type) {
      conv1d(.ones(1, 512, 8), weight: .ones(1, 512, 8))
    }
    #expect(long.dtype == type && long.item() == 4096)
  }

  @Test func scopesNest() async {
    func type() -> DType { Self.a.matmul(Self.b).dtype }
    autocast(.bfloat16) {
      #expect(type() == .bfloat16)
      autocast(.float16) { #expect(type() == .float16) }
      autocast(nil) { #expect(type() == .float32) }
      #expect(type() == .bfloat16)
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { Self.a.matmul(Self.a).count }
      }
      #expect(error?.description.contains("3 columns and 2 rows") == true)
      let wrong = #expect(throws: TensorError.self) {
        try catchingTensorErrors { autocast(.float32) { type() } }
      }
      #expect(wrong?.description.contains("expected bfloat16, float16 or nil") == true)
    }
    let inTask = await autocast(.float16) {
      await Task.yield()
      return type()
    }
    #expect(inTask == .float16 && type() == .float32)
  }

  /// Inside of the scope or not, and recomputed.
  @Test func gradientsHaveTheTypesOfTheirInputs() {
    let (a, b) = (Self.a, Self.b)
    func loss(_ tensors: [Tensor]) -> Tensor {
      autocast(.bfloat16) { tensors[0].matmul(tensors[1]) }.cast(to: .float32).squared().sum()
    }
    let outside = Tensor.valueAndGradient(of: loss, at: [a, b]).gradients
    #expect(outside.map(\.dtype) == [.float32, .float32])
    let inside = autocast(.bfloat16) { Tensor.valueAndGradient(of: loss, at: [a, b]).gradients }
    let again = Tensor.valueAndGradient(
      of: { Tensor.checkpoint($0[0], $0[1], body: loss) }, at: [a, b]
    ).gradients
    let scoped = autocast(.bfloat16) {
      Tensor.valueAndGradient(
        of: { x in
          Tensor.checkpoint(x[0], x[1]) { $0[0].matmul($0[1]) }.cast(to: .float32).squared().sum()
        }, at: [a, b]
      ).gradients
    }
    for other in [inside, again, scoped] {
      #expect(zip(outside, other).allSatisfy { $0.isEqual(to: $1) })
    }
    // As accurate as operands and gradients with 8 bits can be.
    let exact = Tensor.valueAndGradient(of: { $0[0].matmul($0[1]).squared().sum() }, at: [a, b])
      .gradients
    for (rough, fine) in zip(outside, exact) {
      let (error, size) = ((rough - fine).abs().max().item(), fine.abs().max().item())
      #expect(error <= size / 100)
    }
    // A `float32` gradient stays one if the backward pass runs in a scope.
    let x = a.requiringGradient()
    let square = x.matmul(b).squared().sum()
    autocast(.bfloat16) { square.backward() }
    #expect(x.grad?.isEqual(to: exact[0]) == true)
  }
}
