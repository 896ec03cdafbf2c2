import NormaTensor
import Testing

/// Numbers that do not fit an element type: literals, scalar tensors, and arrays.
@Suite struct NumberFitTests {
  let bytes = Tensor([0, 5, 255] as [UInt8])
  let halves = Tensor([1, 2, 3] as [Float]).cast(to: .float16)

  @Test func aNumberThatDoesNotFitIsRejected() {
    let mask = bytes .> 2
    let mistakes: [(() -> Tensor, String)] = [
      ({ .full([2], 1e300) }, "full(_:_:): 1e+300 does not fit float32; pass a wider dtype"),
      (
        { .full([2], 70000, dtype: .float16) },
        "full(_:_:): 70000 does not fit float16; pass a wider dtype"
      ),
      (
        { .full([1], 300, dtype: .uint8) }, "full(_:_:): 300 does not fit uint8; pass a wider dtype"
      ),
      ({ .full([1], -1, dtype: .uint8) }, "full(_:_:): -1 does not fit uint8; pass a wider dtype"),
      (
        { .full([1], 1 << 40, dtype: .int32) },
        "full(_:_:): 1099511627776 does not fit int32; pass a wider dtype"
      ),
      (
        { .full([1], Double.nan, dtype: .int32) },
        "full(_:_:): nan does not fit int32; pass a wider dtype"
      ),
      (
        { .full([1], Double.infinity, dtype: .int64) },
        "full(_:_:): inf does not fit int64; pass a wider dtype"
      ),
      (
        { Tensor([1e300] as [Double], dtype: .float32) },
        "Tensor(_:dtype:): 1e+300 does not fit float32; leave dtype out, pass a wider one, or "
          + "cast(to:)"
      ),
      (
        { Tensor([Int](repeating: 1, count: 99) + [300], dtype: .uint8) },
        "Tensor(_:dtype:): 300 does not fit uint8; leave dtype out, pass a wider one, or cast(to:)"
      ),
      (
        { bytes.filled(where: mask, with: 300) },
        "filled(where:with:): 300 does not fit uint8; cast the tensor first"
      ),
      (
        { halves.filled(where: mask, with: -1e9) },
        "filled(where:with:): -1000000000.0 does not fit float16; cast the tensor first"
      ),
      (
        { .where(mask, bytes, -1) },
        "where(_:_:_:): -1 does not fit uint8; cast the tensor first"
      ),
      (
        { bytes.clamped(min: -3) },
        "clamped(min:max:): -3 does not fit uint8; cast the tensor first"
      ),
      ({ bytes + 300 }, "+: 300 does not fit uint8; cast the tensor first"),
      ({ Tensor.ones(2) * 1e300 }, "*: 1e+300 does not fit float32; cast the tensor first"),
      (
        { Tensor.remainder(bytes, 256) },
        "remainder(_:_:): 256 does not fit uint8; cast the tensor first"
      ),
      ({ bytes .& 256 }, ".&: 256 does not fit uint8; cast the tensor first"),
      (
        { bytes.padded([1, 1], mode: .constant(-2)) },
        "padded(_:mode:): -2.0 does not fit uint8; cast the tensor first"
      ),
      (
        { bytes.scattered(Tensor([0]), 256, over: 0) },
        "scattered(_:_:over:): 256 does not fit uint8; cast the tensor first"
      ),
      (
        { bytes.indexFilled(Tensor([0]), over: 0, with: 256) },
        "indexFilled(_:over:with:): 256 does not fit uint8; cast the tensor first"
      ),
      (
        { halves.thresholded(at: 1, value: 1e6) },
        "thresholded(at:value:): 1000000.0 does not fit float16; cast the tensor first"
      ),
      (
        { .arange(0, 257, dtype: .uint8) },
        "arange(_:_:_:): 256 does not fit uint8; pass a wider dtype"
      ),
      (
        { .linspace(0, 1e5, count: 3, dtype: .float16) },
        "linspace(_:_:count:): 100000.0 does not fit float16; pass a wider dtype"
      ),
      (
        {
          var x = bytes
          x[0] = 300
          return x
        }, "subscript: 300 does not fit uint8; cast the tensor first"
      ),
      (
        {
          var x = Tensor.zeros(2)
          x[x .== 0] = 1e300
          return x
        }, "subscript: 1e+300 does not fit float32; cast the tensor first"
      ),
    ]
    for (mistake, text) in mistakes { #expect(MessageTests.message(mistake) == text) }
  }

  @Test func numbersThatFit() {
    #expect(Tensor.full([1], 65519, dtype: .float16).item() == 65504)
    #expect(Tensor.full([1], -Double.infinity, dtype: .bfloat16).item() == -.infinity)
    #expect(Tensor.full([1], 255.9, dtype: .uint8).item() == 255)
    #expect(Tensor([2.5, -1], dtype: .int32).array(of: Int.self) == [2, -1])
    #expect(Tensor([0, 3], dtype: .bool).array(of: Bool.self) == [false, true])
    #expect(Tensor([Double.nan, 1e5], dtype: .bfloat16).array(of: Float.self)[0].isNaN)
    let many = Tensor((0..<99).map { Double($0) } + [.infinity, .nan], dtype: .float16)
    #expect(many.dtype == .float16 && many.array(of: Double.self)[99] == .infinity)
    #expect(Tensor((0..<99).map { $0 }, dtype: .uint8).sum().item() == 98 * 99 / 2)
    // Sums, products and bits of bytes are modulo 256; arithmetic of half types is that of
    // `float32`.
    #expect((bytes + -1).array(of: Int.self) == [255, 4, 254])
    #expect((bytes * -1).array(of: Int.self) == [0, 251, 1])
    #expect(
      (bytes .& -2).array(of: Int.self) == [0, 4, 254]
        && (.!bytes).array(of: Int.self) == [255, 250, 0])
    #expect((halves * 1e-9 * 1e9).array(of: Float.self) == [0, 0, 0])
    #expect((halves * 0.5 * 1e5).array(of: Float.self) == [49984, .infinity, .infinity])
    #expect((bytes << 9).array(of: Int.self) == [0, 0, 0] && (bytes >> 256).sum().item() == 0)
    var x = Tensor([1, 2] as [UInt8])
    x[0] = 7.9
    #expect(x.array(of: Int.self) == [7, 2])
  }

