import Foundation
import NormaReference
import NormaTensor
import Testing

#if arch(x86_64) && !os(Windows)
  /// The type in which derivatives are known: wider than `float64` where there is one.
  typealias Wide = Float80
#else
  typealias Wide = Double
#endif

/// Gradients of elementwise functions over the whole range of each type: within 2 ulp at the scale
/// of the true derivative, which is its own magnitude, or that of the terms it is the difference
/// of; if a power of e is subnormal in the type, twice the factor that it is multiplied by.
@Suite struct SlopeTests {
  /// A function, its derivative in `Double`, and the magnitude of the derivative's terms.
  struct Function: Sendable, CustomTestStringConvertible {
    let name: String
    let of: @Sendable (Tensor) -> Tensor
    let slope: @Sendable (Wide) -> Wide
    let scale: @Sendable (Wide) -> Wide
    /// The factor of a power of e, whose digits are lost if the power is subnormal.
    let factor: @Sendable (Wide) -> Wide

    init(
      _ name: String, _ of: @escaping @Sendable (Tensor) -> Tensor,
      _ slope: @escaping @Sendable (Wide) -> Wide,
      scale: @escaping @Sendable (Wide) -> Wide = { _ in 0 },
      factor: @escaping @Sendable (Wide) -> Wide = { _ in 2 }
    ) {
      (self.name, self.of, self.slope) = (name, of, slope)
      (self.scale, self.factor) = (scale, factor)
    }

    var testDescription: String { name }
  }

  static func share(_ x: Wide) -> Wide {
    let e = exp(-abs(x))
    return x < 0 ? e / (1 + e) : 1 / (1 + e)
  }

