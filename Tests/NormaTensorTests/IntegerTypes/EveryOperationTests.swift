import NormaTensor
import Testing

/// Every operation that accepts `int32`, with every other integer type: the same numbers, or the
/// same error.
@Suite struct EveryOperationTests {
  typealias Call = @Sendable (Tensor) -> [Tensor]

  /// For a tensor `[2, 3, 4]` of integers from 0 to 4, together with its flat form `[24]` and
  /// matrices.
  static let shapes: [(String, Call)] = [
    ("reshaped", { [$0.reshaped(4, 6), $0.flattened(), $0.unflattened(1, into: [3, 1])] }),
    (
      "permuted",
      { [$0.permuted(2, 0, 1), $0.transposed(0, 2), $0[0].transposed(), $0.movedAxis(0, to: 2)] }
    ),
    ("squeezed", { [$0.unsqueezed(1), $0.unsqueezed(1).squeezed(1), $0.atLeast3D()] }),
    ("broadcast", { [$0.broadcast(to: [2, 2, 3, 4]), $0 .| 0] }),
    ("slices", { [$0[1], $0[..., 1], $0[0, 1...2], $0.sliced(over: 2, from: 0, to: 4, by: 2)] }),
    ("narrowed", { [$0.narrowed(over: 1, from: 1, count: 2), $0.selected(over: 0, at: 1)] }),
    ("split", { $0.split(into: 2) + $0.split(every: 2, over: 2) + $0.split([1, 2], over: 1) }),
    ("chunked", { $0.chunked(2) + $0.unbound(over: 1) + $0.vsplit(into: 2) }),
    ("joined", { [.concatenated([$0, $0], over: 1), .stacked([$0, $0]), .vstacked([$0, $0])] }),
    ("repeated", { [$0.repeated([2, 1, 1]), $0.tiled([2]), $0.repeatedInterleaved(2, over: 1)] }),
    ("flipped", { [$0.flipped(over: 0, 2), $0.flippedLeftRight(), $0.flippedUpDown()] }),
    ("rolled", { [$0.rolled(by: 1), $0.rolled(by: [1], over: [2]), $0.rotated90()] }),
    ("padded", { [$0.padded([1, 2]), $0.padded([1, 2, 0, 1])] }),
    ("padded modes", { [$0.padded([1, 1], mode: .replicate)] }),
    ("reflected", { [$0.padded([1, 1], mode: .reflect), $0.padded([1, 1], mode: .circular)] }),
    ("diagonal", { [$0.diagonal(), $0[0].diag(), $0[0, 0].diag(), $0[0].diagEmbedded()] }),
    ("triangles", { [$0.tril(), $0.triu(1), $0[0].trace()] }),
    (
      "replacing",
      { [$0[0].replacingDiagonal(with: Tensor(1)), $0.replacing(over: 0, at: 1, with: $0[0])] }
    ),
    (
      "unfolded",
      { [$0.unfolded(over: 2, size: 2, step: 1), ($0 .| 0).strided([2, 2], strides: [4, 1])] }
    ),
    (
      "channels",
      { [channelShuffle($0.unsqueezed(0), groups: 2), $0.unsqueezed(0).channelsLast()] }
    ),
    (
      "pixels",
      {
        [
          pixelShuffle($0.reshaped(1, 4, 2, 3), upscaleFactor: 2),
          pixelUnshuffle($0.reshaped(1, 1, 4, 6), downscaleFactor: 2),
        ]
      }
    ),
    ("rearranged", { [$0.rearranged("a b c -> (a b) c"), $0.reduced("a b c -> a c", by: .sum)] }),
    ("reduced", { [$0.reduced("a b c -> a c", by: .max), $0.reduced("a b c -> a", by: .min)] }),
    ("reduced mean", { [$0.reduced("a b c -> a c", by: .mean)] }),
    ("meshgrid", { Tensor.meshgrid([$0[0, 0], $0[1, 1]]) }),
    (
      "as arrays",
      { [Tensor($0.array(of: Double.self)), Tensor($0[0, 0, 0].item()), $0.detached()] }
    ),
    ("like", { [$0 * 0, .zeros($0.shape, dtype: $0.dtype), .full([2], 3, dtype: $0.dtype)] }),
    (
      "triangle indices",
      { [.trilIndices(3, 3, dtype: $0.dtype), .triuIndices(3, 3, dtype: $0.dtype)] }
    ),
  ]

