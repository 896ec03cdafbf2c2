import NormaNN
import NormaTensor
import Testing

private let infinity = Double.infinity

private func half(_ values: [Float]) -> Tensor { Tensor(values).cast(to: .float16) }

/// Losses with mismatched shapes, infinite values and half types.
@Suite struct LossEdgeTests {
  static let ofPairs: [(String, @Sendable (Tensor, Tensor) -> Tensor)] = [
    ("mseLoss", { mseLoss($0, $1) }), ("l1Loss", { l1Loss($0, $1) }),
    ("smoothL1Loss", { smoothL1Loss($0, $1) }), ("huberLoss", { huberLoss($0, $1) }),
    ("klDivergence", { klDivergence($0, $1) }), ("softMarginLoss", { softMarginLoss($0, $1) }),
    ("hingeEmbeddingLoss", { hingeEmbeddingLoss($0, $1) }),
    ("poissonNLLLoss", { poissonNLLLoss($0, $1) }),
    ("marginRankingLoss", { marginRankingLoss($0, $0, $1) }),
    ("binaryCrossEntropy", { binaryCrossEntropy($0, $1) }),
    ("binaryCrossEntropyWithLogits", { binaryCrossEntropyWithLogits($0, $1) }),
    ("multiLabelSoftMarginLoss", { multiLabelSoftMarginLoss($0, $1) }),
  ]