  static let functions: [Function] = [
    Function("sqrt", { $0.sqrt() }, { 0.5 / $0.squareRoot() }),
    Function("rsqrt", { $0.rsqrt() }, { -0.5 / ($0 * $0.squareRoot()) }),
    Function("reciprocal", { $0.reciprocal() }, { -1 / $0 / $0 }),
    Function("squared", { $0.squared() }, { 2 * $0 }),
    Function("exp", { $0.exp() }, { exp($0) }), Function("expm1", { $0.expm1() }, { exp($0) }),
    Function("exp2", { $0.exp2() }, { exp2($0) * 0.693147180559945309417 }),
    Function("log", { $0.log() }, { 1 / $0 }),
    Function("log1p", { $0.log1p() }, { 1 / (1 + $0) }),
    Function("log2", { $0.log2() }, { 1 / ($0 * 0.693147180559945309417) }),
    Function("log10", { $0.log10() }, { 1 / ($0 * 2.302585092994045684018) }),
    Function("sin", { $0.sin() }, { cos($0) }), Function("cos", { $0.cos() }, { -sin($0) }),
    Function("sinh", { $0.sinh() }, { cosh($0) }), Function("cosh", { $0.cosh() }, { sinh($0) }),
    Function("asin", { $0.asin() }, { 1 / ((1 - $0) * (1 + $0)).squareRoot() }),
    Function("acos", { $0.acos() }, { -1 / ((1 - $0) * (1 + $0)).squareRoot() }),
    Function("atan", { $0.atan() }, { 1 / (1 + $0 * $0) }),
    Function("asinh", { $0.asinh() }, { 1 / hypot(1, $0) }),
    Function("acosh", { $0.acosh() }, { 1 / (($0 - 1).squareRoot() * ($0 + 1).squareRoot()) }),
    Function("atanh", { $0.atanh() }, { 1 / ((1 - $0) * (1 + $0)) }),
    Function("tanh", { $0.tanh() }, { 1 / cosh($0) / cosh($0) }),
    Function("sigmoid", { $0.sigmoid() }, { share($0) * share(-$0) }),
    Function("erf", { $0.erf() }, { 2 / Wide.pi.squareRoot() * exp(-$0 * $0) }),
    Function("erfc", { $0.erfc() }, { -2 / Wide.pi.squareRoot() * exp(-$0 * $0) }),
    Function("softplus", { $0.softplus(threshold: 200) }, { $0 > 200 ? 1 : share($0) }),
    Function("logSigmoid", { $0.logSigmoid() }, { share(-$0) }),
    Function("softsign", { $0.softsign() }, { 1 / (1 + abs($0)) / (1 + abs($0)) }),
    Function("tanhshrink", { $0.tanhshrink() }, { tanh($0) * tanh($0) }),
    Function("elu", { $0.elu(alpha: 1.5) }, { $0 > 0 ? 1 : 1.5 * exp($0) }),
    Function("celu", { $0.celu(alpha: 1.3) }, { $0 > 0 ? 1 : exp($0 / Wide(1.3 as Double)) }),
    Function(
      "selu", { $0.selu() },
      {
        1.0507009873554804934193349852946
          * ($0 > 0 ? 1 : 1.6732632423543772848170429916717 * exp($0))
      }),
    Function(
      "silu", { $0.silu() }, { share($0) * (1 + $0 * share(-$0)) },
      scale: { share($0) * (1 + abs($0) * share(-$0)) }, factor: { max(abs($0), 2) }),
    Function(
      "mish", { $0.mish() },
      { x in
        let t = tanh(max(x, 0) + log1p(exp(-abs(x))))
        return t + x * (1 - t * t) * share(x)
      },
      scale: { x in
        let t = tanh(max(x, 0) + log1p(exp(-abs(x))))
        return t + abs(x) * (1 - t * t) * share(x)
      }, factor: { max(abs($0), 2) }),
    Function(
      "gelu", { $0.gelu() },
      { x in
        // Beyond this, erfc of a rounded argument is not the true value, while 0 or 1 is.
        let share = x > 40 ? 1 : x < -40 ? 0 : 0.5 * erfc(-x * (0.5 as Wide).squareRoot())
        return share + (abs(x) > 40 ? 0 : x * exp(-x * x / 2)) / (2 * Wide.pi).squareRoot()
      },
      scale: { x in
        abs(x) > 40 ? 0 : abs(x) * exp(-x * x / 2) / (2 * Wide.pi).squareRoot()
      }, factor: { max(abs($0), 2) }),
    Function(
      "hardswish", { $0.hardswish() }, { $0 <= -3 ? 0 : $0 >= 3 ? 1 : $0 / 3 + 0.5 },
      scale: { _ in 1 }),
    Function("logit", { $0.logit() }, { $0 < 0 || $0 > 1 ? .nan : 1 / ($0 * (1 - $0)) }),
    Function("leakyRelu", { $0.leakyRelu(slope: 0.3) }, { $0 > 0 ? 1 : 0.3 }),
  ]

