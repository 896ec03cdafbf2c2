import NormaTensor
import Testing

/// The rules of the operations of networks: joining, gathering, sorting, softmax, activations.
@Suite(.serialized) struct NetworkGradientRuleTests {
  typealias Function = @Sendable (Tensor) -> Tensor

  private static let picks = Tensor([2, 0, 2])
  private static let indices = Tensor([[1, 0, 0, 2], [2, 2, 1, 0]])

  static let rules: [(String, [Int], Function)] = [
    ("concatenated", [3, 4], { .concatenated([$0.exp(), $0, $0 * 2], over: 1) }),
    ("stacked", [3, 4], { .stacked([$0.exp(), $0 * $0], over: -1) }),
    ("narrowed", [5, 3], { $0.narrowed(over: 0, from: 1, count: 3).exp() }),
    (
      "split", [5, 2],
      { x in x.split([2, 3]).reduce(Tensor(0.0)) { $0 + $1.exp().sum() * $1.sum() } }
    ),
    (
      "chunked", [2, 5],
      { x in x.chunked(2, over: 1).map { $0.sin().sum() }.reduce(Tensor(1.0), *) }
    ),
    ("unbound", [3, 2], { x in x.unbound().reduce(Tensor(1.0)) { $0 * $1 } }),
    ("padded constant", [2, 3], { $0.padded([1, 2, 0, 1], mode: .constant(3)).exp() }),
    ("padded reflect", [2, 4], { $0.padded([2, 1], mode: .reflect).exp() }),
    ("padded replicate", [2, 4], { $0.padded([2, 1], mode: .replicate).exp() }),
    ("padded circular", [2, 4], { $0.padded([2, 1], mode: .circular).exp() }),
    ("index selected", [3, 2], { $0.indexSelected(picks, over: 0).exp() }),
    ("gathered", [3, 4], { $0.gathered(indices, over: 0).exp() }),
    ("scattered", [3, 4], { ($0 * 2).scattered(indices[0..<1], $0[0..<1].exp(), over: 0) }),
    ("scattered adding", [3, 4], { $0.sin().scatteredAdding(indices, $0[0..<2].exp(), over: 0) }),
    ("sorted", [3, 4], { $0.sorted(over: 1, descending: true).values.exp() }),
    ("top k", [2, 5], { $0.topK(3).values.exp() }),
    ("cumulative sum", [3, 4], { $0.cumulativeSum(over: 1).exp() }),
    ("filled", [3, 4], { $0.filled(where: $0.detached() .> 0, with: 0.5).exp() }),
    ("softmax", [3, 4], { $0.softmax(over: 1) }), ("softmax 0", [3, 4], { $0.softmax(over: 0) }),
    ("log softmax", [2, 3, 2], { $0.logSoftmax(over: 1) }),
    ("log sum exp", [3, 4], { $0.logSumExp(over: 0, 1) }),
    ("log sum exp 1", [3, 4], { $0.logSumExp(over: 1, keepDims: true) }),
    ("interpolate nearest", [1, 2, 3, 2], { Tensor.interpolate($0.exp(), size: [4, 5]) }),
    ("interpolate linear", [1, 2, 3], { Tensor.interpolate($0.exp(), size: 5, mode: .linear) }),
    (
      "interpolate bilinear", [1, 1, 3, 2],
      { Tensor.interpolate($0.exp(), size: [4, 5], mode: .bilinear, alignCorners: true) }
    ),
    ("unfold", [1, 2, 3, 4], { Tensor.unfold($0.exp(), kernelSize: 2, padding: 1) }),
    ("relu", [3, 4], { $0.relu() * $0 }), ("relu6", [3, 4], { ($0 * 5).relu6() * $0 }),
    ("hardtanh", [3, 4], { $0.hardtanh() * $0 }), ("leaky", [3, 4], { $0.leakyRelu() * $0 }),
    ("prelu", [2, 3, 2], { $0.prelu($0[0, 0..., 0]) }),
    ("elu", [3, 4], { $0.elu(alpha: 1.5) }), ("selu", [3, 4], { $0.selu() }),
    ("celu", [3, 4], { $0.celu(alpha: 0.7) }), ("gelu", [3, 4], { $0.gelu() }),
    ("gelu tanh", [3, 4], { $0.gelu(approximatingByTanh: true) }),
    ("silu", [3, 4], { $0.silu() }), ("mish", [3, 4], { $0.mish() }),
    ("softplus", [3, 4], { $0.softplus(beta: 2, threshold: 1) }),
    ("log sigmoid", [3, 4], { $0.logSigmoid() }), ("softsign", [3, 4], { $0.softsign() }),
    ("tanhshrink", [3, 4], { $0.tanhshrink() }), ("softshrink", [3, 4], { $0.softshrink() * $0 }),
    ("hardshrink", [3, 4], { $0.hardshrink() * $0 }),
    ("hardsigmoid", [3, 4], { ($0 * 3).hardsigmoid() * $0 }),
    ("hardswish", [3, 4], { ($0 * 3).hardswish() }),
    ("thresholded", [3, 4], { $0.thresholded(at: 0.3, value: 7) * $0 }),
    ("glu", [3, 4], { $0.glu(over: 1) }),
  ]

  @Test(arguments: rules.indices) func rule(_ index: Int) throws {
    let (name, shape, function) = Self.rules[index]
    let input = withSeed(11) { Tensor.rand(shape, dtype: .float64) * 4 - 2 }
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: { function($0[0]) }, at: [input], order: 2)
    }
  }
}
