import NormaTensor
import Testing

/// The rule of every function against central differences in Float64, including second derivatives.
@Suite(.serialized) struct FunctionGradientTests {
  typealias Function = @Sendable ([Tensor]) -> Tensor

  static let smooth: [(String, Function)] = [
    ("tan", { ($0[0] * 0.5).tan() }), ("asin", { ($0[0] * 0.4).asin() }),
    ("acos", { ($0[0] * 0.4).acos() }), ("atan", { $0[0].atan() }), ("sinh", { $0[0].sinh() }),
    ("cosh", { $0[0].cosh() }), ("asinh", { $0[0].asinh() }),
    ("acosh", { ($0[0] + 3.5).acosh() }), ("atanh", { ($0[0] * 0.4).atanh() }),
    ("exp2", { $0[0].exp2() }), ("log2", { ($0[0] + 3).log2() }),
    ("log10", { ($0[0] + 3).log10() }), ("erfc", { $0[0].erfc() }),
    ("erfinv", { ($0[0] * 0.4).erfinv() }), ("lgamma", { ($0[0] + 3.2).lgamma() }),
    ("digamma", { ($0[0] + 3.2).digamma() }), ("polygamma", { ($0[0] + 4).polygamma(2) }),
    ("i0", { $0[0].i0() }), ("i0e", { $0[0].i0e() }), ("i1", { $0[0].i1() }),
    ("i1e", { $0[0].i1e() }), ("sinc", { ($0[0] * 0.6).sinc() }),
    ("deg2rad", { $0[0].deg2rad().sin() }),
    ("logit", { ($0[0] * 0.2 + 0.5).logit() }),
    ("logit with eps", { ($0[0] * 0.2 + 0.5).logit(eps: 0.25) }),
    ("frac", { $0[0].frac() * $0[0] }), ("floor", { $0[0].floor() * $0[0] }),
    ("rounded", { ($0[0].rounded() + $0[0].rounded(decimals: 1)) * $0[0] }),
    ("sign", { ($0[0].sign() + $0[0].angle()) * $0[0] }), ("nanToNum", { $0[0].nanToNum().sin() }),
    ("atan2", { atan2($0[0], $0[1]) }), ("hypot", { hypot($0[0], $0[1]) }),
    ("copysign", { copysign($0[0], $0[1]).exp() }), ("fmod", { fmod($0[0] * 3, $0[1]) }),
    ("remainder", { Tensor.remainder($0[0] * 3, $0[1]) }),
    ("divide", { Tensor.divide($0[0], $0[1], rounding: .floor) * $0[0] }),
    ("divide to zero", { Tensor.divide($0[0], $0[1], rounding: .trunc) * $0[1] }),
    ("pow", { pow($0[0] + 3, $0[1]) }), ("pow 2.5", { pow($0[0] + 3, 2.5) }),
    ("pow 3", { pow($0[0], 3) }), ("pow -2", { pow($0[0] + 3, -2) }),
    ("pow of 2", { pow(2, $0[0]) }), ("floatPower", { floatPower($0[0] + 3, $0[1]) }),
    ("xlogy", { xlogy($0[0], $0[1] + 3) }), ("logAddExp", { logAddExp($0[0], $0[1]) }),
    ("logAddExp2", { logAddExp2($0[0], $0[1]) }), ("fmax", { fmax($0[0], $0[1]).exp() }),
    ("fmin", { fmin($0[0], $0[1]).exp() }), ("lerp", { lerp($0[0], $0[1].exp(), 0.3) }),
    ("lerp from the end", { lerp($0[0], $0[1].exp(), 0.8) }),
    ("lerp by tensor", { lerp($0[0], $0[1].exp(), ($0[0] * $0[1]).sin()) }),
    ("addcmul", { addcmul($0[0], $0[0].exp(), $0[1], value: 1.5) }),
    ("addcdiv", { addcdiv($0[0], $0[0].exp(), $0[1] + 4, value: 1.5) }),
    ("heaviside", { heaviside($0[0], $0[1]) + $0[0] }),
  ]

