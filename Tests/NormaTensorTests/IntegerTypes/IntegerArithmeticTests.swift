import NormaTensor
import Testing

/// Arithmetic of every integer type at its limits, compared with that of Swift's integers; it wraps
/// like NumPy's.
@Suite struct IntegerArithmeticTests {
  typealias Binary<T> = (T, T) -> T

  static func operations<T: Whole>(
    _ type: T.Type
  ) -> [(String, (Tensor, Tensor) -> Tensor, Binary<T>)] {
    [
      ("+", { $0 + $1 }, { $0 &+ $1 }), ("-", { $0 - $1 }, { $0 &- $1 }),
      ("*", { $0 * $1 }, { $0 &* $1 }), ("max", { maximum($0, $1) }, { max($0, $1) }),
      ("min", { minimum($0, $1) }, { min($0, $1) }), ("&", { $0 .& $1 }, { $0 & $1 }),
      ("|", { $0 .| $1 }, { $0 | $1 }), ("^", { $0 .^ $1 }, { $0 ^ $1 }),
      (
        "<<", { $0 << $1 },
        { a, b in b < 0 || b >= T(T.bitWidth) ? 0 : a << b }
      ),
      (
        ">>", { $0 >> $1 },
        { a, b in b < 0 || b >= T(T.bitWidth) ? (a < 0 ? 0 &- 1 : 0) : a >> b }
      ),
      ("heaviside", { heaviside($0, $1) }, { a, b in a == 0 ? b : a > 0 ? 1 : 0 }),
      (
        "gcd", { gcd($0, $1) },
        { a, b in
          var (x, y) = (a.magnitude, b.magnitude)
          while y != 0 { (x, y) = (y, x % y) }
          return T(truncatingIfNeeded: x)
        }
      ),
      ("fused", { ($0 + $1) * $0 - ($1 >> 1) }, { ($0 &+ $1) &* $0 &- ($1 >> 1) }),
      (
        "fused halves", { maximum(($0 * 3 + $1) >> 2, $1) },
        { max(($0 &* 3 &+ $1) >> 2, $1) }
      ),
    ]
  }

