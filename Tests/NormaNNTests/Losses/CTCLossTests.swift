import NormaNN
import NormaTensor
import Testing

/// CTC against torch.nn.functional.ctc_loss and against all paths.
@Suite struct CTCLossTests {
  static let scores: Tensor = {
    let numbers = Tensor.remainder(Tensor.arange(60) * 7, 11).cast(to: .float64)
    return numbers.reshaped(5, 3, 4) / 5 - 1
  }()
  static let targets = Tensor([[1, 2, 2], [3, 1, 0], [2, 0, 0]] as [[Int64]])
  static let steps = [5, 4, 3]
  static let sizes = [3, 2, 0]

  private func loss(
    _ scores: Tensor, _ reduction: LossReduction, zeroInfinity: Bool = false
  ) -> Tensor {
    ctcLoss(
      scores.logSoftmax(over: -1), Self.targets, inputLengths: Self.steps,
      targetLengths: Self.sizes, reduction: reduction, zeroInfinity: zeroInfinity)
  }

  private func isClose(_ a: [Double], _ b: [Double], _ error: Double = 1e-9) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= error }
  }

  @Test func lossesOfPyTorch() {
    let expected = [4.273502582494286, 3.5717985239785746, 4.353496196264788]
    #expect(isClose(loss(Self.scores, .none).array(), expected, 1e-13))
    #expect(abs(loss(Self.scores, .sum).item() - 12.198797302737649) < 1e-13)
    #expect(abs(loss(Self.scores, .mean).item() - 2.5212987730285015) < 1e-13)
    // Concatenated targets, and a different blank.
    let joined = ctcLoss(
      Self.scores.logSoftmax(over: -1), Tensor([0, 1, 2, 1, 2, 2] as [Int32]),
      inputLengths: Self.steps, targetLengths: [3, 2, 1], blank: 3, reduction: .none)
    #expect(
      isClose(joined.array(), [3.544114798006061, 2.9346375203871844, 3.005202482832413], 1e-13))
    // One sample, of float32 and half types; all lengths left out.
    let one = Self.scores[0..., 0].logSoftmax(over: -1)
    for (type, error) in [(DType.float64, 1e-13), (.float32, 1e-6), (.bfloat16, 0.05)] {
      let loss = ctcLoss(one.cast(to: type), Self.targets[0], reduction: .none)
      #expect(loss.shape == [] && loss.dtype == type && abs(loss.item() - expected[0]) < error)
    }
    #expect(abs(ctcLoss(one, Self.targets[0]).item() - 1.4245008608) < 1e-9)
  }

  /// By `torch.autograd`, of scores and of log-probabilities, which do not add up to 1 in the last
  /// case.
  @Test func gradientsOfPyTorch() throws {
    let sum = Tensor.gradient(of: { self.loss($0, .none) }, at: Self.scores)
    #expect(
      isClose(
        Array(sum.array(of: Double.self).prefix(12)),
        [
          0.0464943966, -0.6921507028, 0.1277212198, 0.5179350864, 0.068814403, 0.1098555875,
          0.4454863749, -0.6241563654, -0.8700632061, 0.5269196821, 0.2367602749, 0.1063832491,
        ]))
    // Steps beyond a sample's length do not count.
    #expect(sum[4, 1...].abs().max().item() == 0 && sum[4, 0].abs().min().item() > 0)
    let mean = Tensor.gradient(of: { self.loss($0, .mean) }, at: Self.scores)
    #expect(
      isClose(
        Array(mean.array(of: Double.self).prefix(8)),
        [
          0.0051660441, -0.0769056336, 0.0141912466, 0.0575483429, 0.0114690672, 0.0183092646,
          0.0742477291, -0.1040260609,
        ]))
    let single = Tensor.gradient(of: { self.loss($0, .none) }, at: Self.scores.cast(to: .float32))
    #expect((single.cast(to: .float64) - sum).abs().max().item() < 1e-6)
    let raw = Tensor.gradient(
      of: {
        ctcLoss(
          $0, Self.targets, inputLengths: Self.steps, targetLengths: Self.sizes, reduction: .none)
      }, at: Self.scores - 2)
    #expect(
      isClose(
        Array(raw.array(of: Double.self).prefix(4)),
        [0.02618657, -0.77450299, 0.09071795, 0.36787944], 1e-8))
    _ = try checkGradient(of: { self.loss($0[0], .sum) }, at: [Self.scores])
  }

  /// The sum over all 4⁵ paths.
  @Test func allPaths() {
    let x = Self.scores[0..., 0].logSoftmax(over: -1)
    let logs = x.array(of: Double.self)
    for target in [[1, 2, 2], [3], [], [1, 2, 3, 1, 2], [2, 2]] {
      var sum = 0.0
      for number in 0..<1024 {
        let path: [Int] = (0..<5).map { (step: Int) -> Int in (number >> (2 * step)) & 3 }
        var spelled: [Int] = []
        for (step, label) in path.enumerated() where step == 0 || label != path[step - 1] {
          spelled.append(label)
        }
        if spelled.filter({ $0 != 0 }) == target {
          var product: Double = 1
          for (step, label) in path.enumerated() { product *= exponential(logs[4 * step + label]) }
          sum += product
        }
      }
      let loss = ctcLoss(x, Tensor(target.map(Int64.init)), reduction: .sum).item()
      #expect(abs(exponential(-loss) - sum) < 1e-14, "\(target)")
    }
  }

  private func exponential(_ x: Double) -> Double { Tensor(x).exp().item() }

  @Test func targetsThatAreTooLong() {
    let x = Self.scores.logSoftmax(over: -1)
    func loss(_ x: Tensor, _ reduction: LossReduction, zero: Bool) -> Tensor {
      ctcLoss(
        x, Tensor([[1, 1, 1], [2, 2, 0], [1, 2, 3]] as [[Int64]]), inputLengths: [3, 2, 3],
        targetLengths: [3, 2, 3], reduction: reduction, zeroInfinity: zero)
    }
    let bare = loss(x, .none, zero: false).array(of: Double.self)
    #expect(
      bare[0] == .infinity && bare[1] == .infinity && abs(bare[2] - 4.753496196264788) < 1e-13)
    #expect(loss(x, .mean, zero: false).item() == .infinity)
    #expect(loss(x, .none, zero: true).array(of: Double.self) == [0, 0, bare[2]])
    #expect(abs(loss(x, .mean, zero: true).item() - 0.5281662440294209) < 1e-13)
    let lost = Tensor.gradient(of: { loss($0, .none, zero: false) }, at: x)
    #expect(lost[0..<3, 0].isNaN().all().item() != 0 && lost[3..., 0].abs().max().item() == 0)
    #expect(lost[0..., 2].isNaN().any().item() == 0)
    let zero = Tensor.gradient(of: { loss($0, .none, zero: true) }, at: x)
    #expect(zero[0..., 0..<2].abs().max().item() == 0)
    #expect(zero[0..., 2].isEqual(to: lost[0..., 2]))
    // No steps: an empty target is certain, any other impossible.
    let none = ctcLoss(
      x, Self.targets, inputLengths: [0, 0, 3], targetLengths: [0, 2, 0], reduction: .none)
    #expect(none.array(of: Double.self)[..<2] == [0, .infinity])
    // An impossible class takes nothing from the others; torch returns NaN there.
    let impossible = Tensor.where(Tensor.arange(4) .== 1, -Double.infinity, x[0..., 0])
    let slope = Tensor.gradient(
      of: { ctcLoss($0, Tensor([2, 3] as [Int64]), reduction: .sum) }, at: impossible)
    #expect(slope.isNaN().any().item() == 0 && slope[0..., 1].abs().max().item() == 0)
    #expect(ctcLoss(x * Double.nan, Self.targets, targetLengths: Self.sizes).item().isNaN)
  }

  @Test func mistakesAreRefused() {
    let x = Self.scores
    let mistakes: [(String, () -> Tensor)] = [
      ("input lengths [6, 4, 3]", { ctcLoss(x, Self.targets, inputLengths: [6, 4, 3]) }),
      ("input lengths [3]", { ctcLoss(x, Self.targets, inputLengths: [3]) }),
      ("of the lengths [4, 2, 0]", { ctcLoss(x, Self.targets, targetLengths: [4, 2, 0]) }),
      ("of the lengths [1, 1, 0]", { ctcLoss(x, Self.targets[0], targetLengths: [1, 1, 0]) }),
      ("has the blank, 0, as a label", { ctcLoss(x, Self.targets) }),
      (
        "target 2 is not among",
        { ctcLoss(x[0..., 0..., 0..<2], Self.targets, targetLengths: [2, 0, 0]) }
      ),
      ("blank 4 is not among", { ctcLoss(x, Self.targets, blank: 4) }),
      ("of an integer type", { ctcLoss(x, x[0]) }),
      ("[T, N, C] or [T, C]", { ctcLoss(x[0, 0], Self.targets) }),
      (
        "no second derivatives",
        {
          Tensor.gradient(
            of: { x in
              Tensor.gradient(of: { self.loss($0, .sum) }, at: x).squared().sum()
            }, at: x)
        }
      ),
    ]
    for (text, body) in mistakes {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors { body().count } }
      #expect(error?.description.contains(text) == true, "\(text): \(error as Any)")
    }
  }
}
