import NormaNN
import NormaReference
import NormaTensor
import Testing

@testable import NormaExplain

/// Mistakes drawn at random, alone and together, in layers and sizes drawn at random: the first
/// cause is the one with the largest share, and right results get none.
@Suite struct MixtureTests {
  /// A mistake in a recipe, under its own name.
  private typealias Mistake = (cause: CauseName, write: (inout HandMade) -> Void)

  private struct Draw {
    let layer: LayerNumbers
    let x: Tensor
    let right: HandMade
    let mistakes: [Mistake]
  }

  private func pick<T>(_ some: [T], _ random: inout TestRandom) -> T {
    some[Int(random.next() % UInt64(some.count))]
  }

  private func draw(_ random: inout TestRandom) -> Draw {
    let kind = Int(random.next() % 5)
    let shapes = [
      [[2, 3, 4, 4], [32, 6, 1, 1], [6, 8, 7, 5]], [[5, 16], [3, 5, 24], [8, 6, 64]],
      [[6, 24], [4, 5, 16]], [[2, 6, 4, 4], [3, 12, 5, 3]], [[2, 3, 4, 5], [4, 5, 8, 6]],
    ]
    let shape = pick(shapes[kind], &random)
    let features = kind == 1 || kind == 2 ? shape[shape.count - 1] : shape[1]
    let weight = random.doubles(features, mean: 1, std: 0.4).map { Double(Float($0)) }
    let bias = random.doubles(features, std: 0.7).map { Double(Float($0)) }
    let scale = pick([1, 1, 0.05, 8], &random)
    var x = Tensor(random.floats(shape.reduce(1, *), std: Float(scale)), shape: shape)
    for axis in shape.indices {
      let sizes = shape.indices.map { $0 == axis ? shape[$0] : 1 }
      let factors = random.floats(shape[axis]).map { 0.5 + abs($0) }
      x =
        x * Tensor(factors, shape: sizes)
        + Tensor(random.floats(shape[axis], mean: 0.5, std: Float(scale)), shape: sizes)
    }
    x = x.evaluated()
    let reaches: [LayerNumbers.Reach] = [
      .batch, .axes(nil, sizes: [features]), .axes(nil, sizes: [features]), .groups(3),
      .instance(axes: 2),
    ]
    let layer = LayerNumbers(
      name: "layer", reach: reaches[kind], subtractsMean: kind != 2, features: features,
      weight: weight, bias: kind == 2 ? nil : bias)
    let frame = layer.frame(shape)
    let outer = shape.indices.map { $0 == frame.channelAxis ? features : 1 }
    func wide(_ values: [Double]) -> Tensor {
      Tensor(values, shape: kind == 1 || kind == 2 ? [features] : outer).cast(to: .float32)
    }
    let right = HandMade(
      axes: frame.axes, shape: kind == 3 ? frame.shape : nil, subtracts: kind != 2,
      aboutZero: kind == 2, weight: wide(weight), bias: kind == 2 ? nil : wide(bias))
    var mistakes: [Mistake] = [
      (.epsilonValue, { $0.eps = 1e-3 }), (.affine, { $0.weight = nil }),
    ]
    if kind != 2 {
      mistakes.append((.correction, { $0.correction = 1 }))
      mistakes.append((.affine, { $0.bias = nil }))
      mistakes.append((.meanNotSubtracted, { $0.subtracts = false }))
    } else {
      mistakes.append((.meanNotSubtracted, { ($0.subtracts, $0.aboutZero) = (true, false) }))
    }
    if scale < 1 { mistakes.append((.epsilonPlacement, { $0.isOutside = true })) }
    if kind != 3 {
      let axes = kind == 0 ? [2, 3] : kind == 4 ? [0, 2, 3] : [0]
      mistakes.append((.axes, { $0.axes = axes }))
    } else {
      let split = [shape[0], shape[1] / 3, 3] + shape.dropFirst(2)
      mistakes.append(
        (.groupAssignment, { ($0.shape, $0.axes) = (split, [1] + Array(3..<split.count)) }))
    }
    return Draw(layer: layer, x: x, right: right, mistakes: mistakes)
  }

  @Test func theFirstCauseIsTheLargest() {
    var random = TestRandom()
    var (asked, wrong) = (0, [String]())
    for number in 0..<48 {
      let draw = draw(&random)
      var chosen: [Mistake] = []
      for _ in 0..<(number % 3) {
        let next = pick(draw.mistakes, &random)
        if !chosen.contains(where: { $0.cause == next.cause }) { chosen.append(next) }
      }
      func made(_ some: [Mistake], _ dtype: DType) -> Tensor {
        var formula = draw.right
        for mistake in some { mistake.write(&formula) }
        formula.weight = formula.weight?.cast(to: dtype)
        formula.bias = formula.bias?.cast(to: dtype)
        return formula(draw.x.cast(to: dtype))
      }
      let found = Explainer(
        layer: draw.layer, input: draw.x, output: draw.layer.output(for: draw.x),
        expected: made(chosen, .float32)
      ).explanation()
      // Fair shares by the definition, in Double.
      let right = made([], .float64)
      let gap = right - made(chosen, .float64)
      let whole = gap.abs().max().item() as Double
      let worth = (0..<(1 << chosen.count)).map { set -> Double in
        let kept = chosen.indices.filter { set & (1 << $0) == 0 }.map { chosen[$0] }
        return 1 - (right - made(kept, .float64)).abs().max().item() / max(whole, 1e-300)
      }
      let shares = shapleyValues(players: chosen.count, value: worth)
      // Mistakes that these numbers do not show, and shares that are about the same, settle
      // nothing.
      let size = right.abs().max().item()
      if !chosen.isEmpty, gap.abs().max().item() < 1e-5 * size { continue }
      // Below 0 and above 1 only where a repair leaves more than there was.
      for cause in found.causes where abs(cause.share - 0.5) > 0.5 + 1e-3 {
        #expect(found.causes.contains { $0.gapWhenFixed > whole }, "\(number): \(cause.share)")
      }
      let order = chosen.indices.sorted { abs(shares[$0]) > abs(shares[$1]) }
      if order.count > 1, abs(shares[order[0]]) < 1.5 * abs(shares[order[1]]) { continue }
      asked += 1
      let expected = order.first.map { chosen[$0].cause }
      let isRight =
        expected == nil
        ? found.agrees
        : found.causes.first?.name == expected
          || found.causes.first?.alternatives.contains { $0 == expected } == true
      if !isRight {
        wrong.append(
          "\(number): \(chosen.map(\.cause.rawValue)) of \(draw.layer.reach) \(draw.x.shape), "
            + "found \(found.causes.map { "\($0.name.rawValue) \($0.share)" })")
      }
    }
    #expect(asked > 30 && wrong.isEmpty, "\(asked) asked; \(wrong.joined(separator: "\n"))")
  }
}
