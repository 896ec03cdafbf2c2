import NormaReference
import NormaTensor
import Testing

/// Expressions that must be equal, on random shapes and layouts; the seed is printed.
@Suite struct MetamorphicTests {
  /// A matrix of random size, unchanged, transposed, with steps or in part.
  private static func matrix(_ random: inout TestRandom, _ dtype: DType = .float64) -> Tensor {
    let (rows, columns) = (
      Int.random(in: 1...40, using: &random), Int.random(in: 1...40, using: &random)
    )
    let kind = Int.random(in: 0..<4, using: &random)
    func values(_ shape: [Int]) -> Tensor {
      Tensor(random.doubles(shape.reduce(1, *))).reshaped(shape).cast(to: dtype)
    }
    switch kind {
    case 0: return values([rows, columns])
    case 1: return values([columns, rows]).transposed()
    case 2: return values([rows, 2 * columns])[0..., AxisSlice(by: 2)]
    default: return values([rows + 1, columns + 2])[1..., 2...]
    }
  }

  private static func expect(
    _ a: Tensor, _ b: Tensor, rtol: Double = 1e-12, _ what: Comment,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(a.shape == b.shape, what, sourceLocation: location)
    #expect(
      a.allClose(to: b, rtol: rtol, atol: rtol, equalNaN: true), what, sourceLocation: location)
  }

  @Test func reductionsOfPermutedAxes() {
    var random = TestRandom()
    for round in 0..<20 {
      let x = Self.matrix(&random)
      let y = x.transposed()
      let what: Comment = "round \(round), shape \(x.shape), strides \(x.strides)"
      Self.expect(x.sum(over: 0), y.sum(over: 1), what)
      Self.expect(x.product(over: 1), y.product(over: 0), what)
      Self.expect(x.variance(over: 0), y.variance(over: 1), what)
      Self.expect(x.norm(3, over: 1), y.norm(3, over: 0), what)
      Self.expect(x.max(over: 0), x.maxWithIndices(over: 0).values, what)
      Self.expect(x.median(over: 1), y.median(over: 0), what)
      Self.expect(x.quantile(0.3, over: 0), y.quantile(0.3, over: 1), what)
      Self.expect(x.logSumExp(over: 1), x.logCumulativeSumExp(over: 1)[0..., -1], what)
      Self.expect((x .> 0).any(over: 0), y.max(over: 1) .> 0, what)
      Self.expect(x.standardized(over: 0), y.standardized(over: 1).transposed(), what)
      Self.expect(
        x.covariance(),
        einsum("ik,jk->ij", x, x - x.mean(over: 1, keepDims: true))
          .reshaped(x.covariance().shape) / Double(x.shape[1] - 1), rtol: 1e-9, what)
    }
  }

  @Test func scansAndOrders() {
    var random = TestRandom()
    for round in 0..<20 {
      let x = Self.matrix(&random)
      let what: Comment = "round \(round), shape \(x.shape), strides \(x.strides)"
      let sums = x.cumulativeSum(over: 1)
      Self.expect(
        sums.difference(prepending: Tensor.zeros([x.shape[0], 1], dtype: .float64)), x, rtol: 1e-10,
        what)
      Self.expect(
        x.flipped(over: 1).cumulativeMax(over: 1).values[0..., -1], x.max(over: 1), what)
      let (values, indices) = x.sorted(over: 1)
      Self.expect(x.gathered(indices, over: 1), values, rtol: 0, what)
      Self.expect(values, -(-x).sorted(over: 1, descending: true).values, rtol: 0, what)
      Self.expect(values[0..., 0], x.min(over: 1), rtol: 0, what)
      Self.expect(
        x.topK(x.shape[1], over: 1).values, values.flipped(over: 1), rtol: 0, what)
      Self.expect(
        x.kthValue(x.shape[1], over: 1).values, x.max(over: 1), rtol: 0, what)
      let whole = (x * 3).rounded()
      let unique = whole.unique()
      Self.expect(unique.values.taken(unique.inverse), whole, rtol: 0, what)
      #expect(unique.counts.sum().item() == Double(x.count), what)
      Self.expect(
        whole.histc(bins: 5, min: -9, max: 9).sum(), Tensor(Double(x.count)), rtol: 0, what)
      let row = values[0]
      let found = row.searchSorted(x)
      Self.expect(
        found, (x.unsqueezed(-1) .> row).cast(to: .int64).sum(over: -1), rtol: 0, what)
    }
  }

  @Test func indicesAndProducts() {
    var random = TestRandom()
    for round in 0..<20 {
      let x = Self.matrix(&random)
      let (rows, columns) = (x.shape[0], x.shape[1])
      let what: Comment = "round \(round), shape \(x.shape), strides \(x.strides)"
      let indices = Tensor(
        (0..<rows).map { _ in Int64.random(in: 0..<Int64(rows), using: &random) })
      let ones = indices.oneHot(classes: rows).cast(to: .float64)
      Self.expect(x.indexSelected(indices, over: 0), ones.matmul(x), what)
      Self.expect(x[indices], ones.matmul(x), what)
      let zeros = Tensor.zeros(x.shape, dtype: .float64)
      Self.expect(zeros.indexAdded(indices, x, over: 0), ones.transposed().matmul(x), what)
      let mask = x .> 0.2
      Self.expect(x[mask].sum(), Tensor.where(mask, x, 0).sum(), what)
      #expect(mask.nonzero().shape == [Int(mask.countNonZero().item()), 2], what)
      var changed = x
      changed[mask] = 0
      Self.expect(changed, x.filled(where: mask, with: 0.0), rtol: 0, what)
      Self.expect(zeros.scattered(where: mask, x[mask]) + changed, x, rtol: 0, what)
      Self.expect(x.rolled(by: [3], over: [1]).rolled(by: [-3], over: [1]), x, rtol: 0, what)
      Self.expect(x.rotated90().rotated90(3), x, rtol: 0, what)
      Self.expect(x.tril() + x.triu() - x.tril().triu(), x, rtol: 0, what)
      Self.expect(einsum("ij,kj->ik", x, x), x.matmul(x.transposed()), what)
      Self.expect(einsum("ij->j", x), x.sum(over: 0), what)
      Self.expect(x.tensordot(x, axes: 2), (x * x).sum(), what)
      Self.expect(x[0].outer(x[0..., 0]), x[0].unsqueezed(1) * x[0..., 0], rtol: 0, what)
      Self.expect(
        x.rearranged("a b -> b a").rearranged("b a -> (a b)"), x.flattened(), rtol: 0, what)
      Self.expect(x.reduced("a b -> b", by: .mean), x.mean(over: 0), rtol: 0, what)
      Self.expect(x.repeated("a b -> a c b", ["c": 2]).sum(over: 1), x * 2, rtol: 0, what)
      Self.expect(x.tiled([2, 1]).narrowed(over: 0, from: rows, count: rows), x, rtol: 0, what)
      Self.expect(
        x.repeatedInterleaved(2, over: 1)[0..., AxisSlice(by: 2)].narrowed(
          over: 1, from: 0, count: columns),
        x, rtol: 0, what)
    }
  }

  @Test func functions() {
    var random = TestRandom()
    for round in 0..<20 {
      let x = Self.matrix(&random)
      let y = Self.matrix(&random)[0, 0]
      let what: Comment = "round \(round), shape \(x.shape), strides \(x.strides)"
      Self.expect(atan2(x.sin(), x.cos()), x, what)
      Self.expect(x.sinh().asinh(), x, what)
      Self.expect(x.tanh().atanh(), x, rtol: 1e-10, what)
      Self.expect(x.erf() + x.erfc(), Tensor.ones(x.shape, dtype: .float64), what)
      Self.expect(x.trunc() + x.frac(), x, rtol: 0, what)
      Self.expect(x.abs() * x.sign(), x, rtol: 0, what)
      Self.expect(copysign(x.abs(), x), x, rtol: 0, what)
      Self.expect(
        Tensor.divide(x, y, rounding: .floor) * y + Tensor.remainder(x, y), x, rtol: 1e-9, what)
      Self.expect(Tensor.divide(x, y, rounding: .trunc) * y + fmod(x, y), x, rtol: 1e-9, what)
      Self.expect(hypot(x, y), (x * x + y * y).sqrt(), what)
      Self.expect(logAddExp(x, y), (x.exp() + y.exp()).log(), what)
      Self.expect(x.exp2(), pow(2.0, x), what)
      Self.expect((x.abs() + 1).lgamma() + (x.abs() + 1).log(), (x.abs() + 2).lgamma(), what)
      Self.expect((x.abs() + 1).digamma() + 1 / (x.abs() + 1), (x.abs() + 2).digamma(), what)
      Self.expect(lerp(x, y, 0.25), x * 0.75 + y * 0.25, what)
      Self.expect(fmax(x, y) + fmin(x, y), x + y, what)
      Self.expect(x.sigmoid().logit(), x, rtol: 1e-9, what)
      Self.expect((x / 4).erf().erfinv() * 4, x, rtol: 1e-9, what)
    }
  }
}
