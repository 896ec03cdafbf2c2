import Foundation
import NormaTensor
import Testing

/// Casts between all types, and what is read back.
@Suite struct IntegerCastTests {
  @Test(arguments: DType.integers) func amongIntegers(dtype: DType) {
    func check<T: Whole, U: Whole>(_ type: T.Type, _ other: U.Type) {
      let a = edges(type)
      let expected = a.map { U(truncatingIfNeeded: $0) }
      for x in arranged(a) {
        #expect(x.cast(to: U.dtype).array(of: U.self) == expected, "\(type) to \(other)")
        #expect(x.array(of: U.self) == expected)
        // In the middle of a program.
        #expect(
          (x.cast(to: U.dtype) + 1).cast(to: .int64).array(of: Int64.self)
            == expected.map { Int64(truncatingIfNeeded: $0 &+ 1) }, "\(type) to \(other)")
      }
    }
    func withEach<T: Whole>(_ type: T.Type) {
      for other in DType.integers {
        func open<U: Whole>(_ other: U.Type) { check(type, other) }
        open(other.whole)
      }
    }
    withEach(dtype.whole)
  }

  @Test(arguments: DType.integers) func toRealNumbersAndBooleans(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      // Including numbers near the middle between two floats.
      let a = edges(type) + [T.max - T.max >> 12, T.max / 3, T.max / 5 * 4]
      for x in arranged(a) {
        #expect(x.cast(to: .float64).array(of: Double.self) == a.map { Double($0) })
        #expect(x.cast(to: .float32).array(of: Float.self) == a.map { Float($0) })
        #expect(x.cast(to: .float16).array(of: Float16.self) == a.map { Float16(Float($0)) })
        #expect(
          x.cast(to: .bfloat16).array(of: Float.self) == a.map { Float(BFloat16(Float($0))) })
        #expect(x.cast(to: .bool).array(of: Bool.self) == a.map { $0 != 0 })
      }
      #expect(
        Tensor([true, false, true]).cast(to: dtype).array(of: T.self) == [1, 0, 1])
    }
    check(dtype.whole)
  }

  /// The rule of ``DType``, as numbers.
  @Test func fromRealNumbers() {
    let values: [Double] = [
      1.5, -1.5, 300.7, -129, 65536.5, 0x1p31, 0x1.8p32, 0x1p63, 0x1.8p63, 0x1p64, -0x1p63, .nan,
      .infinity,
    ]
    func results<T: Whole>(_ type: T.Type) -> [[T]] {
      [.float64, .float32].map { (real: DType) in
        Tensor(values).cast(to: real).cast(to: T.dtype).array(of: T.self)
      } + [
        // Few elements, and one number over many.
        values.map { Tensor([$0]).cast(to: T.dtype).array(of: T.self)[0] },
        values.map { Tensor($0).broadcast(to: [40]).cast(to: T.dtype).array(of: T.self)[39] },
      ]
    }
    func check<T: Whole>(_ type: T.Type, _ expected: [T]) {
      for result in results(type) { #expect(result == expected, "\(type)") }
    }
    check(Int8.self, [1, -1, 44, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    check(UInt8.self, [1, 255, 44, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    check(Int16.self, [1, -1, 300, -129, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    check(UInt16.self, [1, 65535, 300, 65407, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    let least = Int32.min
    check(
      Int32.self,
      [1, -1, 300, -129, 65536, least, least, least, least, least, least, least, least])
    check(
      UInt32.self,
      [1, 4_294_967_295, 300, 4_294_967_167, 65536, 1 << 31, 1 << 31, 0, 0, 0, 0, 0, 0])
    check(
      UInt64.self,
      [
        1, .max, 300, .max - 128, 65536, 1 << 31, 3 << 31, 1 << 63, 3 << 62, 1 << 63, 1 << 63,
        1 << 63, 1 << 63,
      ])
  }

  @Test func swiftTypes() {
    #expect(Tensor([1, 2] as [Int8]).dtype == .int8)
    #expect(Tensor([1, 2] as [UInt]).dtype == .uint64)
    #expect(
      UInt64.max.asInt == nil && UInt64.max.asDouble == 0x1p64 && UInt32.max.asInt == 1 << 32 - 1)
    #expect(UInt64(nearest: 0x1.8p63) == 3 << 62 && UInt16(nearest: 65535.9) == 65535)
    #expect(Int8(nearest: -128.5) == -128 && UInt64(wrapping: -1) == .max)
    #expect(Tensor(UInt64.max).item(as: UInt64.self) == .max)
    #expect(Tensor([UInt64.max], dtype: .uint64).array(exactly: UInt64.self) == [.max])
    #expect(Tensor(exactly: [0, UInt64.max], dtype: .uint64).array(of: UInt64.self) == [0, .max])
    #expect(Tensor(exactly: [-128, 127], dtype: .int8).array(exactly: Int8.self) == [-128, 127])
    #expect(Tensor([3, UInt16.max]).item(at: 1) == 65535)
    for (call, text) in [
      ({ .init(exactly: [UInt64.max]) }, "18446744073709551615 does not fit int64"),
      ({ .init(exactly: [128], dtype: .int8) }, "128 does not fit int8"),
      ({ .init(exactly: [-1], dtype: .uint64) }, "-1 does not fit uint64"),
      ({ Tensor([300], dtype: .int8) }, "300 does not fit int8"),
    ] as [(() -> Tensor, String)] {
      #expect { try catchingTensorErrors { call() } } throws: { "\($0)".contains(text) }
    }
    #expect {
      try catchingTensorErrors { Tensor([UInt64.max]).array(exactly: Int64.self) }
    } throws: { "\($0)".contains("18446744073709551615 does not fit Int64") }
  }

  @Test(arguments: DType.integers) func isPrintedAndKept(dtype: DType) throws {
    func check<T: Whole>(_ type: T.Type) throws {
      let x = Tensor([T.min, 0, T.max])
      let words = ["\(T.min)", "0", "\(T.max)"].map { word in
        String(repeating: " ", count: max("\(T.min)".count, "\(T.max)".count) - word.count) + word
      }
      let suffix = dtype == .int64 ? "" : ", dtype=\(dtype)"
      #expect("\(x)" == "tensor([\(words.joined(separator: ", "))]\(suffix))")
      #expect("\(Tensor(T.max))" == "\(T.max)")
      let many = Tensor.full([2000], T.max, dtype: dtype)
      #expect("\(many)".hasPrefix("tensor([\(T.max), "))
      #expect(x.isEqual(to: x .| 0) && x.contents == (x .| 0).contents)
      let data = try JSONEncoder().encode(x)
      let decoded = try JSONDecoder().decode(Tensor.self, from: data)
      #expect(decoded.dtype == dtype && decoded.array(of: T.self) == [T.min, 0, T.max])
      #expect(
        try JSONDecoder().decode([DType].self, from: JSONEncoder().encode([dtype])) == [dtype])
      #expect(throws: TensorError.self) { try catchingTensorErrors { x.requiringGradient() } }
    }
    try check(dtype.whole)
  }

  @Test func rawValuesStay() {
    // Encoded files of earlier versions contain these.
    let kept: [DType] = [.bool, .uint8, .int32, .int64, .float16, .bfloat16, .float32, .float64]
    #expect(kept.map(\.rawValue) == Array(0..<8))
  }
}
