import NormaTensor
import Testing

/// Comparisons are exact: of integers of any two types, with each other and with literals.
@Suite struct IntegerComparisonTests {
  @Test(arguments: DType.integers) func ofAnyTwoTypes(dtype: DType) {
    func check<T: Whole, U: Whole>(_ type: T.Type, _ other: U.Type) {
      let both = edges(type).flatMap { a in edges(other).map { (a, $0) } }
      let (x, y) = (Tensor(both.map(\.0)), Tensor(both.map(\.1)))
      let text = "\(type) and \(other)"
      #expect((x .== y).array(of: Bool.self) == both.map { $0 == $1 }, "\(text)")
      #expect((x .!= y).array(of: Bool.self) == both.map { $0 != $1 }, "\(text)")
      #expect((x .< y).array(of: Bool.self) == both.map { $0 < $1 }, "\(text)")
      #expect((x .<= y).array(of: Bool.self) == both.map { $0 <= $1 }, "\(text)")
      #expect((x .> y).array(of: Bool.self) == both.map { $0 > $1 }, "\(text)")
      #expect((x .>= y).array(of: Bool.self) == both.map { $0 >= $1 }, "\(text)")
    }
    func withEach<T: Whole>(_ type: T.Type) {
      for other in DType.integers {
        func open<U: Whole>(_ other: U.Type) { check(type, other) }
        open(other.whole)
      }
    }
    withEach(dtype.whole)
  }

  @Test(arguments: DType.integers) func withNumbers(dtype: DType) {
    func check<T: Whole, U: Whole>(_ type: T.Type, number: U) {
      let a = edges(type)
      let x = Tensor(a)
      #expect((x .== number).array(of: Bool.self) == a.map { $0 == number }, "\(type) \(number)")
      #expect((x .!= number).array(of: Bool.self) == a.map { $0 != number }, "\(type) \(number)")
      #expect((x .< number).array(of: Bool.self) == a.map { $0 < number }, "\(type) \(number)")
      #expect((x .<= number).array(of: Bool.self) == a.map { $0 <= number }, "\(type) \(number)")
      #expect((x .> number).array(of: Bool.self) == a.map { $0 > number }, "\(type) \(number)")
      #expect((x .>= number).array(of: Bool.self) == a.map { $0 >= number }, "\(type) \(number)")
      #expect((number .< x).array(of: Bool.self) == a.map { number < $0 }, "\(type) \(number)")
    }
    func checkAll<T: Whole>(_ type: T.Type) {
      for number in edges(Int64.self) { check(type, number: number) }
      for number in [1 << 63, 1 << 63 + 1, UInt64.max] as [UInt64] { check(type, number: number) }
    }
    checkAll(dtype.whole)
  }

  @Test(arguments: DType.integers) func withRealNumbers(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let a = edges(type)
      let x = Tensor(a)
      for number in [
        0.5, -0.5, 2, 126.5, 0x1p31, 0x1p53, 0x1p63, 0x1.8p63, 0x1p64, -0x1p63, -0x1p64, 1e300,
        -1e300, .infinity, -.infinity, .nan, 65535.5,
      ] {
        // Swift compares integers and real numbers exactly.
        func less(_ a: T) -> Bool { T(exactly: number).map { a < $0 } ?? isBelow(a) }
        func isBelow(_ a: T) -> Bool {
          if number.isNaN { return false }
          if number >= 0x1p64 { return true }
          if number < -0x1p63 { return false }
          let floor = number.rounded(.down)
          return floor >= 0x1p63
            ? a <= UInt64(floor) : floor == number ? a < Int64(floor) : a <= Int64(floor)
        }
        func equal(_ a: T) -> Bool { T(exactly: number).map { a == $0 } ?? false }
        #expect((x .< number).array(of: Bool.self) == a.map(less), "\(type) \(number)")
        #expect((x .== number).array(of: Bool.self) == a.map(equal), "\(type) \(number)")
        #expect((x .!= number).array(of: Bool.self) == a.map { !equal($0) }, "\(type) \(number)")
        #expect(
          (x .>= number).array(of: Bool.self) == a.map { !number.isNaN && !less($0) },
          "\(type) \(number)")
        #expect(
          (x .> number).array(of: Bool.self)
            == a.map { !number.isNaN && !less($0) && !equal($0) }, "\(type) \(number)")
      }
    }
    check(dtype.whole)
  }
}