  /// Finite numbers of every magnitude, both signs, and many common ones.
  static func values(_ dtype: DType) -> [Double] {
    var random = TestRandom(seed: 5)
    switch dtype {
    case .float16, .bfloat16:
      let patterns = (0..<9362).map { UInt16(truncatingIfNeeded: $0 * 7) }
      let wide = patterns.map {
        dtype == .float16
          ? Double(Float16(bitPattern: $0)) : Double(Float(BFloat16(bitPattern: $0)))
      }
      return wide.filter { $0.isFinite } + [dtype == .float16 ? 65504 : 0x1.fep127, 1, -1, 0.5]
    case .float64:
      let any = (0..<3000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
      return any + random.doubles(4000, mean: 0, std: 5) + random.doubles(2000, mean: 0.5, std: 0.2)
        + random.doubles(1000, mean: 0, std: 300) + [0, 1, -1, 0.5, -37, -38.4, 6e5]
    default:
      let any = (0..<4000).map { _ in
        Double(Float(bitPattern: UInt32(truncatingIfNeeded: random.next())))
      }
      let usual = random.doubles(4000, mean: 0, std: 4).map { Double(Float($0)) }
      let unit = random.doubles(2000, mean: 0.5, std: 0.2).map { Double(Float($0)) }
      return any.filter { $0.isFinite } + usual + unit + [0, 1, -1, 0.5]
    }
  }

  /// The worst error in ulp at the scale of the derivative, and where.
  static func worst(
    _ found: [Double], _ truth: [Wide], _ scales: [Wide], _ factors: [Wide], _ dtype: DType
  ) -> (error: Double, place: Int) {
    var worst = (error: 0.0, place: 0)
    for place in found.indices {
      let (value, expected) = (found[place], truth[place])
      let rounded = dtype.rounded(Double(expected))
      if value == rounded || value.isNaN && expected.isNaN { continue }
      // Powers of e that are subnormal have lost digits before they are multiplied.
      let factor = Double(factors[place])
      let smallest = dtype == .float64 ? Double.leastNormalMagnitude : 0x1p-126
      let isSubnormal =
        (dtype == .float32 || dtype == .float64) && abs(rounded) < smallest * factor
      let ulp = dtype.ulp(max(abs(rounded), Double(scales[place]))) * (isSubnormal ? factor : 1)
      let error = Double(abs(Wide(value) - expected) / Wide(ulp))
      if !(error <= worst.error) { worst = (error.isNaN ? .infinity : error, place) }
    }
    return worst
  }

  /// The types whose slopes can be computed in the wide type.
  static let types: [DType] =
    [.float32, .float16, .bfloat16] + (Wide.significandBitCount > 52 ? [.float64] : [])

  @Test(arguments: functions) func slope(function: Function) {
    for dtype in Self.types {
      let values = Self.values(dtype)
      let x = Tensor(values).cast(to: dtype).requiringGradient()
      function.of(x).sum().backward()
      let found = x.grad?.array(of: Double.self) ?? []
      let wide = values.map { Wide($0) }
      let truth = wide.map(function.slope)
      let (error, place) = Self.worst(
        found, truth, wide.map(function.scale), wide.map(function.factor), dtype)
      #expect(
        error <= 2,
        "\(dtype): \(error) ulp at \(values[place]): \(found[place]) for \(truth[place])")
    }
  }

  /// Functions without a closed derivative here, against their gradient in `float64`.
  @Test func slopesOfSpecialFunctions() {
    let functions: [(String, @Sendable (Tensor) -> Tensor)] = [
      ("erfinv", { $0.erfinv() }), ("lgamma", { $0.lgamma() }), ("digamma", { $0.digamma() }),
      ("i0", { $0.i0() }), ("i0e", { $0.i0e() }), ("i1e", { $0.i1e() }),
      ("tan", { $0.tan() }),
    ]
    var random = TestRandom(for: "\(#function)")
    for (name, function) in functions {
      for dtype in [DType.float32, .float16, .bfloat16] {
        let raw = random.doubles(500, mean: 0.4, std: 0.2) + random.doubles(500, mean: 20, std: 5)
        let values = raw.map { dtype.rounded(abs($0)) }.filter { name != "erfinv" || $0 < 1 }
        let (x, y) = (Tensor(values).cast(to: dtype), Tensor(values).requiringGradient())
        let z = x.requiringGradient()
        function(z).sum().backward()
        function(y).sum().backward()
        let found = z.grad?.array(of: Double.self) ?? []
        let truth = (y.grad?.array(of: Double.self) ?? []).map { Wide($0) }
        let (error, place) = Self.worst(
          found, truth, truth.map { _ in 0 }, truth.map { _ in 2 }, dtype)
        #expect(error <= 2.5, "\(name) \(dtype): \(error) ulp at \(values[place])")
      }
    }
  }

  typealias Pair = @Sendable (Tensor, Tensor) -> Tensor
  /// Functions of two numbers with both derivatives.
  static let pairs: [(String, Pair, @Sendable (Wide, Wide) -> (Wide, Wide))] = [
    ("/", { $0 / $1 }, { (1 / $1, -($0 / $1 / $1)) }),
    ("atan2", { atan2($0, $1) }, { ($1 / ($0 * $0 + $1 * $1), -$0 / ($0 * $0 + $1 * $1)) }),
    ("hypot", { hypot($0, $1) }, { ($0 / hypot($0, $1), $1 / hypot($0, $1)) }),
    ("xlogy", { xlogy($0, $1) }, { (log($1), $0 / $1) }),
    ("logAddExp", { logAddExp($0, $1) }, { (share($0 - $1), share($1 - $0)) }),
    (
      "logAddExp2", { logAddExp2($0, $1) },
      { x, y in
        let distance = (x - y) * 0.693147180559945309417
        return (share(distance), share(-distance))
      }
    ),
  ]

