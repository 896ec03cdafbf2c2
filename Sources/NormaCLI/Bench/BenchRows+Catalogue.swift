import Norma

// Every tensor operation at four sizes, from one where the call itself dominates to one larger than
// any cache. Benchmarks/catalogue_rows.py has the same under the same names.

extension BenchRow {
  /// `catalogue.NAME.SIZE`, for matrices.
  static func catalogue(_ sizes: BenchSizes) -> [BenchRow] {
    let shapes = sizes.catalogue
    return Catalogue.all.flatMap { entry in
      shapes.map { shape in
        let count = shape.reduce(1, *)
        return BenchRow(name: "catalogue.\(entry.name).\(count)", shape: shape) {
          let x = entry.source(shape)
          let run = entry.prepare(x)
          return BenchWork(source: x, byteCount: 2 * x.byteCount, run: run)
        }
      }
    }
  }
}

/// An operation of the catalogue.
struct Catalogue {
  let name: String
  /// Creates the operation's input.
  let source: ([Int]) -> Tensor
  /// Creates further inputs and returns the operation.
  let prepare: (Tensor) -> () -> Tensor?

  /// An operation on one tensor.
  private static func on(
    _ name: String, _ source: @escaping ([Int]) -> Tensor = { Tensor.randn($0) },
    _ operation: @escaping (Tensor) -> Tensor
  ) -> Catalogue {
    Catalogue(name: name, source: source) { x in { operation(x).evaluated() } }
  }

  /// An operation on a tensor and another one that is created once.
  private static func on(
    _ name: String, with other: @escaping (Tensor) -> Tensor,
    _ source: @escaping ([Int]) -> Tensor = { Tensor.randn($0) },
    _ operation: @escaping (Tensor, Tensor) -> Tensor
  ) -> Catalogue {
    Catalogue(name: name, source: source) { x in
      let y = other(x).evaluated()
      return { operation(x, y).evaluated() }
    }
  }

  private static func normal(_ x: Tensor) -> Tensor { Tensor.randn(x.shape) }
  /// In 0.1 ..< 0.9.
  private static func fractions(_ shape: [Int]) -> Tensor {
    (Tensor.rand(shape) * 0.8 + 0.1).evaluated()
  }
  private static func integers(_ shape: [Int]) -> Tensor {
    Tensor.randint(shape, low: 1, high: 100).evaluated()
  }
  /// Indices along the last axis, one for each element.
  private static func places(_ x: Tensor) -> Tensor {
    Tensor.randint(x.shape, low: 0, high: x.shape[1])
  }

  static var all: [Catalogue] { functions + pairs + reductions + orders + shapes + indexing }
}

extension Catalogue {
  fileprivate static var functions: [Catalogue] {
    [
      on("abs") { $0.abs() }, on("square") { $0.squared() }, on("exp") { $0.exp() },
      on("exp2") { $0.exp2() }, on("expm1") { $0.expm1() }, on("sigmoid") { $0.sigmoid() },
      on("tanh") { $0.tanh() }, on("sin") { $0.sin() }, on("cos") { $0.cos() },
      on("tan") { $0.tan() }, on("sinh") { $0.sinh() }, on("cosh") { $0.cosh() },
      on("asinh") { $0.asinh() }, on("atan") { $0.atan() }, on("erf") { $0.erf() },
      on("erfc") { $0.erfc() }, on("lgamma") { $0.lgamma() }, on("digamma") { $0.digamma() },
      on("floor") { $0.floor() }, on("ceil") { $0.ceil() }, on("trunc") { $0.trunc() },
      on("round") { $0.rounded() }, on("round.decimals") { $0.rounded(decimals: 2) },
      on("frac") { $0.frac() }, on("sign") { $0.sign() }, on("sinc") { $0.sinc() },
      on("nan_to_num") { $0.nanToNum() }, on("isnan") { $0.isNaN() },
      on("isfinite") { $0.isFinite() },
      on("sqrt", fractions) { $0.sqrt() }, on("rsqrt", fractions) { $0.rsqrt() },
      on("log", fractions) { $0.log() }, on("log2", fractions) { $0.log2() },
      on("log10", fractions) { $0.log10() }, on("log1p", fractions) { $0.log1p() },
      on("asin", fractions) { $0.asin() }, on("acos", fractions) { $0.acos() },
      on("atanh", fractions) { $0.atanh() }, on("erfinv", fractions) { $0.erfinv() },
      on("logit", fractions) { $0.logit() },
      on("cast.int64") { $0.cast(to: .int64) }, on("cast.float64") { $0.cast(to: .float64) },
      on("cast.bfloat16") { $0.cast(to: .bfloat16) },
    ]
  }

