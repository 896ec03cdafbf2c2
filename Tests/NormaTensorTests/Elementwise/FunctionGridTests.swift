import Foundation
import NormaReference
import NormaTensor
import Testing

/// Every function, type and layout against its definition in Double, within one unit of the last
/// place.
@Suite struct FunctionGridTests {
  typealias Unary = (
    name: String, of: @Sendable (Tensor) -> Tensor, exact: @Sendable (Double) -> Double
  )
  typealias Binary = (
    name: String, of: @Sendable (Tensor, Tensor) -> Tensor,
    exact: @Sendable (Double, Double) -> Double
  )

  static let unary: [Unary] = [
    ("tan", { $0.tan() }, { tan($0) }), ("asin", { $0.asin() }, { asin($0) }),
    ("acos", { $0.acos() }, { acos($0) }), ("atan", { $0.atan() }, { atan($0) }),
    ("sinh", { $0.sinh() }, { sinh($0) }), ("cosh", { $0.cosh() }, { cosh($0) }),
    ("asinh", { $0.asinh() }, { asinh($0) }), ("acosh", { $0.acosh() }, { acosh($0) }),
    ("atanh", { $0.atanh() }, { atanh($0) }), ("exp2", { $0.exp2() }, { exp2($0) }),
    ("log2", { $0.log2() }, { log2($0) }), ("log10", { $0.log10() }, { log10($0) }),
    ("erfc", { $0.erfc() }, { erfc($0) }),
    ("deg2rad", { $0.deg2rad() }, { $0 * (.pi / 180) }),
    ("rad2deg", { $0.rad2deg() }, { $0 * (180 / .pi) }),
    ("angle", { $0.angle() }, { $0 < 0 ? .pi : 0 }),
  ]