  /// NumPy 2 gives these answers; PyTorch lets the number wrap.
  @Test func integersWithoutAxes() {
    let one = Tensor([1] as [UInt8])
    #expect((one .< Tensor(-1)).item() == 0 && (one .== Tensor(257)).item() == 0)
    #expect((Tensor(-1) .< one).item() == 1 && (one .!= Tensor(257)).item() == 1)
    #expect((Tensor([5] as [Int32]) .== Tensor((1 << 32) + 5)).item() == 0)
    #expect((one .< Tensor([-1, -2]).max()).item() == 0)
    #expect((Tensor([Int.max]) .> Tensor(UInt8(3))).item() == 1)
    #expect(maximum(one, Tensor(3)).dtype == .uint8 && (one + Tensor(-1)).item() == 0)
    let mistakes: [(() -> Tensor, String)] = [
      (
        { maximum(bytes, Tensor(-3)) },
        "maximum(_:_:): -3 does not fit uint8; cast the tensor first"
      ),
      ({ bytes + Tensor(300) }, "+: 300 does not fit uint8; cast the tensor first"),
      (
        { Tensor([1] as [Int32]) * Tensor(1 << 40) },
        "*: 1099511627776 does not fit int32; cast the tensor first"
      ),
      (
        { .where(bytes .> 2, bytes, Tensor(256)) },
        "where(_:_:_:): 256 does not fit uint8; cast the tensor first"
      ),
      ({ pow(bytes, Tensor(-1)) }, "pow(_:_:): -1 does not fit uint8; cast the tensor first"),
    ]
    for (mistake, text) in mistakes { #expect(MessageTests.message(mistake) == text) }
  }

  typealias Comparison = @Sendable (Tensor, Double) -> Tensor
  static let comparisons: [(Comparison, @Sendable (Double, Double) -> Bool)] = [
    ({ $0 .== $1 }, { $0 == $1 }), ({ $0 .!= $1 }, { $0 != $1 }), ({ $0 .< $1 }, { $0 < $1 }),
    ({ $0 .<= $1 }, { $0 <= $1 }), ({ $0 .> $1 }, { $0 > $1 }), ({ $0 .>= $1 }, { $0 >= $1 }),
    ({ $1 .== $0 }, { $1 == $0 }), ({ $1 .!= $0 }, { $1 != $0 }), ({ $1 .< $0 }, { $1 < $0 }),
    ({ $1 .<= $0 }, { $1 <= $0 }), ({ $1 .> $0 }, { $1 > $0 }), ({ $1 .>= $0 }, { $1 >= $0 }),
  ]

  /// Numbers exact in `Double`, with numbers that `float32`, or the type, cannot hold.
  @Test(arguments: [DType.bool, .uint8, .int32, .int64, .float16, .float32])
  func comparisonsRoundNothing(dtype: DType) {
    let values: [Double] =
      switch dtype {
      case .bool: [0, 1]
      case .uint8: [0, 2, 3, 255]
      case .int32: [-0x1p31, -2, 3, 16_777_217, 0x1p31 - 1]
      case .int64: [-0x1p63, -2, 3, 16_777_217, 0x1p53]
      default: [-.infinity, -2, 3, 65504, .infinity, .nan]
      }
    let x = Tensor(values, dtype: dtype)
    let numbers = [
      2.5, -0.5, 3, 1 + 1e-12, 16_777_216, 300, -1, 1e300, -1e300, 0x1p63, -0x1p63, .infinity,
      -.infinity, .nan,
    ]
    for number in numbers {
      // Real elements are compared in their own type, as far as its range.
      let rounded = dtype.isFloatingPoint && abs(number) < 1e5 ? Double(Float(number)) : number
      for (k, (comparison, expected)) in Self.comparisons.enumerated() {
        #expect(
          comparison(x, number).array(of: Bool.self) == values.map { expected($0, rounded) },
          "\(dtype) \(k) \(number)")
      }
    }
  }

