import NormaTensor
import Testing

/// The rules of shapes, gathering and scattering against central differences, including second
/// derivatives.
@Suite(.serialized) struct IndexGradientTests {
  typealias Function = @Sendable (Tensor) -> Tensor

  private static let rows = Tensor([2, 0, 2])
  private static let indices = Tensor([[1, 0, 0, 2], [2, 2, 1, 0]])
  private static let mask = Tensor([
    [true, false, true, true], [false, false, true, false], [true, true, false, false],
  ])

  /// The largest axis of all has 4 elements and all values are well separated, so that no extreme
  /// changes.
  static let shapes: [(String, [Int], Function)] = [
    ("flipped", [3, 4], { $0.flipped(over: 1).exp() * $0 }),
    ("rotated", [3, 3], { $0.rotated90().exp() * $0.rotated90(-1) }),
    ("rolled", [3, 4], { $0.rolled(by: [1, -2], over: [0, 1]).exp() * $0 }),
    ("diagonal", [3, 4, 2], { $0.diagonal(offset: 1).exp() }),
    ("embedded", [2, 3], { $0.diagEmbedded(offset: -1, axes: (0, -1)).exp() }),
    (
      "replaced diagonal", [3, 4],
      { $0.sin().replacingDiagonal(with: $0[0..., 0].exp(), offset: 0) }
    ),
    ("trace", [3, 4], { $0.exp().trace() }), ("tril", [2, 3, 3], { $0.tril(1).exp() * $0 }),
    ("triu", [3, 4], { $0.exp().triu(-1) }),
    ("moved", [2, 3, 2], { $0.movedAxis(0, to: 2).exp() }),
    ("repeated", [2, 3], { $0.repeated([2, 1, 2]).exp() }),
    ("tiled", [3], { $0.tiled([2, 2]).exp() }),
    ("interleaved", [2, 3], { $0.repeatedInterleaved(2, over: 1).exp() }),
    (
      "interleaved by counts", [3, 2], { $0.repeatedInterleaved(Tensor([2, 0, 3]), over: 0).exp() }
    ),
    ("unfolded", [2, 7], { $0.unfolded(over: 1, size: 3, step: 2).exp() }),
    ("strided", [3, 4], { $0.transposed().strided([3, 2], strides: [2, 3], offset: 1).exp() }),
    (
      "replaced part", [3, 4],
      { $0.sin().replacing(over: 1, from: 1, by: 2, with: $0[0, 0..<2].exp()) }
    ),
    (
      "replaced element", [3, 4], { $0.sin().replacing(over: -1, at: -1, with: $0[0..., 0].exp()) }
    ),
    ("grid", [3], { x in Tensor.meshgrid([x, x.exp()]).reduce(Tensor(1.0)) { $0 * $1 } }),
    ("split", [7, 2], { x in x.split(into: 3).map { $0.exp().sum() }.reduce(Tensor(1.0), *) }),
    (
      "stacked", [3],
      { .columnStacked([$0.exp(), $0]) * Tensor.dstacked([$0, $0.sin()])[0, 0..., 0..<1] }
    ),
    ("pixels", [1, 4, 2, 1], { pixelShuffle($0, upscaleFactor: 2).exp() }),
    ("unpixels", [1, 2, 4], { pixelUnshuffle($0, downscaleFactor: 2).exp() }),
    ("channels", [1, 4, 2], { channelShuffle($0, groups: 2).exp() * $0 }),
  ]