  @Test(arguments: pairs.indices) func slopesOfPairs(index: Int) {
    let (name, function, slopes) = Self.pairs[index]
    for dtype in Self.types {
      // Powers of ten up to the type's range, and numbers in between.
      let most = dtype == .float16 ? 4.0 : dtype == .float64 ? 150 : 36.0
      let sizes = (-6...6).map { dtype.rounded(pow(10, Double($0) * most / 6) * 1.37) }
      let numbers = sizes + sizes.map { -$0 * 0.75 } + [0.5, 3, 7.25, 30].map { $0 }
      let (a, b) = (
        numbers.flatMap { x in numbers.map { _ in dtype.rounded(x) } },
        numbers.flatMap { _ in numbers.map { dtype.rounded(name == "xlogy" ? abs($0) : $0) } }
      )
      let x = Tensor(a).cast(to: dtype).requiringGradient()
      let y = Tensor(b).cast(to: dtype).requiringGradient()
      function(x, y).sum().backward()
      let truth = zip(a, b).map { slopes(Wide($0), Wide($1)) }
      for (found, truth) in [
        (x.grad, truth.map(\.0)), (y.grad, truth.map(\.1)),
      ] {
        let values = found?.array(of: Double.self) ?? []
        let (error, i) = Self.worst(
          values, truth, truth.map { _ in 0 }, truth.map { _ in 2 }, dtype)
        #expect(
          error <= 2,
          "\(name) \(dtype): \(error) ulp at \(a[i]), \(b[i]): \(values[i]) for \(truth[i])")
      }
    }
  }

  /// Far below 0, where 1 + erf is 0 after rounding: from mpmath with 60 digits.
  @Test func geluInTheTail() {
    let truth: [(Double, Double)] = [
      (-1, -0.15865525393145705), (-5, -1.4332578593959696e-6), (-8, -4.9767684594174273e-15),
      (-12.5, -4.6657053735971417e-35), (-20, -5.5072482372124674e-88),
      (-30, -1.4720141781444561e-196), (-37.5, -1.7270073785932331e-306), (40, 40),
      (.infinity, .infinity),
    ]
    for dtype in [DType.float64, .float32, .bfloat16, .float16] {
      for (x, expected) in truth {
        let value = Tensor([x], dtype: dtype).gelu().item()
        let rounded = dtype.rounded(expected)
        // If erfc is subnormal in `float32`, its digits are lost before it is multiplied.
        let factor = dtype != .float64 && abs(expected) < 0x1p-115 ? abs(x) : 1
        #expect(
          value == rounded || abs(value - rounded) <= 3 * factor * dtype.ulp(expected),
          "\(dtype): \(value) at \(x)")
      }
    }
    #expect(Tensor([-3, 2]).gelu().dtype == .float32)
  }

  @Test func secondSlopesAtZero() {
    let functions: [(@Sendable (Tensor) -> Tensor, Double)] = [
      ({ $0.silu() }, 0.5), ({ $0.softplus() }, 0.25), ({ $0.logSigmoid() }, -0.25),
      ({ $0.sigmoid() }, 0), ({ $0.tanh() }, 0), ({ $0.gelu() }, 0.79788456080286536),
      ({ $0.mish() }, 0.64), ({ $0.erf() }, 0), ({ $0.tanhshrink() }, 0),
    ]
    for (function, expected) in functions {
      let second = Tensor.gradient(of: { Tensor.gradient(of: function, at: $0) }, at: Tensor([0.0]))
      #expect(abs(second.item() - expected) < 1e-12)
    }
  }

  @Test func slopesAtTies() {
    let x = Tensor([0.3] as [Float]).requiringGradient()
    let slope = Tensor.gradient(of: { logAddExp($0, x.detached()) }, at: x)
    #expect(slope.item() == 0.5)
    let second = Tensor.gradient(
      of: { x in Tensor.gradient(of: { logAddExp($0, Tensor([0.3] as [Float])) }, at: x) }, at: x)
    #expect(abs(second.item() - 0.25) < 1e-6)
  }
}
