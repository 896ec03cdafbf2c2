import NormaNN
import NormaTensor
import Testing

/// The rules of losses and of layers with tables, for all that is differentiated.
@Suite(.serialized) struct LossGradientTests {
  typealias Function = @Sendable ([Tensor]) -> Tensor

  private static let labels = Tensor([2, 0, 1, 2])
  private static let signs = Tensor([1.0, -1, 1, -1])
  private static let weights = Tensor([0.5, 1, 2])

  static let rules: [(String, [[Int]], Function)] = [
    ("cross entropy", [[4, 3]], { crossEntropy($0[0], labels) }),
    (
      "cross entropy, smoothed", [[4, 3]],
      { crossEntropy($0[0], labels, weight: weights, ignoreIndex: 1, labelSmoothing: 0.2) }
    ),
    (
      "cross entropy of shares", [[4, 3], [4, 3]], { crossEntropy($0[0], $0[1].softmax(over: 1)) }
    ),
    (
      "cross entropy sum", [[4, 3, 1]],
      { crossEntropy($0[0], labels.unsqueezed(1), reduction: .sum) }
    ),
    ("nll", [[4, 3]], { nllLoss($0[0].logSoftmax(over: 1), labels, weight: weights) }),
    ("mse", [[4, 3], [4, 3]], { mseLoss($0[0], $0[1]) }),
    ("l1", [[4, 3], [4, 3]], { l1Loss($0[0], $0[1], reduction: .sum) }),
    ("smooth l1", [[4, 3], [4, 3]], { smoothL1Loss($0[0], $0[1], beta: 0.8) }),
    ("huber", [[4, 3], [4, 3]], { huberLoss($0[0], $0[1], delta: 0.8, reduction: .none) }),
    (
      "bce", [[4, 3], [4, 3]],
      { binaryCrossEntropy($0[0].sigmoid(), $0[1].sigmoid(), weight: weights) }
    ),
    (
      "bce with logits", [[4, 3], [4, 3]],
      { binaryCrossEntropyWithLogits($0[0], $0[1].sigmoid(), weight: weights, posWeight: weights) }
    ),
    (
      "kl", [[4, 3], [4, 3]], { klDivergence($0[0].logSoftmax(over: 1), $0[1].softmax(over: 1)) }
    ),
    (
      "kl of logarithms", [[4, 3], [4, 3]],
      { klDivergence($0[0].logSoftmax(over: 1), $0[1], logTarget: true, reduction: .sum) }
    ),
    ("cosine", [[4, 3], [4, 3]], { cosineEmbeddingLoss($0[0], $0[1], signs, margin: -0.4) }),
    (
      "triplet", [[4, 3], [4, 3], [4, 3]], { tripletMarginLoss($0[0], $0[1], $0[2], margin: 2) }
    ),
    (
      "triplet l1", [[4, 3], [4, 3], [4, 3]],
      { tripletMarginLoss($0[0], $0[1], $0[2], p: 1, swap: true) }
    ),
    ("hinge", [[4]], { hingeEmbeddingLoss($0[0], signs) }),
    ("ranking", [[4], [4]], { marginRankingLoss($0[0], $0[1], signs, margin: 0.3) }),
    ("soft margin", [[4]], { softMarginLoss($0[0], signs) }),
    ("embedding", [[3, 2]], { Tensor.embedding(labels, weight: $0[0]).exp() }),
    (
      "bilinear", [[4, 2], [4, 3], [2, 2, 3], [2]],
      { bilinear($0[0], $0[1], weight: $0[2], bias: $0[3]) }
    ),
  ]

  @Test(arguments: rules.indices) func rule(_ index: Int) throws {
    let (name, shapes, function) = Self.rules[index]
    let inputs = withSeed(13) { shapes.map { Tensor.rand($0, dtype: .float64) * 4 - 2 } }
    #expect(throws: Never.self, "\(name)") { try checkGradient(of: function, at: inputs, order: 2) }
  }
}