  static let elements: [(String, Call)] = [
    ("arithmetic", { [$0 + $0, $0 - 1, 7 - $0, $0 * $0, $0 * 2, $0 / 2, 1 / ($0 + 1), -$0] }),
    ("real numbers", { [$0 + 0.5, $0 * 1.5, $0 / 2.5, pow($0, 0.5), maximum($0, Tensor(1.5))] }),
    ("powers", { [pow($0, 2), pow($0, $0), pow(2, $0), $0.squared(), $0.reciprocal()] }),
    ("float powers", { [floatPower($0, 2), floatPower($0, $0)] }),
    ("negative power", { [pow($0, -1)] }),
    ("divisions", { [.divide($0, 3, rounding: .floor), .divide($0, $0 + 1, rounding: .trunc)] }),
    ("rests", { [fmod($0, 3), .remainder($0, 3), .remainder(9, $0 + 1), fmod($0, $0 + 1)] }),
    ("division by zero", { [.divide($0, $0, rounding: .floor)] }),
    ("bits", { [$0 .& 3, $0 .| $0, $0 .^ 1, .!$0, $0 << 1, $0 >> $0, 1 << 3 + $0] }),
    ("divisors", { [gcd($0, $0 + 2), lcm($0, $0 + 2)] }),
    ("signs", { [$0.abs(), $0.sign(), $0.signBit(), $0.angle(), copysign($0, -1)] }),
    ("comparisons", { [$0 .== 2, $0 .!= $0, $0 .< 3, $0 .<= $0, 2 .> $0, $0 .>= 1.5] }),
    ("logic", { [$0.logicalNot(), logicalAnd($0, $0), logicalOr($0, $0), logicalXor($0, $0)] }),
    (
      "kinds",
      { [$0.isNaN(), $0.isFinite(), $0.isInfinite(), $0.isPositiveInfinity(), $0.nanToNum()] }
    ),
    ("rounding", { [$0.floor(), $0.ceil(), $0.rounded(), $0.trunc()] }),
    ("frac", { [$0.frac()] }),
    ("decimals", { [$0.rounded(decimals: 1)] }),
    ("chosen", { [.where($0 .> 2, $0, 1), maximum($0, $0.flipped(over: 0)), minimum($0, $0)] }),
    ("clamped", { [$0.clamped(min: 1, max: 3), $0.clamped(min: 1.5), $0.clamped(max: $0)] }),
    ("fmax", { [fmax($0, $0), fmin($0, $0), heaviside($0, $0)] }),
    ("hypot", { [hypot($0, $0)] }),
    ("roots", { [$0.sqrt(), $0.rsqrt()] }),
    (
      "exponents",
      { [$0.exp(), $0.exp2(), $0.expm1(), $0.log(), $0.log2(), $0.log10(), $0.log1p()] }
    ),
    ("angles", { [$0.sin(), $0.cos(), $0.tan(), $0.asin(), $0.acos(), $0.atan(), $0.sinc()] }),
    ("hyperbolas", { [$0.sinh(), $0.cosh(), $0.tanh(), $0.asinh(), $0.acosh(), $0.atanh()] }),
    (
      "special", { [$0.erf(), $0.erfc(), $0.erfinv(), $0.lgamma(), $0.digamma(), $0.polygamma(2)] }
    ),
    ("bessel", { [$0.i0(), $0.i0e(), $0.i1(), $0.i1e(), $0.logit(), $0.rad2deg(), $0.deg2rad()] }),
    ("atan2", { [atan2($0, $0)] }), ("xlogy", { [xlogy($0, $0)] }),
    ("logAddExp", { [logAddExp($0, $0)] }), ("nextafter", { [nextafter($0, $0)] }),
    ("lerp", { [lerp($0, $0, 0.5)] }),
    ("addcmul", { [addcmul($0, $0, $0), addcmul($0, $0, $0, value: 2)] }),
    ("addcdiv", { [addcdiv($0, $0, $0 + 1)] }),
    ("relu", { [$0.relu()] }), ("relu6", { [$0.relu6()] }), ("gelu", { [$0.gelu()] }),
    ("sigmoid", { [$0.sigmoid()] }), ("silu", { [$0.silu()] }), ("softplus", { [$0.softplus()] }),
    ("leakyRelu", { [$0.leakyRelu()] }), ("elu", { [$0.elu()] }), ("hardtanh", { [$0.hardtanh()] }),
    ("thresholded", { [$0.thresholded(at: 1, value: 0)] }), ("softsign", { [$0.softsign()] }),
    ("filled", { [$0.filled(where: $0 .> 2, with: 1)] }),
    ("isClose", { [$0.isClose(to: $0 + 1), Tensor([$0.allClose(to: $0), $0.isEqual(to: $0)])] }),
    ("casts", { x in DType.allCases.map { x.cast(to: $0).cast(to: .float64) } }),
  ]

