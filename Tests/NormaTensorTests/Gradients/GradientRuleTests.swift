import NormaTensor
import Testing

/// The rule of every operation against central differences in Float64, including second
/// derivatives.
@Suite(.serialized) struct GradientRuleTests {
  typealias Function = @Sendable ([Tensor]) -> Tensor

  static func inputs(_ shapes: [Int]..., low: Double = -2, high: Double = 2) -> [Tensor] {
    withSeed(7) { shapes.map { Tensor.rand($0, dtype: .float64) * (high - low) + low } }
  }

  static let elementwise: [(String, Function)] = [
    ("+", { $0[0] + $0[1] }), ("-", { $0[0] - $0[1] }), ("*", { $0[0] * $0[1] }),
    ("/", { $0[0] / ($0[1] + 5) }), ("+1", { 1 + $0[0] }), ("2-", { 2 - $0[0] * $0[1] }),
    ("3*", { 3 * $0[0] * 0.5 }), ("1/", { 1 / ($0[0] + 4) }), ("/3", { $0[0] / 3 }),
    ("negate", { -$0[0] }), ("abs", { $0[0].abs() }), ("sqrt", { ($0[0] + 3).sqrt() }),
    ("rsqrt", { ($0[0] + 3).rsqrt() }), ("exp", { $0[0].exp() }), ("expm1", { $0[0].expm1() }),
    ("log", { ($0[0] + 3).log() }), ("log1p", { ($0[0] + 3).log1p() }),
    ("tanh", { $0[0].tanh() }), ("erf", { $0[0].erf() }), ("sigmoid", { $0[0].sigmoid() }),
    ("sin", { $0[0].sin() }), ("cos", { $0[0].cos() }), ("squared", { $0[0].squared() }),
    ("reciprocal", { ($0[0] + 3).reciprocal() }),
    ("clamped", { $0[0].clamped(min: -0.7, max: 0.9) }),
    ("clamped by tensors", { $0[0].clamped(min: $0[1] - 1, max: $0[1] * 0.3 + 0.5) }),
    ("maximum", { maximum($0[0], $0[1]) }), ("minimum", { minimum($0[0], $0[1]) }),
    ("where", { .where($0[0] .> 0, $0[0] * $0[1], $0[1]) }),
    ("where number", { .where($0[0] .> 0, 3, $0[0] * 2) }),
    ("number where", { .where($0[1] .> 0, $0[0].exp(), 2) }),
    ("used twice", { $0[0] * $0[0].exp() + $0[0] }),
  ]

  @Test(arguments: elementwise.indices) func elementwiseRule(_ index: Int) throws {
    let (name, function) = Self.elementwise[index]
    for shapes in [[[3, 4], [3, 4]], [[2, 3, 4], [3, 1]], [[1], [5]], [[], []]] {
      let inputs = Self.inputs(shapes[0], shapes[1])
      #expect(throws: Never.self, "\(name) \(shapes)") {
        try checkGradient(of: function, at: inputs, order: 2)
      }
    }
  }

  static let others: [(String, [Int], Function)] = [
    ("reshaped", [2, 6], { $0[0].reshaped(3, 4) * 2 }),
    ("reshaped copy", [2, 6], { $0[0].transposed().reshaped(3, 4).exp() }),
    (
      "reshaped copy with axes of size 1", [2, 2, 1],
      { $0[0].broadcast(to: [2, 2, 3]).reshaped(2, 6, 1, 1).exp() }
    ),
    ("flattened", [2, 3, 2], { $0[0].flattened(from: 1).exp() }),
    ("permuted", [2, 3, 4], { $0[0].permuted(2, 0, 1).exp() }),
    ("transposed", [3, 4], { $0[0].transposed().sin() }),
    ("squeezed", [2, 1, 3], { $0[0].squeezed().sin() }),
    ("unsqueezed", [2, 3], { $0[0].unsqueezed(1).sin() }),
    ("broadcast", [3, 1], { $0[0].broadcast(to: [2, 3, 4]).exp() }),
    ("element", [3, 4], { $0[0][1].exp() }), ("range", [5, 4], { $0[0][1..<4, -2].exp() }),
    ("steps", [7, 2], { $0[0][AxisSlice(from: 1, by: 3)].exp() }),
    ("overlapping", [6], { $0[0][0..<4] * $0[0][2..<6] }),
    ("sum", [3, 4], { $0[0].exp().sum() }),
    ("sum over", [2, 3, 4], { $0[0].exp().sum(over: 0, 2) }),
    ("mean", [3, 4], { $0[0].exp().mean(over: 1, keepDims: true) * $0[0] }),
    ("variance", [5, 4], { $0[0].variance(over: 0) }),
    ("variance n", [5, 4], { $0[0].variance(over: [0, 1], correction: 0) }),
    ("std", [5, 4], { $0[0].std(over: -1, keepDims: true) * $0[0] }),
    ("min", [3, 4], { $0[0].min(over: 1).exp() }), ("max", [3, 4], { $0[0].max().exp() }),
    ("matmul vectors", [5], { $0[0].matmul($0[0].exp()) }),
    ("matmul", [3, 3], { $0[0].matmul($0[0].transposed() + 1) }),
    ("matmul matrix vector", [3, 4], { $0[0].matmul($0[0][0].exp()) }),
    ("matmul tall", [2, 3, 4], { $0[0].matmul($0[0][0].transposed()) }),
    ("matmul batches", [2, 3, 3], { $0[0].matmul($0[0][0..<1].transposed()) }),
    (
      "standardized", [4, 6],
      { x in
        let x = x[0]
        return (x - x.mean(over: 0, keepDims: true)) / (x.std(over: 0, keepDims: true) + 1e-5)
      }
    ),
  ]

  @Test(arguments: others.indices) func otherRule(_ index: Int) throws {
    let (name, shape, function) = Self.others[index]
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: function, at: Self.inputs(shape), order: 2)
    }
  }

  /// The check itself must detect wrong rules.
  @Test func checkFindsWrongRules() {
    let x = Self.inputs([3, 2])
    for wrong in [
      { (upstream: Tensor, x: Tensor) in upstream * x },  // Half of it.
      { upstream, x in 2 * x },  // The upstream gradient forgotten.
      { upstream, x in (2 * upstream * x).transposed().reshaped(3, 2) },
      { upstream, x in (2 * upstream * x) / 0.0 * 0.0 },
    ] {
      #expect(throws: GradientCheckError.self) {
        try checkGradient(
          of: { inputs in
            customFunction(
              inputs[0], forward: { $0[0].squared() },
              gradient: { upstream, inputs, _ in [wrong(upstream, inputs[0])] })
          }, at: x)
      }
    }
  }
}