  /// Exact in every type; integers stay integers.
  static let exact: [Unary] = [
    ("floor", { $0.floor() }, { $0.rounded(.down) }), ("ceil", { $0.ceil() }, { $0.rounded(.up) }),
    ("trunc", { $0.trunc() }, { $0.rounded(.towardZero) }),
    ("rounded", { $0.rounded() }, { $0.rounded(.toNearestOrEven) }),
    ("sign", { $0.sign() }, { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
    ("signBit", { $0.signBit() }, { $0.sign == .minus ? 1 : 0 }),
    ("logicalNot", { $0.logicalNot() }, { $0 == 0 ? 1 : 0 }),
    ("isNaN", { $0.isNaN() }, { $0.isNaN ? 1 : 0 }),
    ("isFinite", { $0.isFinite() }, { $0.isFinite ? 1 : 0 }),
    ("isInfinite", { $0.isInfinite() }, { $0.isInfinite ? 1 : 0 }),
    ("nanToNum", { $0.nanToNum() }, { $0 }),
  ]

  static let binary: [Binary] = [
    ("atan2", { atan2($0, $1) }, { atan2($0, $1) }),
    ("copysign", { copysign($0, $1) }, { copysign($0, $1) }),
    ("hypot", { hypot($0, $1) }, { hypot($0, $1) }),
    ("fmod", { fmod($0, $1) }, { fmod($0, $1) }), ("pow", { pow($0, $1) }, { pow($0, $1) }),
    ("fmax", { fmax($0, $1) }, { max($0, $1) }), ("fmin", { fmin($0, $1) }, { min($0, $1) }),
    ("logicalAnd", { logicalAnd($0, $1) }, { $0 != 0 && $1 != 0 ? 1 : 0 }),
    ("logicalOr", { logicalOr($0, $1) }, { $0 != 0 || $1 != 0 ? 1 : 0 }),
    ("logicalXor", { logicalXor($0, $1) }, { ($0 != 0) != ($1 != 0) ? 1 : 0 }),
    ("heaviside", { heaviside($0, $1) }, { $0 == 0 ? $1 : $0 > 0 ? 1 : 0 }),
    ("trunc /", { Tensor.divide($0, $1, rounding: .trunc) }, { ($0 / $1).rounded(.towardZero) }),
  ]

  static func expectNear(
    _ actual: Tensor, _ expected: [Double], ulps: Double, _ comment: String
  ) {
    let values = actual.array(of: Double.self)
    if values.count != expected.count { Issue.record("\(comment): \(values.count) values") }
    for (k, (value, truth)) in zip(values, expected).enumerated() {
      let rounded = actual.dtype.isFloatingPoint ? actual.dtype.rounded(truth) : truth
      if value == rounded || value.isNaN && truth.isNaN { continue }
      if abs(value - truth) <= ulps * actual.dtype.ulp(truth) { continue }
      Issue.record("\(comment): element \(k) is \(value), not \(truth)")
      return
    }
  }

  @Test(arguments: DType.allCases) func functionsOfOneElement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for arrangement in Arrangement.allCases {
      let x = Sample([3, 5, 37], dtype, arrangement, random: &random)
      for (name, function, exact) in Self.unary {
        let result = function(x.tensor)
        #expect(result.dtype == (dtype.isFloatingPoint ? dtype : .float32), "\(name)")
        // Multiples of a rounded factor are rounded twice.
        Self.expectNear(result, x.values.map(exact), ulps: 1.5, "\(name) \(dtype) \(arrangement)")
      }
      for (name, function, exact) in Self.exact {
        if dtype == .bool && ["floor", "ceil", "trunc", "rounded"].contains(name) { continue }
        Self.expectNear(
          function(x.tensor), x.values.map(exact), ulps: 0, "\(name) \(dtype) \(arrangement)")
      }
    }
  }

  @Test(arguments: DType.realTypes) func functionsOfTwo(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let shape = [2, 3, 37]
    let samples = Arrangement.allCases.map { Sample(shape, dtype, $0, random: &random) }
    for (name, function, exact) in Self.binary {
      for (a, b) in zip(samples, samples.reversed()) {
        Self.expectNear(
          function(a.tensor, b.tensor), zip(a.values, b.values).map(exact),
          ulps: name == "trunc /" ? 0 : 1, "\(name) \(dtype)")
      }
      // Rows and single elements on either side, in tiles and in the remainder.
      let a = Sample([2, 1793], dtype, random: &random)
      for small in [[1793], [2, 1], []] {
        let b = Sample(small, dtype, random: &random)
        let wide = b.tensor.broadcast(to: [2, 1793]).array(of: Double.self)
        let ulps = name == "trunc /" ? 0.0 : 1.0
        Self.expectNear(
          function(a.tensor, b.tensor), zip(a.values, wide).map(exact), ulps: ulps,
          "\(name) \(small)")
        Self.expectNear(
          function(b.tensor, a.tensor), zip(wide, a.values).map(exact), ulps: ulps,
          "\(small) \(name)")
      }
    }
  }

  /// A single number for a whole tensor is computed once, or expanded first.
  @Test func numbersThatAreBroadcast() {
    let one = Tensor([0.5 as Float]).broadcast(to: [3000])
    #expect(one.asin().array(of: Float.self) == [Float](repeating: asin(0.5 as Float), count: 3000))
    #expect(one.exp().array(of: Float.self) == [Float](repeating: exp(0.5), count: 3000))
    #expect(one.floor().array(of: Float.self) == [Float](repeating: 0, count: 3000))
    #expect(pow(one, one).array(of: Float.self) == [Float](repeating: 0.70710677, count: 3000))
    #expect((one.signBit()).array(of: Bool.self) == [Bool](repeating: false, count: 3000))
  }

  @Test func emptyTensors() {
    let none = Tensor.zeros(0, 3)
    for (_, function, _) in Self.unary + Self.exact { #expect(function(none).shape == [0, 3]) }
    for (_, function, _) in Self.binary { #expect(function(none, none).shape == [0, 3]) }
  }

  /// Equal expressions give equal results.
  @Test func functionsAgreeWithEachOther() {
    var random = TestRandom()
    let x = Sample([4099], .float64, random: &random).tensor
    let y = Sample([4099], .float64, random: &random).tensor
    #expect((-x).asinh().allClose(to: -(x.asinh()), rtol: 0, atol: 0))
    #expect(x.sinh().asinh().allClose(to: x, rtol: 1e-13))
    #expect(x.erf().erfinv().allClose(to: x, rtol: 1e-9))
    #expect((x.erfc() + x.erf()).allClose(to: Tensor.ones(4099, dtype: .float64), rtol: 1e-15))
    #expect(x.sigmoid().logit().allClose(to: x, rtol: 1e-12, atol: 1e-13))
    #expect(
      (Tensor.remainder(x, y) + Tensor.divide(x, y, rounding: .floor) * y).allClose(
        to: x, rtol: 1e-13))
    #expect((fmod(x, y) + Tensor.divide(x, y, rounding: .trunc) * y).allClose(to: x, rtol: 1e-13))
    #expect(logAddExp(x, y).allClose(to: (x.exp() + y.exp()).log(), rtol: 1e-13, atol: 1e-14))
    #expect(logAddExp2(x, y).allClose(to: (x.exp2() + y.exp2()).log2(), rtol: 1e-13, atol: 1e-14))
    #expect((x.frac() + x.trunc()).isEqual(to: x))
    let position = x.abs() + 0.1
    let step = (position + 1).lgamma() - position.lgamma()
    #expect(step.allClose(to: position.log(), rtol: 1e-12, atol: 1e-14))
    for order in 0...4 {
      let difference = (position + 1).polygamma(order) - position.polygamma(order)
      let factorial = (1...5).prefix(order).reduce(order % 2 == 0 ? 1.0 : -1.0) { $0 * Double($1) }
      let scale = position.polygamma(order).abs().max().item()
      #expect(
        difference.allClose(
          to: factorial / pow(position, order + 1), rtol: 1e-12, atol: 1e-14 * scale),
        "order \(order)")
    }
  }
}