  static let picking: [(String, [Int], Function)] = [
    ("rows", [3, 4], { $0[rows].exp() }), ("pairs", [3, 4], { $0[rows, [0, 3, 1]].exp() }),
    ("apart", [2, 3, 3], { $0[[0, 1, 0], 0..., rows].exp() }),
    ("mask", [3, 4], { $0[mask].exp() }),
    ("columns", [3, 4], { $0[0..., [true, false, true, false]].exp() }),
    ("put", [3, 4], { $0.sin().replacing(at: [rows], with: $0[0].exp()) }),
    ("put adding", [3, 4], { $0.sin().replacing(at: [rows], with: $0.exp(), accumulating: true) }),
    (
      "put inside", [2, 3, 3],
      { $0.sin().replacing(at: [1, AxisSlice(), rows], with: $0[0].exp()) }
    ),
    ("slice adding", [3, 4], { $0.replacing(at: [1], with: $0[0].exp(), accumulating: true) }),
    (
      "assigned", [3, 4],
      { x in
        var y = x.sin()
        y[1] = x[0].exp()
        y[mask] = 2
        y[..., 0] = y[..., 1] * x[..., 2]
        return y * y
      }
    ),
    ("index selected", [2, 3, 2], { $0.indexSelected(rows, over: 1).exp() }),
    ("index added", [3, 4], { $0.sin().indexAdded(rows, $0.exp(), over: 0, scale: -2) }),
    ("index copied", [3, 4], { $0.sin().indexCopied(Tensor([2, 1]), $0[0..<2].exp(), over: 0) }),
    (
      "index filled", [3, 4],
      { $0.sin().indexFilled(Tensor([0, -1]), over: 1, with: $0[0, 0].exp()) }
    ),
    ("gathered", [3, 4], { $0.gathered(indices, over: 0).exp() }),
    ("gathered part", [3, 4], { $0.gathered(indices[0..., 0..<2], over: 1).exp() }),
    ("taken along", [3, 4], { $0.takenAlong(Tensor([[0, -1]]), over: 1).exp() }),
    ("taken", [3, 4], { $0.taken(Tensor([[0, -1], [3, 3]])).exp() }),
    ("putting", [3, 4], { $0.sin().putting(Tensor([0, -1]), $0[0, 0..<2].exp()) }),
    ("scattered", [3, 4], { $0.sin().scattered(indices[0..<1], $0[0..<1].exp(), over: 0) }),
    ("selected", [3, 4], { $0.selected(where: mask).exp() }),
    ("masked", [3, 4], { $0.sin().scattered(where: mask, $0.exp()) }),
    ("filled", [3, 4], { $0.sin().filled(where: mask, with: $0[1, 1].exp()) }),
  ]

  @Test(arguments: shapes.indices) func shapeRule(_ index: Int) throws {
    let (name, shape, function) = Self.shapes[index]
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: { function($0[0]) }, at: GradientRuleTests.inputs(shape), order: 2)
    }
  }

  @Test(arguments: picking.indices) func pickingRule(_ index: Int) throws {
    let (name, shape, function) = Self.picking[index]
    #expect(throws: Never.self, "\(name)") {
      try checkGradient(of: { function($0[0]) }, at: GradientRuleTests.inputs(shape), order: 2)
    }
  }

  @Test(arguments: ScatterReduction.allCases) func reductionRule(_ reduction: ScatterReduction)
    throws
  {
    for includes in [true, false] {
      for indices in [Self.indices, Self.indices[0..., 0..<3]] {
        let inputs = GradientRuleTests.inputs([3, 4], indices.shape)
        #expect(throws: Never.self, "\(includes)") {
          try checkGradient(
            of: {
              $0[0].sin().scattered(
                indices, $0[1].exp(), over: 0, reducing: reduction, includingSelf: includes)
            }, at: inputs, order: 2)
        }
      }
    }
  }

  /// Zeros among the factors, and equal extremes, which share the gradient.
  @Test func gradientsAtZerosAndTies() {
    let x = Tensor([2.0, 3, 5]).requiringGradient()
    let y = Tensor([0.0, 4, 0, 0]).requiringGradient()
    let product = x.scattered(Tensor([0, 0, 1, 1]), y, over: 0, reducing: .product)
    product.backward(upstream: Tensor([1.0, 10, 100]))
    #expect(x.grad?.array(of: Double.self) == [0, 0, 100])
    #expect(y.grad?.array(of: Double.self) == [8, 0, 0, 0])
    let a = Tensor([2.0, 1]).requiringGradient()
    let b = Tensor([2.0, 0, 7, 7]).requiringGradient()
    a.scattered(Tensor([0, 0, 1, 1]), b, over: 0, reducing: .max)
      .backward(upstream: Tensor([1.0, 10]))
    #expect(a.grad?.array(of: Double.self) == [0.5, 0])
    #expect(b.grad?.array(of: Double.self) == [0.5, 0, 5, 5])
  }
}