  static let reductions: [(String, Call)] = [
    ("sums", { [$0.sum(), $0.sum(over: 1), $0.sum(over: 0, 2, keepDims: true), $0.nanSum()] }),
    ("products", { [$0.product(), $0.product(over: 1), ($0 + 1).product(over: 0, 1)] }),
    ("extremes", { [$0.max(), $0.min(over: 1), $0.minMax(over: 2).max, $0.max(over: 0, 1)] }),
    (
      "indices of extremes",
      { [$0.argmax(), $0.argmin(over: 1), $0.maxWithIndices(over: 2).indices] }
    ),
    (
      "truths",
      { [$0.any(), $0.all(over: 1), $0.countNonZero(), $0.nonzero()] + $0.nonzeroByAxis() }
    ),
    ("mean", { [$0.mean()] }), ("std", { [$0.std()] }), ("variance", { [$0.variance(over: 1)] }),
    ("nanMean", { [$0.nanMean()] }), ("norm", { [$0.norm()] }),
    ("quantile", { [$0.quantile(0.5)] }),
    ("moments", { [$0.skewness()] }), ("covariance", { [$0[0].covariance()] }),
    ("correlation", { [$0[0].correlation()] }), ("standardized", { [$0.standardized(over: 0)] }),
    ("median", { [$0.median(), $0.median(over: 1), $0.medianWithIndices(over: 1).indices] }),
    ("nanMedian", { [$0.nanMedian()] }),
    ("softmax", { [$0.softmax(over: 1), $0.logSoftmax(over: 1), $0.logSumExp(over: 1)] }),
    ("running", { [$0.cumulativeSum(over: 1), ($0 + 1).cumulativeProduct(over: 2)] }),
    (
      "running extremes", { [$0.cumulativeMax(over: 1).values, $0.cumulativeMin(over: 2).indices] }
    ),
    ("running exponents", { [$0.logCumulativeSumExp(over: 0)] }),
    ("difference", { [$0.difference(), $0.difference(2, over: 1)] }),
    ("summed", { [$0.summed(to: [3, 4]), $0.summed(to: [1, 3, 1])] }),
    ("renormalized", { [$0.renormalized(over: 0, maximum: 1)] }),
    ("matrixNorm", { [$0[0].matrixNorm()] }), ("cdist", { [$0[0].cdist($0[1])] }),
    (
      "order",
      { [$0.sorted().values, $0.argsorted(over: 0), $0.topK(2).values, $0.kthValue(2).values] }
    ),
    ("mode", { [$0.mode().values, $0.mode(over: 1).indices] }),
    ("unique", { x in [x.unique().values, x.unique().inverse, x.unique(over: 0).values] }),
    (
      "search",
      {
        [
          $0.flattened().sorted().values.searchSorted($0),
          $0.bucketized(by: Tensor([1, 3]).cast(to: $0.dtype)),
        ]
      }
    ),
    ("counts", { [$0.flattened().binCount(), $0.flattened().binCount(weights: $0.flattened())] }),
    ("histc", { [$0.histc(bins: 3)] }), ("histogram", { [$0.histogram(bins: 3).counts] }),
    (
      "matmul", { [$0.matmul($0.transposed()), $0[0].matmul($0[0, 0]), $0[0, 0].matmul($0[1, 1])] }
    ),
    (
      "dot", { [$0[0, 0].dot($0[1, 0]), $0.vecdot($0), $0[0, 0].outer($0[0, 1]), $0.inner($0[0])] }
    ),
    (
      "kron",
      {
        [
          $0[0].kron($0[1]), einsum("abc,dbc->ad", $0, $0),
          $0.tensordot($0, over: [1, 2], and: [1, 2]),
        ]
      }
    ),
    ("cross", { [$0.cross($0.flipped(over: 0), over: 1)] }),
    (
      "addmm",
      { [$0[0].addmm($0[0, 0..., 0..<3], $0[1]), $0[0, 0..., 0].addmv($0[0], $0[0, 0], beta: 2)] }
    ),
    (
      "powers of matrices",
      { [$0[0, 0..., 0..<3].matrixPower(2), Tensor.multiDot([$0[0], $0[0].transposed(), $0[1]])] }
    ),
    ("baddbmm", { [$0[0..., 0..., 0..<3].baddbmm($0, $0.transposed(), beta: 2, alpha: 2)] }),
    ("oneHot", { [$0.oneHot(), $0.oneHot(classes: 9)] }),
    ("maxPool", { [maxPool2d($0, kernelSize: 2)] }),
    ("avgPool", { [avgPool2d($0, kernelSize: 2)] }),
    ("conv", { [conv1d($0, weight: $0)] }),
    ("interpolate", { [Tensor.interpolate($0.unsqueezed(0), size: [6, 8])] }),
    ("cumulative of rows", { [$0.permuted(2, 1, 0).cumulativeSum(over: 1)] }),
  ]