  @Test(arguments: ofPairs.indices) func unequalShapesAreRefused(_ index: Int) {
    let (name, loss) = Self.ofPairs[index]
    // Like PyTorch's, these broadcast shapes of equal rank.
    let broadcasts = ["hingeEmbeddingLoss", "marginRankingLoss"].contains(name)
    for (x, y) in [([4, 1], [4]), ([4], [1]), ([2, 3], [3]), ([3], [])] {
      if broadcasts && x.count == y.count {
        #expect(loss(.ones(x), .ones(y)).shape == [])
        continue
      }
      let error = #expect(throws: TensorError.self) {
        try catchingTensorErrors { loss(.ones(x), .ones(y)) }
      }
      let text = error?.description ?? ""
      #expect(text.contains(name) && text.contains("\(x)") && text.contains("\(y)"), "\(text)")
    }
    #expect(loss(.ones(2, 3), .ones(2, 3)).shape == [])
  }

  static let refused: [(String, @Sendable () -> Tensor)] = [
    ("squeezed", { mseLoss(.ones(4, 1), .ones(4)) }),
    (
      "ignoreIndex 1 names a class",
      { crossEntropy(.ones(2, 3), .full([2, 3], 1.0 / 3), ignoreIndex: 1) }
    ),
    ("eps must not", { poissonNLLLoss(.ones(2), .ones(2), eps: -1) }),
    (
      "margin must be positive, got -1.0",
      { tripletMarginLoss(.ones(2, 3), .ones(2, 3), .ones(2, 3), margin: -1) }
    ),
    ("different ranks", { tripletMarginLoss(.ones(3), .ones(2, 3), .ones(2, 3)) }),
    (
      "variances of shape [1, 1]",
      { gaussianNLLLoss(.ones(4, 3), .ones(4, 3), variance: .ones(1, 1)) }
    ),
    ("eps must be positive", { gaussianNLLLoss(.ones(1), .ones(1), variance: .ones(1), eps: -1) }),
    ("[N]", { cosineEmbeddingLoss(.ones(2, 3), .ones(2, 3), .ones(2, 1)) }),
    ("beta must not", { smoothL1Loss(.ones(1), .ones(1), beta: .nan) }),
  ]

  @Test(arguments: refused.indices) func wrongOptionsAreRefused(_ index: Int) {
    let (text, loss) = Self.refused[index]
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { loss() } }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
  }

  @Test func nothingTimesInfinityIsNothing() {
    let scores = Tensor([-infinity, 0, 0], shape: [1, 3]).requiringGradient()
    let shares = Tensor([0, 0.25, 0.75], shape: [1, 3])
    let entropy = crossEntropy(scores, shares)
    entropy.backward()
    #expect(abs(entropy.item() - 0.6931471805599453) < 1e-15)
    #expect(scores.grad?.isClose(to: Tensor([0, 0.25, -0.25], shape: [1, 3])).all().item() == 1)
    #expect(crossEntropy(scores, Tensor([0.5, 0.5, 0], shape: [1, 3])).item() == infinity)

    let logits = Tensor([infinity, -infinity, infinity, -infinity]).requiringGradient()
    let matching = Tensor([1.0, 0, 0, 1])
    let losses = binaryCrossEntropyWithLogits(logits, matching, reduction: .none)
    losses.sum().backward()
    #expect(losses.array() == [0, 0, infinity, infinity])
    #expect(logits.grad?.array() == [0, 0, 1, -1])
    let weighted = binaryCrossEntropyWithLogits(
      logits.detached(), matching, posWeight: Tensor([3.0]), reduction: .none)
    #expect(weighted.array() == [0, 0, infinity, infinity])

    let logs = Tensor([-infinity, 0, -infinity]).requiringGradient()
    let targets = Tensor([0.0, 1, 0.5])
    let divergence = klDivergence(logs, targets, reduction: .none)
    divergence[..<2].sum().backward()
    #expect(divergence.array() == [0, 0, infinity])
    #expect(logs.grad?.array() == [0, -1, 0])
    let ofLogs = klDivergence(
      Tensor([-infinity, 0]), Tensor([-infinity, 0]), logTarget: true, reduction: .none)
    #expect(ofLogs.array() == [0, 0])
  }

  /// torch.nn.functional.gaussian_nll_loss(x, x / 2, var, reduction="none")
  @Test func variancesOfOneAxis() {
    let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let variance = Tensor([0.5, 1, 2] as [Float], shape: [1, 3]).requiringGradient()
    let losses = gaussianNLLLoss(x, x / 2, variance: variance, reduction: .none)
    let expected: [Double] = [
      -0.09657359, 0.5, 0.9090736, 3.6534264, 3.125, 2.5965736,
    ]
    #expect(zip(losses.array(), expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(losses)")
    losses.sum().backward()
    #expect(variance.grad?.shape == [1, 3])
  }

  /// torch.nn.functional.pairwise_distance in float64, with its gradient.
  @Test(
    arguments: [
      (5, 4.1740488, [0.0002059, -0.2668421, 0.8433548]),
      (-1, 0.3870974, [0.5993751, -0.0166494, 0.0093653]),
      (0.5, 19.7061260, [6.2779115, -2.5629496, 2.2195789]), (0, 3, [0, 0, 0]),
      (.infinity, 4.000001, [0, 0, 1]), (1, 7.500001, [1, -1, 1]),
    ] as [(Double, Double, [Double])])
  func distancesOfAnyOrder(_ p: Double, _ expected: Double, _ slopes: [Double]) {
    let a = Tensor([1.0, -2, 3], shape: [1, 3]).requiringGradient()
    let distance = pairwiseDistance(a, Tensor([0.5, 1, -1], shape: [1, 3]), p: p)
    distance.sum().backward()
    #expect(distance.shape == [1] && abs(distance.item() - expected) < 3e-6, "\(distance)")
    let found: [Double] = a.grad?.array() ?? []
    #expect(zip(found, slopes).allSatisfy { abs($0 - $1) < 3e-6 }, "\(found)")
    #expect(pairwiseDistance(a, a, p: p, keepDims: true).shape == [1, 1])
  }

  @Test func equalPointsHaveNoSlope() {
    for p in [1.0, 2, 3] {
      let a = Tensor([1.0, 2], shape: [1, 2]).requiringGradient()
      pairwiseDistance(a, a.detached(), p: p, eps: 0).sum().backward()
      #expect(a.grad?.array() == [0, 0])
      let anchor = Tensor([1.0, 2], shape: [1, 2]).requiringGradient()
      tripletMarginLoss(anchor, anchor.detached(), anchor.detached(), p: p, eps: 0).backward()
      #expect(anchor.grad?.array() == [0, 0])
    }
  }

  /// torch 2.13: 850.5 with the gradient ±0.7056, ±0.047.
  @Test func halfTypesAreRoundedOnce() {
    let x = half([-300, -20, 20, 300]).requiringGradient()
    let distance = pairwiseDistance(x, -x.detached())
    distance.backward()
    #expect(distance.item() == 850.5 && distance.dtype == .float16)
    let slopes: [Double] = x.grad?.array() ?? []
    #expect(zip(slopes, [-0.7056, -0.04703, 0.04703, 0.7056]).allSatisfy { abs($0 - $1) < 5e-4 })
    // Each square exceeds the range of the type, but the means do not.
    let y = half([180, 180, 360, 0]).requiringGradient()
    let zeros = half([0, 0, 0, 0])
    let losses = [
      mseLoss(y, zeros), huberLoss(y, zeros), poissonNLLLoss(half([0, 11]), half([1, 1])),
    ]
    #expect(losses.map { $0.item() } == [48608, 179.625, 29936])
    #expect(losses.allSatisfy { $0.dtype == .float16 })
    losses[0].backward()
    #expect(y.grad?.array() == [90, 90, 180, 0])
    let scores = half([60000, -60000]).reshaped(1, 2).requiringGradient()
    let entropy = crossEntropy(
      scores, Tensor([0.5, 0.5] as [Float], shape: [1, 2]).cast(to: .float16))
    #expect(entropy.item() == 60000)
  }
}
