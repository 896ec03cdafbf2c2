import NormaTensor
import Testing

/// Single values that matter; the numbers are PyTorch's.
@Suite struct FunctionValueTests {
  static let x = Tensor([.nan, .infinity, -.infinity, -0.0, 0, 1.5, -2.5, 2.5, -1] as [Float])

  static func isSame(_ actual: Tensor, _ expected: [Double]) -> Bool {
    let values = actual.array(of: Double.self)
    return values.count == expected.count
      && zip(values, expected).allSatisfy {
        $0.isNaN && $1.isNaN || $0 == $1 && $0.sign == $1.sign
          || $1 != 0 && abs($0 - $1) < 3e-7 * abs($1)
      }
  }

  @Test func specialValues() {
    let nan = Double.nan, inf = Double.infinity, x = Self.x
    let largest = Double(Float.greatestFiniteMagnitude)
    let expected: [(String, Tensor, [Double])] = [
      ("sign", x.sign(), [0, 1, -1, 0, 0, 1, -1, 1, -1]),
      ("angle", x.angle(), [nan, 0, .pi, 0, 0, 0, .pi, 0, .pi]),
      ("signBit", x.signBit(), [0, 0, 1, 1, 0, 0, 1, 0, 1]),
      ("frac", x.frac(), [nan, nan, nan, 0, 0, 0.5, -0.5, 0.5, 0]),
      ("rounded", x.rounded(), [nan, inf, -inf, -0.0, 0, 2, -2, 2, -1]),
      ("trunc", x.trunc(), [nan, inf, -inf, -0.0, 0, 1, -2, 2, -1]),
      ("floor", x.floor(), [nan, inf, -inf, -0.0, 0, 1, -3, 2, -1]),
      ("ceil", x.ceil(), [nan, inf, -inf, -0.0, 0, 2, -2, 3, -1]),
      ("logit", x.logit(), [nan, nan, nan, -inf, -inf, nan, nan, nan, nan]),
      ("erfinv", x.erfinv(), [nan, nan, nan, -0.0, 0, nan, nan, nan, -inf]),
      ("logicalNot", x.logicalNot(), [0, 0, 0, 1, 1, 0, 0, 0, 0]),
      ("isFinite", x.isFinite(), [0, 0, 0, 1, 1, 1, 1, 1, 1]),
      ("isInfinite", x.isInfinite(), [0, 1, 1, 0, 0, 0, 0, 0, 0]),
      ("isPositiveInfinity", x.isPositiveInfinity(), [0, 1, 0, 0, 0, 0, 0, 0, 0]),
      ("isNegativeInfinity", x.isNegativeInfinity(), [0, 0, 1, 0, 0, 0, 0, 0, 0]),
      ("nanToNum", x.nanToNum(), [0, largest, -largest, -0.0, 0, 1.5, -2.5, 2.5, -1]),
      (
        "nanToNum", x.nanToNum(nan: 7, positiveInfinity: 8, negativeInfinity: 9),
        [7, 8, 9, -0.0, 0, 1.5, -2.5, 2.5, -1]
      ),
      ("fmod", fmod(x, 2), [nan, nan, nan, -0.0, 0, 1.5, -0.5, 0.5, -1]),
      ("remainder", Tensor.remainder(x, 2), [nan, nan, nan, -0.0, 0, 1.5, 1.5, 0.5, 1]),
      ("remainder", Tensor.remainder(x, 2.5), [nan, nan, nan, -0.0, 0, 1.5, -0.0, 0, 1.5]),
      ("floor", Tensor.divide(x, 2, rounding: .floor), [nan, nan, nan, -0.0, 0, 0, -2, 1, -1]),
      ("copysign", copysign(x, -2), [nan, -inf, -inf, -0.0, -0.0, -1.5, -2.5, -2.5, -1]),
      ("xlogy", xlogy(x, 2), [nan, inf, -inf, 0, 0, 1.0397207, -1.7328680, 1.7328680, -0.6931472]),
      ("pow", pow(x, 2.5), [nan, inf, inf, 0, 0, 2.7556760, nan, 9.8821173, nan]),
      ("pow 0", pow(x, 0), [1, 1, 1, 1, 1, 1, 1, 1, 1]),
      ("heaviside", heaviside(x, Tensor(7 as Float)), [0, 1, 0, 7, 7, 1, 0, 1, 0]),
    ]
    for (name, actual, wanted) in expected {
      #expect(Self.isSame(actual, wanted), "\(name): \(actual.array(of: Double.self))")
    }
    let sinc = x.sinc().array(of: Float.self)
    #expect(sinc[3] == 1 && sinc[4] == 1 && sinc[0].isNaN && abs(sinc[5] + 0.21220659) < 1e-7)
  }