  @Test func halvesEqualTheNumberTheyAre() {
    for dtype in [DType.float16, .bfloat16, .float32] {
      let x = Tensor([0.1, 0.25, 2049], dtype: dtype)
      #expect((x .== 0.1).array(of: Bool.self) == [true, false, false], "\(dtype)")
      #expect((x .>= 2049).array(of: Bool.self) == [false, false, true], "\(dtype)")
    }
    #expect((Tensor([16_777_217]) .== 16_777_216.0).item() == 0)
  }

  @Test func differencesOfIntegersDoNotWrap() {
    func close(_ a: Tensor, _ b: Tensor, _ rtol: Double, _ atol: Double) -> [Bool] {
      a.isClose(to: b, rtol: rtol, atol: atol).array(of: Bool.self)
    }
    #expect(close(Tensor([5, 9] as [UInt8]), Tensor([7, 6] as [UInt8]), 0, 2) == [true, false])
    let ends = Tensor([Int.min, Int.max, 1 << 53], shape: [3])
    #expect(close(ends, Tensor([Int.max, Int.min, (1 << 53) + 1]), 0, 10) == [false, false, true])
    #expect(close(ends, Tensor([Int.max, Int.min, 0]), 0, 1e20) == [true, true, true])
    let words = Tensor([Int32.min, Int32.max])
    #expect(close(words, Tensor([Int32.max, Int32.min]), 1.9, 0) == [false, false])
    #expect(close(words, Tensor([Int32.max, Int32.min]), 2.1, 0) == [true, true])
    let halves = Tensor([-60000, 60000] as [Float]).cast(to: .float16)
    #expect(close(halves, -halves, 2, 0) == [true, true])
  }
}
