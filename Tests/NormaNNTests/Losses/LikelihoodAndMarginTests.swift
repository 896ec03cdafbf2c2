import NormaNN
import NormaTensor
import Testing

/// Likelihoods, margins, powers and attention: PyTorch 2.13's numbers in `float64`, and rules by
/// central differences.
@Suite(.serialized) struct LikelihoodAndMarginTests {
  static let x = Tensor([[0.1, 0.5, -0.3], [1.2, -0.7, 0.4]])
  static let y = Tensor([[1.0, 0, 2], [3, 1, 0]])
  static let variance = Tensor([[0.5, 2, 1e-9], [1, 3, 0.25]])
  static let weight = Tensor([0.5, 1, 2])
  static let labels = Tensor([2, 0])
  static let lists = Tensor([[2, 0, -1], [1, -1, 0]])

  private func expect(_ actual: Tensor, _ expected: [Double], line: Int = #line) {
    let values = actual.array(of: Double.self)
    #expect(values.count == expected.count, "line \(line)")
    for (a, b) in zip(values, expected) {
      #expect(abs(a - b) <= 1e-14 * max(1, abs(b)), "line \(line): \(a) instead of \(b)")
    }
  }

  @Test func likelihoods() {
    expect(
      gaussianNLLLoss(Self.x, Self.y, variance: Self.variance, full: true, reduction: .none),
      [
        1.3823649429247, 1.3280121234846454, 2644994.011183254, 2.5389385332046728,
        1.9499113442053941, 0.5457913526447274,
      ])
    for variance in [Self.variance[..., 1..<2], Self.variance[..., 1]] {
      expect(
        gaussianNLLLoss(Self.x, Self.y, variance: variance, reduction: .sum), [5.323472537175416])
    }
    expect(
      poissonNLLLoss(Self.x, Self.y, full: true, reduction: .none),
      [
        1.0051709180756476, 1.6487212707001282, 1.9926247052862538, 1.4841984662796044,
        1.1965853037914096, 1.4918246976412703,
      ])
    expect(poissonNLLLoss(Self.x.abs(), Self.y, logInput: false), [1.2867067948750686])
  }

  @Test func margins() {
    expect(
      multiMarginLoss(Self.x, Self.labels, reduction: .none),
      [1.0666666666666667, 0.0666666666666667])
    expect(
      multiMarginLoss(
        Self.x, Self.labels, p: 2, margin: 0.5, weight: Self.weight, reduction: .none),
      [1.6666666666666667, 0])
    expect(multiMarginLoss(Self.x[0], Tensor(2)), [1.0666666666666667])
    expect(
      multiLabelMarginLoss(Self.x, Self.lists, reduction: .none),
      [1.0666666666666667, 1.6666666666666667])
    expect(multiLabelMarginLoss(Self.x[1], Self.lists[1]), [1.6666666666666667])
    expect(
      multiLabelSoftMarginLoss(
        Self.x, (Self.y .> 0).cast(to: .float64), weight: Self.weight, reduction: .none),
      [1.001661934384649, 1.020285929118126])
  }

  @Test func powers() {
    let z = (Tensor.arange(1, 13).cast(to: .float64) / 5).reshaped(1, 2, 6)
    expect(
      lpPool1d(z, p: 3, kernelSize: 2, stride: 2),
      [
        0.4160167646103809, 0.899588289055083, 1.397273605563621, 1.898243991605866,
        2.400462873685537, 2.903286009637016,
      ])
    expect(
      LPPool1d(1.5, kernelSize: 3, stride: 2)(z),
      [0.866924574422722, 1.6814248846383861, 3.336803991673688, 4.1671027156339235])
    // A window of zeros has the gradient 0; a negative number has no root.
    let slope = Tensor.gradient(
      of: { lpPool1d($0, p: 2, kernelSize: 2) }, at: Tensor([[0.0, 0, 3, 4]]))
    expect(slope, [0, 0, 0.6, 0.8])
    #expect(lpPool1d(Tensor([[-1.0, 2]]), p: 1.5, kernelSize: 2).item().isNaN)
    expect(cosineSimilarity(Self.x, Self.y), [-0.3779644730092272, 0.6343440269267202])
    expect(cosineSimilarity(Self.x * 0, Self.y), [0, 0])
    #expect(cosineSimilarity(Tensor(2.0), Tensor(-3.0), over: 0).item() == -1)
  }