  @Test func pairsOfSpecialValues() {
    let nan = Double.nan, inf = Double.infinity
    func pair(_ f: (Tensor, Tensor) -> Tensor, _ a: [Double], _ b: [Double]) -> Tensor {
      f(Tensor(a, dtype: .float32), Tensor(b, dtype: .float32))
    }
    let a = [-7, 7, inf, nan, 1, 0, -0.0, 1, -1, -1e-10], b = [2, -2, 1, 1, 0, 0, 3, inf, inf, 1]
    #expect(
      Self.isSame(
        pair(
          { Tensor.remainder($0, $1) },
          a, b), [1, -1, nan, nan, nan, nan, -0.0, 1, inf, 1]))
    #expect(
      Self.isSame(
        pair(
          { fmod($0, $1) },
          a, b), [-1, 1, nan, nan, nan, nan, -0.0, 1, -1, Double(-1e-10 as Float)]))
    #expect(
      Self.isSame(
        pair({ xlogy($0, $1) }, [0, 0, 0, 1, nan], [nan, 0, -1, 0, 0]), [nan, 0, 0, -inf, nan]))
    #expect(
      Self.isSame(
        pair({ logAddExp($0, $1) }, [inf, -inf, inf, nan, -inf], [inf, -inf, -inf, 1, 1]),
        [inf, -inf, inf, nan, 1]))
    #expect(
      Self.isSame(
        pair({ fmax($0, $1) }, [nan, 1, nan, inf], [1, nan, nan, 2]), [1, 1, nan, inf]))
    #expect(
      Self.isSame(
        pair({ nextafter($0, $1) }, [1, 0, -1, 1, nan, -0.0, 1], [2, 1, 0, 0, 1, 0, 1]),
        [1.0000001192092896, 0x1p-149, -0.9999999403953552, 0.9999999403953552, nan, 0, 1]))
    #expect(Tensor([1.0]).rounded(decimals: 3).item() == 1)
    let decimals = Tensor([1234.5678, .nan, .infinity, 0.12345] as [Float]).rounded(decimals: 2)
    #expect(Self.isSame(decimals, [1234.57, nan, inf, 0.12]))
    let thousands = Tensor([1255.5678, 15000, 25500] as [Float]).rounded(decimals: -3)
    #expect(thousands.array(of: Float.self) == [1000, 15000, 26000])
    #expect(xlogy(2, Tensor([1.0, 0])).array(of: Double.self) == [0, -inf])
    #expect(
      Tensor.divide(7, Tensor([2.0, -2]), rounding: .floor).array(of: Double.self) == [3, -4])
    let close = Tensor([1, .infinity, .nan, .infinity] as [Float])
    let other = Tensor([1.000001, .infinity, .nan, -.infinity] as [Float])
    #expect(
      close.isClose(to: other, equalNaN: true).array(of: Bool.self) == [true, true, true, false])
    #expect(close.isClose(to: other).array(of: Bool.self) == [true, true, false, false])
    #expect(lerp(Tensor([2.0]), Tensor([0.1]), 1).item() == 0.1)
  }

  @Test func integers() {
    let x = Tensor([-3, 0, 2]), bytes = Tensor([1, 255] as [UInt8])
    #expect(pow(x, Tensor([2, 3, 0])).array(of: Int.self) == [9, 0, 1])
    #expect(pow(x, Tensor([-1, -2, -1])).array(of: Int.self) == [0, 0, 0])
    #expect(pow(Tensor([-1, -1, 1]), Tensor([-1, -2, -9])).array(of: Int.self) == [-1, 1, 1])
    #expect(pow(Tensor([3]), 50).item(as: Int.self) == 6_048_575_297_968_530_377)
    #expect(pow(2, Tensor([-1, 3])).array(of: Int.self) == [0, 8])
    #expect(pow(x, 2.0).dtype == .float32 && pow(x, 2).dtype == .int64)
    #expect(pow(Tensor([true, false]), 2).array(of: Int.self) == [1, 0])
    let y = Tensor([2, 3, -2])
    #expect(fmod(x, y).array(of: Int.self) == [-1, 0, 0])
    #expect(Tensor.remainder(x, y).array(of: Int.self) == [1, 0, 0])
    #expect(Tensor.remainder(Tensor([-7, 7]), Tensor([-4, -4])).array(of: Int.self) == [-3, -1])
    #expect(Tensor.divide(x, y, rounding: .floor).array(of: Int.self) == [-2, 0, -1])
    #expect(Tensor.divide(x, y, rounding: .trunc).array(of: Int.self) == [-1, 0, -1])
    #expect(Tensor.divide(Tensor([Int.min]), -1, rounding: .floor).item(as: Int.self) == .min)
    #expect(Tensor.divide(bytes, 2, rounding: .floor).array(of: Int.self) == [0, 127])
    #expect(Tensor.remainder(bytes, 10).array(of: Int.self) == [1, 5])
    #expect(
      gcd(Tensor([12, -8, 0, 0]), Tensor([18, 12, 5, 0])).array(of: Int.self) == [6, 4, 5, 0])
    #expect(
      lcm(Tensor([4, -3, 0, 0]), Tensor([6, 5, 5, 0])).array(of: Int.self) == [12, 15, 0, 0])
    #expect(x.sign().array(of: Int.self) == [-1, 0, 1] && x.floor().dtype == .int64)
    #expect(addcmul(x, x, x, value: 2).array(of: Int.self) == [15, 0, 10])
    #expect(x.isClose(to: x + 1, rtol: 0.5).array(of: Bool.self) == [true, false, true])
    #expect(fmax(x, y).array(of: Int.self) == [2, 3, 2])
    #expect(Tensor([true, false]).sign().array(of: Bool.self) == [true, false])
  }

  @Test(arguments: [DType.uint8, .int32, .int64]) func bits(dtype: DType) {
    let width = dtype.byteCount * 8
    let a = (0..<131).map { ($0 * 7919) % 256 }, b = (0..<131).map { ($0 * 104_729) % 251 }
    let (x, y) = (Tensor(a).cast(to: dtype), Tensor(b).cast(to: dtype))
    #expect((x .& y).array(of: Int.self) == zip(a, b).map { $0 & $1 })
    #expect((x .| y).array(of: Int.self) == zip(a, b).map { $0 | $1 })
    #expect((x .^ y).array(of: Int.self) == zip(a, b).map { $0 ^ $1 })
    #expect((x .& 12).array(of: Int.self) == a.map { $0 & 12 })
    #expect((.!x).array(of: Int.self) == a.map { dtype == .uint8 ? 255 - $0 : ~$0 })
    let shifts = (0..<131).map { $0 % (width + 3) }
    let by = Tensor(shifts).cast(to: dtype)
    let left = zip(a, shifts).map { a, s in
      s >= width
        ? 0
        : width == 64
          ? a << s : width == 32 ? Int(Int32(truncatingIfNeeded: a << s)) : (a << s) & 255
    }
    #expect((x << by).array(of: Int.self) == left)
    #expect((x >> by).array(of: Int.self) == zip(a, shifts).map { $0 >> $1 })
    if dtype == .uint8 { return }
    #expect(((x - 200) >> by).array(of: Int.self) == zip(a, shifts).map { ($0 - 200) >> $1 })
    #expect((x << -1).array(of: Int.self) == a.map { _ in 0 })
    #expect(((x - 300) >> -1).array(of: Int.self) == a.map { _ in -1 })
  }

  @Test func booleans() {
    let (a, b) = (Tensor([true, true, false, false]), Tensor([true, false, true, false]))
    #expect((a .& b).array(of: Bool.self) == [true, false, false, false])
    #expect((a .| b).array(of: Bool.self) == [true, true, true, false])
    #expect((a .^ b).array(of: Bool.self) == [false, true, true, false])
    #expect((.!a).array(of: Bool.self) == [false, false, true, true] && (.!a).dtype == .bool)
    #expect((a .& 3).array(of: Int.self) == [1, 1, 0, 0] && (a << 2).dtype == .int64)
    #expect(logicalXor(Tensor([2.0, .nan, 0]), Tensor([1, 0, 5])).array() == [false, true, true])
  }

  /// Casts from reals to bytes go through 32 bits, and give the smallest integer if out of range:
  /// as in PyTorch on x86-64, in vectors and in the remainder.
  @Test(arguments: [DType.float32, .float64]) func castsOutOfRange(dtype: DType) {
    let values = [.nan, .infinity, -.infinity, -1.5, 255.9, 256, 300, -300, 1e10, -1e10, 3e9, 1e20]
    let x = Tensor(values, dtype: dtype),
      many = Tensor((0..<7).flatMap { _ in values }, dtype: dtype)
    let bytes = [0, 0, 0, 255, 255, 0, 44, 212, 0, 0, 0, 0]
    let low = Int(Int32.min)
    let words = [low, low, low, -1, 255, 256, 300, -300, low, low, low, low]
    let least = Int.min
    let longs = [
      least, least, least, -1, 255, 256, 300, -300, 10_000_000_000, -10_000_000_000, 3_000_000_000,
      least,
    ]
    for (type, expected) in [(DType.uint8, bytes), (.int32, words), (.int64, longs)] {
      #expect(x.cast(to: type).array(of: Int.self) == expected)
      #expect(many.cast(to: type).array(of: Int.self) == (0..<7).flatMap { _ in expected })
    }
  }

  @Test func mistakesAreReported() {
    let (truth, whole, real) = (Tensor([true]), Tensor([1]), Tensor([1.0]))
    let calls: [(String, () -> Tensor)] = [
      ("truth floor", { truth.floor() }), ("whole frac", { whole.frac() }),
      ("decimals", { whole.rounded(decimals: 1) }), ("real bits", { real .& whole }),
      ("real not", { .!real }), ("truth shift", { truth << truth }), ("real shift", { real << 1 }),
      ("zero", { Tensor.divide(whole, Tensor([0]), rounding: .floor) }),
      ("zero", { fmod(whole, 0) }),
      ("zero", { Tensor.remainder(whole, 0) }),
      ("truth", { Tensor.divide(truth, truth, rounding: .floor) }),
      ("negative power", { pow(whole, -1) }), ("truth pow", { pow(truth, truth) }),
      ("hypot", { hypot(whole, whole) }), ("logAddExp", { logAddExp(whole, whole) }),
      ("nextafter", { nextafter(whole, whole) }),
      ("half", { nextafter(real.cast(to: .float16), real.cast(to: .float16)) }),
      ("heaviside", { heaviside(whole, real) }), ("lerp", { lerp(whole, whole, 0.5) }),
      ("lerp", { lerp(real, real.cast(to: .float32), 0.5) }),
      ("addcdiv", { addcdiv(whole, whole, whole) }), ("gcd", { gcd(real, real) }),
      ("polygamma", { real.polygamma(-1) }), ("isClose", { real.isClose(to: whole) }),
      ("isClose", { real.isClose(to: real, rtol: -0.4) }),
      ("shapes", { atan2(Tensor.zeros(2), Tensor.zeros(3)) }),
    ]
    for (name, call) in calls {
      #expect(throws: TensorError.self, "\(name)") { try catchingTensorErrors { call() } }
    }
  }
}