  fileprivate static var pairs: [Catalogue] {
    [
      on("add", with: normal) { $0 + $1 },
      on("add.row", with: { Tensor.randn([$0.shape[1]]) }) { $0 + $1 },
      on("add.column", with: { Tensor.randn([$0.shape[0], 1]) }) { $0 + $1 },
      on("div", with: normal) { $0 / $1 },
      on("maximum", with: normal) { maximum($0, $1) }, on("fmax", with: normal) { fmax($0, $1) },
      on("atan2", with: normal) { atan2($0, $1) }, on("hypot", with: normal) { hypot($0, $1) },
      on("copysign", with: normal) { copysign($0, $1) },
      on("fmod", with: normal) { fmod($0, $1) },
      on("remainder", with: normal) { Tensor.remainder($0, $1) },
      on("floor_divide", with: normal) { Tensor.divide($0, $1, rounding: .floor) },
      on("logaddexp", with: normal) { logAddExp($0, $1) },
      on("nextafter", with: normal) { nextafter($0, $1) },
      on("heaviside", with: normal) { heaviside($0, $1) },
      on("lerp", with: normal) { lerp($0, $1, 0.3) },
      on("less", with: normal) { $0 .< $1 }, on("isclose", with: normal) { $0.isClose(to: $1) },
      on("logical_and", with: normal) { logicalAnd($0, $1) },
      on("pow", with: { fractions($0.shape) }, fractions) { pow($0, $1) },
      on("pow.scalar", fractions) { pow($0, 2.5) },
      on("xlogy", with: { fractions($0.shape) }) { xlogy($0, $1) },
      on("floor_divide.int64", with: { integers($0.shape) }, integers) {
        Tensor.divide($0, $1, rounding: .floor)
      },
      on("bitwise_and.int64", with: { integers($0.shape) }, integers) { $0 .& $1 },
    ]
  }

  fileprivate static var reductions: [Catalogue] {
    [
      on("sum") { $0.sum() }, on("sum.rows") { $0.sum(over: 1) },
      on("sum.columns") { $0.sum(over: 0) }, on("mean.rows") { $0.mean(over: 1) },
      on("max") { $0.max() }, on("max.rows") { $0.max(over: 1) },
      on("argmax.rows") { $0.argmax(over: 1) }, on("argmax.columns") { $0.argmax(over: 0) },
      on("max_with_indices.rows") { $0.maxWithIndices(over: 1).indices },
      on("prod", fractions) { $0.product() }, on("prod.rows", fractions) { $0.product(over: 1) },
      on("any.rows") { ($0 .> 9).any(over: 1) }, on("count_nonzero") { $0.countNonZero() },
      on("logsumexp.rows") { $0.logSumExp(over: 1) }, on("norm") { $0.norm() },
      on("norm.3.rows") { $0.norm(3, over: 1) }, on("nansum.rows") { $0.nanSum(over: 1) },
      on("nanmean.rows") { $0.nanMean(over: 1) }, on("std.rows") { $0.std(over: 1) },
      on("cumsum.rows") { $0.cumulativeSum(over: 1) },
      on("cumsum.columns") { $0.cumulativeSum(over: 0) },
      on("cumprod.rows") { $0.cumulativeProduct(over: 1) },
      on("cummax.rows") { $0.cumulativeMax(over: 1).values },
      on("logcumsumexp.rows") { $0.logCumulativeSumExp(over: 1) },
      on("diff.rows") { $0.difference() },
    ]
  }