  @Test(arguments: DType.integers) func wrapsAround(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let (a, b) = pairs(type)
      for (name, operation, expected) in Self.operations(type) {
        let wanted = zip(a, b).map(expected)
        for (x, y) in zip(arranged(a), arranged(b)) {
          let result = operation(x, y)
          #expect(result.dtype == dtype)
          #expect(result.array(of: T.self) == wanted, "\(dtype) \(name)")
        }
        // Few elements, which run without a program.
        let few = operation(Tensor(Array(a.prefix(3))), Tensor(Array(b.prefix(3))))
        #expect(few.array(of: T.self) == Array(wanted.prefix(3)), "\(dtype) \(name)")
      }
    }
    check(dtype.whole)
  }

  @Test(arguments: DType.integers) func divides(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let (all, divisors) = pairs(type)
      let both = zip(all, divisors).filter { $0.1 != 0 }
      let (a, b) = (both.map(\.0), both.map(\.1))
      // The smallest number divided by -1 wraps; the remainder is 0.
      let quotients = both.map { $0.dividedReportingOverflow(by: $1).partialValue }
      let rests = both.map { $0.remainderReportingOverflow(dividingBy: $1).partialValue }
      let crosses = zip(both, rests).map { $1 != 0 && ($0.0 < 0) != ($0.1 < 0) }
      let floors = zip(quotients, crosses).map { $1 ? $0 - 1 : $0 }
      let remainders = zip(zip(rests, b), crosses).map { $1 ? $0.0 + $0.1 : $0.0 }
      for (x, y) in zip(arranged(a), arranged(b)) {
        #expect(Tensor.divide(x, y, rounding: .trunc).array(of: T.self) == quotients)
        #expect(Tensor.divide(x, y, rounding: .floor).array(of: T.self) == floors)
        #expect(fmod(x, y).array(of: T.self) == rests)
        #expect(Tensor.remainder(x, y).array(of: T.self) == remainders)
        #expect((x / y).dtype == .float32)
      }
      let x = Tensor(edges(type))
      #expect(throws: TensorError.self) { try catchingTensorErrors { Tensor.remainder(x, x) } }
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { Tensor.divide(x, 0, rounding: .floor) }
      }
    }
    check(dtype.whole)
  }

  @Test(arguments: DType.integers) func functionsOfOneNumber(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let a = edges(type)
      for x in arranged(a) {
        #expect((-x).array(of: T.self) == a.map { 0 &- $0 })
        #expect(x.abs().array(of: T.self) == a.map { T(truncatingIfNeeded: $0.magnitude) })
        #expect(x.sign().array(of: T.self) == a.map { $0.signum() })
        #expect((.!x).array(of: T.self) == a.map { ~$0 })
        #expect(x.squared().array(of: T.self) == a.map { $0 &* $0 })
        #expect(pow(x, 3).array(of: T.self) == a.map { $0 &* $0 &* $0 })
        #expect(
          pow(x, Tensor.full(x.shape, 5, dtype: dtype)).array(of: T.self)
            == a.map { $0 &* $0 &* $0 &* $0 &* $0 })
        #expect(x.signBit().array(of: Bool.self) == a.map { $0 < 0 })
        #expect(x.isFinite().all().item() == 1 && x.isNaN().any().item() == 0)
        #expect((x + 1).array(of: T.self) == a.map { $0 &+ 1 })
        #expect((3 - x).array(of: T.self) == a.map { 3 &- $0 })
        #expect((x * 5).array(of: T.self) == a.map { $0 &* 5 })
        #expect((x << 3).array(of: T.self) == a.map { $0 << 3 })
        #expect((x >> 70).array(of: T.self) == a.map { $0 < 0 ? 0 &- 1 : 0 })
        #expect(x.clamped(min: 2, max: 50).array(of: T.self) == a.map { min(max($0, 2), 50) })
        #expect(Tensor.where(x .> 2, x, 7).array(of: T.self) == a.map { $0 > 2 ? $0 : 7 })
      }
    }
    check(dtype.whole)
  }

  @Test func numbersBeyondTheType() {
    let x = Tensor([1, 2] as [UInt16])
    // Sums wrap, so unsigned types accept negative numbers.
    #expect((x - 2).array(of: UInt16.self) == [65535, 0])
    #expect((x + -1).array(of: UInt16.self) == [0, 1])
    #expect((x * -1).array(of: UInt16.self) == [65535, 65534])
    let large = Tensor([1, UInt64.max])
    #expect((large + -1).array(of: UInt64.self) == [0, UInt64.max - 1])
    #expect((large .& UInt64.max).array(of: UInt64.self) == [1, UInt64.max])
    #expect(maximum(large, Tensor(1 << 63 as UInt64)).array(of: UInt64.self) == [1 << 63, .max])
    #expect(Tensor.full([1], UInt64.max).array(of: UInt64.self) == [.max])
    for (call, text) in [
      ({ x + 65536 }, "+: 65536 does not fit uint16; cast the tensor first"),
      ({ x.clamped(min: -1) }, "clamped(min:max:): -1 does not fit uint16; cast the tensor first"),
      (
        { Tensor([1] as [Int8]) * 128 }, "*: 128 does not fit int8; cast the tensor first"
      ),
      (
        { .full([1], UInt64.max, dtype: .int64) },
        "full(_:_:): 18446744073709551615 does not fit int64; pass a wider dtype"
      ),
      (
        { large + Tensor([1, 2]) },
        "+: no integer type holds both uint64 and int64; cast one of them, to .int64, .uint64 or "
          + ".float64"
      ),
      (
        { Tensor([1, 2]) + Tensor(UInt64.max) },
        "+: 18446744073709551615 does not fit int64; cast the tensor first"
      ),
    ] as [(() -> Tensor, String)] {
      #expect { try catchingTensorErrors { call() } } throws: { "\($0)".hasPrefix(text) }
    }
  }
}
