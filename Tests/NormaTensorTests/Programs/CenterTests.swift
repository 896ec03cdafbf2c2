import Testing

@testable import NormaTensor

/// Centered sums read one number per result, or one per column.
@Suite(.seeded) struct CenterTests {
  /// The sums of (x - mean) g over `axes`, and whether the mean was read as a single number.
  private func sums(
    _ x: Tensor, _ g: Tensor, _ mean: Tensor, over axes: [Int]
  ) throws -> (values: [Double], isSingle: Bool) {
    let group = ReductionGroup(
      source: x, companion: g,
      center: Tensor(node: mean.node, layout: mean.layout.broadcast(to: x.shape)), axes: axes)
    let sum = group.tensor(.centeredSum), plain = group.tensor(.companionSum)
    let wanted = group.pendingNodes().map(\.0)
    let results = try #require(ReductionGroup.Results(group, wanted))
    let (evaluation, values) = group.evaluation(for: wanted)
    let compiled = try #require(group.compile(evaluation.program, values, results))
    let center = try #require(values.center)
    let form = compiled.plan.form
    let input = (0..<Int(form.input_count)).first { form.inputs[$0].value == Int32(center) }
    let operand = form.inputs[try #require(input)]
    _ = plain.array(of: Double.self)
    return (sum.array(of: Double.self), operand.single == 1)
  }

  @Test(arguments: [
    ([4, 6, 20, 30], [0, 2, 3], true), ([40, 700], [1], true), ([3, 1500], [0, 1], true),
    ([700, 40], [0], false), ([5, 3, 7, 32], [0, 1, 2], false),
  ])
  func oneNumberPerResult(_ shape: [Int], _ axes: [Int], _ isSingle: Bool) throws {
    let x = Tensor.randn(shape), g = Tensor.randn(shape)
    let mean = x.mean(over: axes, keepDims: true).cast(to: .float64).evaluated()
    let (values, single) = try sums(x, g, mean, over: axes)
    #expect(single == isSingle)
    let wide = (x.cast(to: .float64) - mean) * g.cast(to: .float64)
    let expected = wide.sum(over: axes).array(of: Double.self)
    let size = wide.abs().sum(over: axes).array(of: Double.self)
    for (index, value) in values.enumerated() {
      #expect(abs(value - expected[index]) <= 1e-14 * size[index])
    }
  }
}