  fileprivate static var orders: [Catalogue] {
    [
      on("sort.rows") { $0.sorted(over: 1).values },
      on("sort.flat") { $0.flattened().sorted().values },
      on("argsort.rows") { $0.argsorted(over: 1) },
      on("topk.rows") { $0.topK(Swift.min(10, $0.shape[1]), over: 1).values },
      on("kthvalue.rows") { $0.kthValue($0.shape[1] / 2, over: 1).values },
      on("median.rows") { $0.medianWithIndices(over: 1).values },
      on("quantile.rows") { $0.quantile(0.3, over: 1) },
      on("unique", integers) { $0.unique().values },
      on("unique.float") { $0.unique().values },
      on("searchsorted", with: { _ in Tensor.linspace(-3, 3, count: 1000) }) {
        $1.searchSorted($0)
      },
      on("bincount", integers) { $0.flattened().binCount() },
      on("histc") { $0.histc(bins: 100, min: -4, max: 4) },
    ]
  }

  fileprivate static var shapes: [Catalogue] {
    [
      on("transpose.copy") { ($0.transposed() + 0).evaluated().reshaped($0.count) },
      on("concatenate", with: normal) { Tensor.concatenated([$0, $1], over: 1) },
      on("stack", with: normal) { Tensor.stacked([$0, $1]) },
      on("flip") { $0.flipped(over: 1) }, on("roll") { $0.rolled(by: [3], over: [1]) },
      on("tile") { $0.tiled([1, 2]) },
      on("repeat_interleave") { $0.repeatedInterleaved(2, over: 1) },
      on("tril") { $0.tril() }, on("pad") { $0.padded([1, 1]) },
      on("arange") { Tensor.arange($0.count) },
      on("linspace") { Tensor.linspace(0, 1, count: $0.count) },
    ]
  }

  fileprivate static var indexing: [Catalogue] {
    [
      on("gather.rows", with: places) { $0.gathered($1, over: 1) },
      on("scatter.rows", with: places) { $0.scattered($1, $0, over: 1) },
      on("scatter_add.rows", with: places) { $0.scatteredAdding($1, $0, over: 1) },
      on("scatter_reduce.amax", with: places) { $0.scattered($1, $0, over: 1, reducing: .max) },
      on("index_select.rows", with: { Tensor.randint([$0.shape[0]], low: 0, high: $0.shape[0]) }) {
        $0.indexSelected($1, over: 0)
      },
      on("index_select.columns", with: { Tensor.randint([$0.shape[1]], low: 0, high: $0.shape[1]) })
      {
        $0.indexSelected($1, over: 1)
      },
      on("index_add.rows", with: { Tensor.randint([$0.shape[0]], low: 0, high: $0.shape[0]) }) {
        $0.indexAdded($1, $0, over: 0)
      },
      on("take", with: { Tensor.randint($0.shape, low: 0, high: $0.count) }) { $0.taken($1) },
      on("masked_select", with: { $0 .> 0 }) { $0.selected(where: $1) },
      on("masked_fill", with: { $0 .> 0 }) { $0.filled(where: $1, with: 1) },
      on("nonzero", with: { $0 .> 0 }) { $1.nonzero() },
      on("where", with: { $0 .> 0 }) { Tensor.where($1, $0, 0) },
      on("outer", with: { Tensor.randn([$0.shape[1]]) }) { $0[0..., 0].outer($1) },
      on("dot", with: normal) { $0.flattened().dot($1.flattened()) },
      on("matvec", with: { Tensor.randn([$0.shape[1]]) }) { $0.matmul($1) },
      on("softmax.rows") { $0.softmax(over: 1) },
      on("standardize.rows") {
        ($0 - $0.mean(over: 1, keepDims: true)) / ($0.std(over: 1, keepDims: true) + 1e-5)
      },
      on("einsum.rows", with: normal) { einsum("ij,ij->i", $0, $1) },
    ]
  }
}