  static let indices: [(String, Call)] = [
    (
      "gathered",
      { [$0.gathered($0.clamped(max: 1), over: 0), $0.takenAlong($0.clamped(max: 1), over: 0)] }
    ),
    ("taken", { [$0.taken($0), $0.indexSelected($0[0, 0].clamped(max: 2), over: 1)] }),
    (
      "scattered",
      {
        [
          $0.scattered($0.clamped(max: 1), $0, over: 0),
          $0.scattered($0.clamped(max: 2), 3, over: 1),
        ]
      }
    ),
    ("scattered sums", { [$0.scatteredAdding($0.clamped(max: 1), $0, over: 0)] }),
    (
      "scattered reductions",
      { x in
        ScatterReduction.allCases.flatMap { way in
          [true, false].map {
            x.scattered(x.clamped(max: 1), x, over: 0, reducing: way, includingSelf: $0)
          }
        }
      }
    ),
    (
      "indexed",
      {
        [$0.indexAdded(Tensor([0, 0]), $0, over: 0), $0.indexCopied(Tensor([1, 0]), $0, over: 0)]
      }
    ),
    (
      "index filled",
      {
        [
          $0.indexFilled(Tensor([1]), over: 0, with: 3),
          $0.indexFilled(Tensor([1]), over: 0, with: $0[0, 0, 0]),
        ]
      }
    ),
    ("masked", { [$0[$0 .> 2], $0.putting(Tensor([0, 1]), Tensor([3, 3]).cast(to: $0.dtype))] }),
    (
      "assigned",
      { x in
        var y = x
        y[0] = 3
        y[1, 1...] = x[0, 0...1]
        y[Tensor([0])] = Tensor(1)
        return [y, x.replacing(at: [0], with: Tensor(2), accumulating: true)]
      }
    ),
    (
      "split at", { $0.split(at: [1], over: 1) + [$0.repeatedInterleaved($0[0, 0..., 0], over: 1)] }
    ),
  ]

  @Test(arguments: DType.integers.filter { $0 != .int32 }) func likeInt32(dtype: DType) {
    let x = Tensor((0..<24).map { $0 * 7 % 5 }, shape: [2, 3, 4])
    let apart = Tensor((0..<48).map { $0 / 2 * 7 % 5 }, shape: [2, 3, 4, 2])[..., 0]
    func run(_ call: Call, _ x: Tensor) -> [Tensor]? {
      try? catchingTensorErrors {
        let results = call(x)
        for result in results { result.evaluated() }
        return results
      }
    }
    for (name, call) in Self.shapes + Self.elements + Self.reductions + Self.indices {
      for source in [x, apart] {
        let wanted = run(call, source.cast(to: .int32))
        let results = run(call, source.cast(to: dtype))
        #expect((wanted == nil) == (results == nil), "\(dtype) \(name): one is refused")
        for (result, expected) in zip(results ?? [], wanted ?? []) {
          let type =
            switch expected.dtype {
            case .int32: dtype
            // Sums of uint64 are uint64.
            case .int64 where dtype == .uint64 && result.dtype == .uint64: DType.uint64
            default: expected.dtype
            }
          #expect(result.dtype == type, "\(dtype) \(name)")
          #expect(result.shape == expected.shape, "\(dtype) \(name)")
          // Negative numbers are converted to the type.
          let same = expected.dtype == .int32 ? expected.cast(to: dtype) : expected
          #expect(
            result.contents == same.cast(to: type).contents
              || result.array(of: Double.self).description
                == same.array(of: Double.self).description,
            "\(dtype) \(name)")
        }
      }
    }
  }

  /// The errors of `int32`, so that a call that is wrong in these lists is noticed.
  @Test func isRefused() {
    let x = Tensor((0..<24).map { $0 * 7 % 5 }, shape: [2, 3, 4]).cast(to: .int32)
    let refused = (Self.shapes + Self.elements + Self.reductions + Self.indices).compactMap {
      name, call in
      (try? catchingTensorErrors { call(x).forEach { $0.evaluated() } }) == nil ? name : nil
    }
    let expected =
      "addcdiv, avgPool, cdist, conv, correlation, covariance, decimals, division by zero, "
      + "frac, histc, histogram, hypot, interpolate, lerp, logAddExp, matrixNorm, maxPool, "
      + "mean, moments, nanMean, negative power, nextafter, norm, quantile, reduced mean, "
      + "renormalized, running exponents, standardized, std, variance"
    #expect(refused.sorted().joined(separator: ", ") == expected)
  }
}
