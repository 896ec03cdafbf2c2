import NormaTensor
import Testing

/// Draws of categories against torch.multinomial for the same seed, and invalid arguments.
@Suite struct CategoricalTests {
  static let weights = Tensor([1, 0, 2, 3, 4] as [Float])
  static let rows = Tensor([[0.1, 0.2, 0.3, 0.4], [5, 0, 1, 0], [1e-3, 1e3, 1, 1]] as [[Float]])

  private func draws(_ weights: Tensor, _ count: Int, _ replacement: Bool = false) -> [Int] {
    Tensor.multinomial(weights, count: count, replacement: replacement).array(of: Int.self)
  }

  @Test(arguments: [DType.float32, .float64]) func drawsOfPyTorch(_ type: DType) {
    let (weights, rows) = (Self.weights.cast(to: type), Self.rows.cast(to: type))
    withSeed(7) {
      #expect(draws(weights, 3) == [0, 3, 4])
      #expect(draws(rows, 2) == [1, 2, 2, 0, 1, 3])
      #expect(draws(rows, 1) == [1, 2, 1])
      #expect(Tensor.rand(1).item(as: Float.self) == 0.7447319030761719)
    }
    withSeed(7) {
      #expect(draws(weights, 9, true) == [2, 2, 4, 4, 4, 4, 2, 3, 4])
      #expect(draws(rows, 6, true) == [3, 0, 0, 1, 0, 1, 2, 0, 2, 0, 2, 2, 1, 1, 1, 1, 1, 1])
      #expect(draws(rows, 1, true) == [1, 0, 1])
      #expect(Tensor.rand(1).item(as: Float.self) == 0.6685574650764465)
    }
    let many = Tensor.arange(1, 1001).cast(to: .float32)
    withSeed(0) {
      let drawn = draws(many, 1000)
      #expect(zip(drawn, 0...).map { $0 * $1 }.reduce(0, +) == 203_466_060)
    }
    withSeed(0) {
      let drawn = draws(many, 1000, true)
      #expect(zip(drawn, 0...).map { $0 * $1 }.reduce(0, +) == 331_453_327)
    }
  }

  @Test func shapes() {
    #expect(Tensor.multinomial(Self.weights, count: 2).shape == [2])
    let drawn = Tensor.multinomial(Self.rows, count: 9, replacement: true)
    #expect(drawn.shape == [3, 9] && drawn.dtype == .int64)
    #expect(Tensor.multinomial(.zeros(0, 3), count: 2).shape == [0, 2])
    // All of them, in some order.
    #expect(Set(draws(Tensor([1, 2, 3] as [Float]), 3)) == [0, 1, 2])
    // A view, and the gradient's history, make no difference.
    let view = Self.rows.transposed().requiringGradient()
    #expect(Tensor.multinomial(view, count: 1).shape == [4, 1])
  }

  /// Frequencies follow the weights; half types would not, if quotients of 8 bits were compared.
  @Test(arguments: [DType.float32, .bfloat16, .float16]) func frequencies(_ type: DType) {
    let weights = Tensor([1, 3, 0, 4] as [Float]).cast(to: type)
    let total = 4000
    withSeed(11) {
      let rows = weights.broadcast(to: [total, 4])
      for drawn in [
        Tensor.multinomial(rows, count: 1),
        Tensor.multinomial(weights, count: total, replacement: true),
        Tensor.categorical(logits: weights.log()).unsqueezed(0),
        Tensor.categorical(logits: rows.log()),
      ] where drawn.count == total {
        for (category, weight) in [1.0, 3, 0, 4].enumerated() {
          let p = weight / 8
          let share = (drawn .== category).cast(to: .float64).mean().item()
          // Five standard deviations.
          let bound: Double = 5 * (p * (1 - p) / Double(total)).squareRoot()
          #expect((share - p).magnitude <= bound)
        }
      }
    }
  }

  /// torch.distributions.Categorical(logits=logits).sample()
  @Test func categoriesOfPyTorch() {
    let none = -Float.infinity
    let logits = Tensor(
      [1, 2, -1, 0.5, 0, none, 3, 0, 1e4, 1e4 - 1, 1e4, 0, 0, 0, 0, 0] as [Float],
      shape: [2, 2, 4])
    withSeed(3) {
      let drawn = (0..<5).map { _ in Tensor.categorical(logits: logits) }
      #expect(drawn[0].shape == [2, 2] && drawn[0].dtype == .int64)
      #expect(
        drawn.map { $0.array(of: Int.self) } == [
          [0, 2, 2, 3], [0, 2, 1, 3], [0, 2, 2, 0], [1, 2, 0, 2], [2, 2, 0, 2],
        ])
      #expect(Tensor.rand(1).item(as: Float.self) == 0.09922897815704346)
    }
    #expect(Tensor.categorical(logits: .zeros(0, 3)).shape == [0])
    #expect(Tensor.categorical(logits: .zeros(3)).shape == [])
  }

  /// The documented way to draw with a temperature among the best.
  @Test func temperatureAndTopK() {
    let logits = Tensor([3, 1, 2, 0] as [Float]).broadcast(to: [400, 4])
    func drawn(_ temperature: Double, _ best: Int) -> [Int] {
      var scores = logits / temperature
      let worst = scores.topK(best).values.min(over: -1, keepDims: true)
      scores = Tensor.where(scores .< worst, -Double.infinity, scores)
      return Tensor.categorical(logits: scores).array(of: Int.self)
    }
    withSeed(5) {
      #expect(Set(drawn(1, 2)) == [0, 2])
      #expect(Set(drawn(10, 4)) == [0, 1, 2, 3])
      #expect(Set(drawn(0.01, 4)) == [0])
    }
  }

  static let mistakes: [(String, @Sendable () -> Tensor)] = [
    ("from -1.0 to 2.0", { .multinomial(Tensor([2, -1] as [Float]), count: 1) }),
    ("from nan", { .multinomial(Tensor([2, Float.nan]), count: 1) }),
    ("to inf", { .multinomial(Tensor([2, Float.infinity]), count: 2, replacement: true) }),
    ("no weight above 0", { .multinomial(Tensor([[1, 1], [0, 0]] as [[Float]]), count: 1) }),
    (
      "2 draws without replacement need as many weights above 0; a row has 1",
      { .multinomial(Tensor([0, 2] as [Float]), count: 2) }
    ),
    ("count must be at least 1", { .multinomial(.ones(2), count: 0) }),
    ("more elements than memory", { .multinomial(.ones(2), count: .max, replacement: true) }),
    ("weights of shape [C]", { .multinomial(.ones(2, 2, 2), count: 1) }),
    ("weights of shape [C]", { .multinomial(.ones(2, dtype: .int64), count: 1) }),
    ("weights of shape [C]", { .multinomial(.ones(2, 0), count: 1) }),
    (
      "more than float32 holds",
      { .multinomial(.full([2], Float.greatestFiniteMagnitude), count: 2, replacement: true) }
    ),
    ("NaN or +inf, or only", { .categorical(logits: Tensor([Float.nan, 1])) }),
    ("NaN or +inf, or only", { .categorical(logits: Tensor([Float.infinity, 1])) }),
    ("NaN or +inf, or only", { .categorical(logits: Tensor([-Float.infinity])) }),
    ("scores of shape [..., C]", { .categorical(logits: Tensor(1 as Float)) }),
    ("scores of shape [..., C]", { .categorical(logits: .ones(2, dtype: .int64)) }),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreReported(_ index: Int) {
    let (text, body) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { body().count } }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
  }
}