  static let q = Tensor([[[0.1, 0.5], [1.2, -0.7], [0.3, 0.3]]])
  static let k = Tensor([[[0.2, -0.5], [0.7, 0.1], [1.0, 2.0]]])
  static let v = Tensor([[[1.0, 2], [3, 5], [-1, 0.5]]])

  @Test func attention() {
    let (q, k, v) = (Self.q, Self.k, Self.v)
    expect(
      scaledDotProductAttention(q, k, v),
      [
        0.47114788157860144, 2.0001448406872155, 1.4163870898818811, 2.9414512272424393,
        0.648786477910386, 2.1795135502460403,
      ])
    expect(
      scaledDotProductAttention(q, k, v, isCausal: true),
      [1, 2, 2.0635538357849215, 3.595330753677382, 0.648786477910386, 2.1795135502460403])
    let mask = Tensor([[true, false, true], [false, false, false], [true, true, false]])
    expect(
      scaledDotProductAttention(q, k, v, mask: mask),
      [-0.43838190820056955, 0.9212135688495728, 0, 0, 2.116146083686028, 3.674219125529042])
    expect(
      scaledDotProductAttention(q, k, v, mask: Tensor([0.0, 1, -1]), scale: 2),
      [
        1.0365860092669852, 2.7272383967655336, 2.53678375692528, 4.328036004139996,
        1.5815603606416349, 3.320210182136275,
      ])
    // float32, large enough that products run in float32, against float64.
    let big = withSeed(9) { (0..<3).map { _ in Tensor.randn(2, 4, 80, 32) } }
    let plain = scaledDotProductAttention(big[0], big[1], big[2])
    let wide = big.map { $0.cast(to: .float64) }
    #expect(plain.dtype == .float32)
    #expect(
      (plain - scaledDotProductAttention(wide[0], wide[1], wide[2])).abs().max().item() < 3e-6)
    let causal = scaledDotProductAttention(big[0], big[1], big[2], isCausal: true)
    let exactly = scaledDotProductAttention(wide[0], wide[1], wide[2], isCausal: true)
    #expect((causal - exactly).abs().max().item() < 3e-6)
    for type in [DType.float16, .bfloat16] {
      let half = big.map { $0.cast(to: type) }
      let result = scaledDotProductAttention(half[0], half[1], half[2])
      #expect(result.dtype == type)
      let exact = half.map { $0.cast(to: .float64) }
      #expect(
        (result - scaledDotProductAttention(exact[0], exact[1], exact[2])).abs().max().item()
          < (type == .float16 ? 1e-3 : 8e-3))
    }
    // Four query heads share two heads of keys.
    let heads = (big[1][..., 0..<2, ..<80, ..<32], big[2][..., 0..<2, ..<80, ..<32])
    let shared = scaledDotProductAttention(big[0], heads.0, heads.1, enableGQA: true)
    for head in 0..<4 {
      let one = scaledDotProductAttention(
        big[0][0..<2, head], heads.0[0..<2, head / 2], heads.1[0..<2, head / 2])
      #expect(shared[0..<2, head].allClose(to: one, atol: 1e-6))
    }
    let dropped = withSeed(3) { scaledDotProductAttention(q, k, v, dropout: 0.5) }
    #expect(dropped.shape == [1, 3, 2] && !dropped.isEqual(to: scaledDotProductAttention(q, k, v)))
    #expect(
      scaledDotProductAttention(q, k[..., 0..<0, 0..<2], v[..., 0..<0, 0..<2]).shape == [1, 3, 2])
  }

  typealias Function = @Sendable ([Tensor]) -> Tensor
  static let rules: [(String, [Tensor], Function)] = [
    (
      "gaussian", [x, y, variance.clamped(min: 0.1)],
      { gaussianNLLLoss($0[0], $0[1], variance: $0[2], full: true) }
    ),
    (
      "gaussian rows", [x, y, variance[..., 1]], { gaussianNLLLoss($0[0], $0[1], variance: $0[2]) }
    ),
    ("poisson", [x, y + 0.2], { poissonNLLLoss($0[0], $0[1], full: true, reduction: .none) }),
    ("poisson of rates", [x.abs(), y], { poissonNLLLoss($0[0], $0[1], logInput: false) }),
    ("multi margin", [x], { multiMarginLoss($0[0], labels, weight: weight) }),
    (
      "multi margin squared", [x],
      { multiMarginLoss($0[0], labels, p: 2, margin: 0.45, reduction: .none) }
    ),
    ("multi-label margin", [x], { multiLabelMarginLoss($0[0], lists, reduction: .none) }),
    (
      "multi-label soft margin", [x, y], { multiLabelSoftMarginLoss($0[0], $0[1], weight: weight) }
    ),
    ("powers", [y + 0.5], { lpPool1d($0[0], p: 1.5, kernelSize: 2, stride: 1) }),
    ("cosine", [x, y[0..<1]], { cosineSimilarity($0[0], $0[1]) }),
    ("attention", [q, k, v], { scaledDotProductAttention($0[0], $0[1], $0[2]) }),
    (
      "attention, causal", [q, k, v],
      { scaledDotProductAttention($0[0], $0[1], $0[2], isCausal: true) }
    ),
    (
      "attention, mask", [q, k, v],
      {
        scaledDotProductAttention(
          $0[0], $0[1], $0[2],
          mask: Tensor([[true, false, true], [false, false, false], [true, true, true]]))
      }
    ),
  ]

  @Test(arguments: rules.indices) func rule(_ index: Int) {
    let (name, inputs, function) = Self.rules[index]
    #expect(throws: Never.self, "\(name)") { try checkGradient(of: function, at: inputs) }
  }

  @Test func mistakes() {
    let (x, y, q) = (Self.x, Self.y, Self.q)
    let wrong: [() -> Tensor] = [
      { gaussianNLLLoss(x, y, variance: -Self.variance) },
      { gaussianNLLLoss(x, y, variance: Tensor([1.0, 2, 3, 4])) },
      { gaussianNLLLoss(x, y, variance: Self.variance, eps: 0) },
      { multiMarginLoss(x, Tensor([3, 0])) }, { multiMarginLoss(x, Tensor([1])) },
      { multiMarginLoss(x, Self.labels, p: 3) }, { multiMarginLoss(x, Self.labels, weight: x) },
      { multiLabelMarginLoss(x, Self.labels) },
      { multiLabelMarginLoss(x, Tensor([[5, 0, 0], [1, 1, 1]])) },
      { multiLabelSoftMarginLoss(x, y[0]) }, { lpPool2d(x, p: 0, kernelSize: 2) },
      { lpPool1d(Tensor([[1, 2]]), p: 2, kernelSize: 2) },
      { cosineSimilarity(x, Tensor([1.0, 2])) }, { cosineSimilarity(x, y, over: 2) },
      { scaledDotProductAttention(q, x, x) },
      { scaledDotProductAttention(q, Self.k, Self.v, mask: Tensor([true]), isCausal: true) },
      { scaledDotProductAttention(q, Self.k, Self.v, mask: Tensor([1])) },
      { scaledDotProductAttention(q, Self.k, Self.v, dropout: 2) },
      { scaledDotProductAttention(q, Self.k, Self.v, mask: Tensor.ones(5, dtype: .float64)) },
      { scaledDotProductAttention(q[0], Self.k[0], Self.v[0], enableGQA: true) },
    ]
    for (index, call) in wrong.enumerated() {
      #expect(throws: TensorError.self, "\(index)") { try catchingTensorErrors { _ = call() } }
    }
  }
}