  @Test(arguments: smooth.indices) func rule(_ index: Int) throws {
    let (name, function) = Self.smooth[index]
    for shapes in [[[2, 3], [3]], [[], []]] {
      let inputs = GradientRuleTests.inputs(shapes[0], shapes[1])
      #expect(throws: Never.self, "\(name) \(shapes)") {
        // Higher derivatives of steep functions need a wider margin for the rounding errors of a
        // step of 1e-5.
        try checkGradient(of: function, at: inputs, tolerance: 1e-6, order: 2)
      }
    }
  }

  static func slopes(_ values: [Double], _ function: (Tensor) -> Tensor) -> [Double] {
    Tensor.gradient(of: { function($0[0]).sum() }, at: [Tensor(values)])[0].array(of: Double.self)
  }

  static func pairSlopes(_ function: (Tensor, Tensor) -> Tensor) -> [[Double]] {
    let a = Tensor([0, 1, 0, .nan, 2, -2, 0, 1] as [Double])
    let b = Tensor([0, 1, -1, 2, .nan, 3, 2, 0] as [Double])
    return Tensor.gradient(of: { function($0[0], $0[1]).sum() }, at: [a, b]).map { $0.array() }
  }

  static func isSame(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN || abs($0 - $1) < 1e-6 * abs($1) }
  }

  /// PyTorch's gradients at zeros, ties, NaN and infinities.
  @Test func gradientsAtSpecialValues() {
    let nan = Double.nan, inf = Double.infinity
    let x = [nan, 0, -2, -1.5, inf, 0.5, 1]
    let expected: [(String, (Tensor) -> Tensor, [Double])] = [
      ("sign", { $0.sign() }, [0, 0, 0, 0, 0, 0, 0]),
      ("angle", { $0.angle() }, [0, 0, 0, 0, 0, 0, 0]),
      ("frac", { $0.frac() }, [1, 1, 1, 1, 1, 1, 1]),
      ("rounded", { $0.rounded() }, [0, 0, 0, 0, 0, 0, 0]),
      ("sinc", { $0.sinc() }, [nan, 0, -0.5, -0.1414710605261292, nan, -1.2732395447351628, -1]),
      ("logit", { $0.logit() }, [nan, inf, nan, nan, nan, 4, inf]),
      ("logit", { $0.logit(eps: 0.3) }, [nan, 0, 0, 0, 0, 4, 0]),
      ("nanToNum", { $0.nanToNum() }, [0, 1, 1, 1, 0, 1, 1]),
      (
        "lgamma", { $0.lgamma() },
        [nan, -inf, nan, 0.7031566406452432, inf, -1.9635100260214235, -0.5772156649015329]
      ),
      ("pow 0", { pow($0, 0.0) }, [0, 0, 0, 0, 0, 0, 0]),
      ("pow of 0", { pow(0.0, $0 + 0.25) }, [nan, 0, -inf, -inf, 0, 0, 0]),
    ]
    for (name, function, slopes) in expected {
      let got = Self.slopes(x, function)
      #expect(Self.isSame(got, slopes), "\(name): \(got)")
    }
    let pairs: [(String, (Tensor, Tensor) -> Tensor, [Double], [Double])] = [
      (
        "atan2", { atan2($0, $1) }, [0, 0.5, -1, nan, nan, 3 / 13.0, 0.5, 0],
        [0, -0.5, 0, nan, nan, 2 / 13.0, 0, -1]
      ),
      ("copysign", { copysign($0, $1) }, [0, 1, 0, nan, 1, -1, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
      ("fmax", { fmax($0, $1) }, [1, 1, 1, 0, 1, 0, 0, 1], [0, 0, 0, 1, 0, 1, 1, 0]),
      ("fmin", { fmin($0, $1) }, [1, 1, 0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0, 0, 1]),
      (
        "pow", { pow($0, $1) }, [0, 1, -inf, nan, nan, 12, 0, 0], [0, 0, -inf, nan, nan, nan, 0, 0]
      ),
      ("nextafter", { nextafter($0, $1) }, [0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
    ]
    for (name, function, first, second) in pairs {
      let got = Self.pairSlopes(function)
      #expect(Self.isSame(got[0], first), "\(name): \(got[0])")
      #expect(Self.isSame(got[1], second), "\(name): \(got[1])")
    }
  }
}
