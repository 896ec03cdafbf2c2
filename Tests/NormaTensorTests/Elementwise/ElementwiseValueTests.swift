import NormaReference
import NormaTensor
import Testing

/// Single values that matter: wrapping, rounding at every step, NaN, casts out of range.
@Suite struct ElementwiseValueTests {
  @Test func integersWrapAtEveryStep() {
    let x = Tensor([200, 100] as [UInt8])
    #expect((x + 100).array(of: Int.self) == [44, 200])
    // In bytes 200 + 100 is 44, and 44 / 2 is 22, fused or not.
    #expect(((x + 100) / 2).array(of: Float.self) == [22, 100])
    #expect(((x + 100).evaluated() / 2).array(of: Float.self) == [22, 100])
    #expect((x * -1).array(of: Int.self) == [56, 156])
    #expect((-x).array(of: Int.self) == [56, 156])
    #expect((x - 201).array(of: Int.self) == [255, 155])
    let words = Tensor([Int32.max, Int32.min])
    #expect((words + 1).array(of: Int32.self) == [.min, .min + 1])
    #expect(words.abs().array(of: Int32.self) == [.max, .min])
    #expect((-words).array(of: Int32.self) == [-.max, .min])
    let long = Tensor([Int64.max, Int64.min])
    #expect((long * 2).array(of: Int64.self) == [-2, 0])
    #expect((long - 1).array(of: Int64.self) == [.max - 1, .max])
  }

  @Test func integersThatDoNotFitAreComparedAsTheyAre() {
    let x = Tensor([200, 0] as [UInt8])
    #expect((x .< 300).array(of: Bool.self) == [true, true])
    #expect((x .== 456).array(of: Bool.self) == [false, false])
    #expect((x .> -1).array(of: Bool.self) == [true, true])
    #expect((x .!= -56).array(of: Bool.self) == [true, true])
    #expect((-1 .< x).array(of: Bool.self) == [true, true])
    #expect((Tensor([Int32.min]) .> -5_000_000_000).array(of: Bool.self) == [true])
    for value in [256, -256, 1 << 40] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { x + value } }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { Tensor([1] as [Int32]) * (1 << 31) }
    }
  }

  @Test func booleans() {
    let (a, b) = (Tensor([true, true, false, false]), Tensor([true, false, true, false]))
    #expect((a + b).array(of: Bool.self) == [true, true, true, false])
    #expect((a * b).array(of: Bool.self) == [true, false, false, false])
    #expect((a + b).dtype == .bool)
    #expect(maximum(a, b).array(of: Bool.self) == [true, true, true, false])
    #expect((a + 1).array(of: Int.self) == [2, 2, 1, 1])
    #expect((a / 2).array(of: Float.self) == [0.5, 0.5, 0, 0])
    #expect((a .== b).array(of: Bool.self) == [true, false, false, true])
    #expect(a.sum().item() == 2 && a.sum().dtype == .int64)
    #expect(a.max(over: 0).dtype == .bool && a.min().item() == 0)
    #expect(a.sqrt().array(of: Float.self) == [1, 1, 0, 0])
  }

  /// Each step is rounded, whatever is fused. The numbers are PyTorch's.
  @Test func halfTypesRoundAtEveryStep() {
    let half = Tensor([60000.0, 1, 2049], dtype: .float16)
    #expect((half * 2 / 2).array(of: Double.self) == [.infinity, 1, 2048])
    #expect((half / 3 * 3).array(of: Double.self)[1] == 1)
    #expect((half + 0).array(of: Double.self)[2] == 2048)
    let short = Tensor([0.1, 1], dtype: .bfloat16)
    #expect((short * 3 + 0.1).array(of: Double.self)[0] == 0.400390625)
    // 257 is not a bfloat16: 256 + 1 is 256, even if a thousand ones follow.
    var sum = Tensor([256.0], dtype: .bfloat16)
    for _ in 0..<10 { sum = sum + 1 }
    #expect(sum.item() == 256)
    #expect(Tensor([2.0], dtype: .float16).rsqrt().item() == 0.70703125)
  }

  @Test(arguments: DType.realTypes)
  func comparisonsWithNaN(dtype: DType) {
    let x = Tensor([1.0, .nan, 3], dtype: dtype)
    let y = Tensor([1.0, 1, .nan], dtype: dtype)
    #expect((x .== y).array(of: Bool.self) == [true, false, false])
    #expect((x .!= y).array(of: Bool.self) == [false, true, true])
    #expect((x .< y).array(of: Bool.self) == [false, false, false])
    #expect((x .<= y).array(of: Bool.self) == [true, false, false])
    #expect((x .> y).array(of: Bool.self) == [false, false, false])
    #expect((x .>= 1).array(of: Bool.self) == [true, false, true])
    #expect((x .!= x).array(of: Bool.self) == [false, true, false])
    // Minimum and maximum propagate NaN from either side, in vectors and in the remainder.
    let long = Tensor.full([40], 2.0, dtype: dtype)
    let nan = Tensor.where(Tensor.arange(40) .== 39, Double.nan, long)
    for result in [maximum(nan, long), maximum(long, nan), minimum(nan, long), minimum(long, nan)] {
      let values = result.array(of: Double.self)
      #expect(values[39].isNaN && values[38] == 2)
    }
    let clamped = Tensor([1, .nan, 9], dtype: dtype).clamped(min: 2, max: 5)
    #expect(clamped.array(of: Double.self)[0] == 2 && clamped.array(of: Double.self)[2] == 5)
    #expect(clamped.array(of: Double.self)[1].isNaN)
    #expect((x * Double.nan).array(of: Double.self).allSatisfy { $0.isNaN })
  }

  @Test func clampedBetweenBounds() {
    let x = Tensor([1.0, 3], dtype: .float32)
    #expect(x.clamped(min: 5, max: 2).array(of: Float.self) == [2, 2])
    let low = Tensor([0, 2] as [Float]), high = Tensor([0.5, 9] as [Float])
    #expect(x.clamped(min: low, max: high).array(of: Float.self) == [0.5, 3])
    #expect(x.clamped(min: low[1]).array(of: Float.self) == [2, 3])
    #expect(Tensor([1, 9]).clamped(min: 2).array(of: Int.self) == [2, 9])
  }

  @Test func realsBecomeIntegersByTruncation() {
    for dtype in [DType.float32, .float64] {
      let x = Tensor([1.5, -2.5, .nan, .infinity, -1e30, 3e9], dtype: dtype)
      let least = Int64.min
      #expect(
        x.cast(to: .int64).array(of: Int64.self) == [1, -2, least, least, least, 3_000_000_000])
      let low = Int32.min
      #expect(x.cast(to: .int32).array(of: Int32.self) == [1, -2, low, low, low, low])
      let bytes = Tensor([1.5, -2.5, 300, -1, 255.9], dtype: dtype).cast(to: .uint8)
      #expect(bytes.array(of: Int.self) == [1, 254, 44, 255, 255])
      let truth = Tensor([0, -0.0, 1e-40, .nan, 2], dtype: dtype).cast(to: .bool)
      #expect(truth.array(of: Bool.self) == [false, false, true, true, true])
    }
    #expect(Tensor([-1.9, 70], dtype: .float16).cast(to: .int64).array(of: Int.self) == [-1, 70])
  }

  @Test func integersWrapAndRound() {
    let x = Tensor([300, -1, 1 << 33, -(1 << 31) - 1])
    #expect(x.cast(to: .uint8).array(of: Int.self) == [44, 255, 0, 255])
    #expect(x.cast(to: .int32).array(of: Int.self) == [300, -1, 0, Int(Int32.max)])
    #expect(x.cast(to: .bool).array(of: Bool.self) == [true, true, true, true])
    let large = Tensor([16_777_217, -16_777_219, 1 << 53 + 1])
    #expect(large.cast(to: .float32).array(of: Double.self)[..<2] == [16_777_216, -16_777_220])
    #expect(Tensor([true, false]).cast(to: .int32).array(of: Int.self) == [1, 0])
    #expect(Tensor([1 << 62, 3]).cast(to: .uint8).array(of: Int.self) == [0, 3])
  }

  @Test func halvesAreRoundedToEven() {
    let x = Tensor([65519, 65520, 1e-8, 5.97e-8, 2049, 2051, -0.0, .nan], dtype: .float32)
    let half = x.cast(to: .float16).array(of: Double.self)
    #expect(half[..<7] == [65504, .infinity, 0, 5.960464477539063e-08, 2048, 2052, 0])
    #expect(half[6].sign == .minus && half[7].isNaN)
    let y = Tensor([3.3961e38, 1.00390625, 1.01171875, 1e-40], dtype: .float32).cast(to: .bfloat16)
    #expect(
      y.array(of: Float.self) == [.init(BFloat16(3.3961e38)), 1, 1.015625, .init(BFloat16(1e-40))])
    #expect(Tensor([Double.greatestFiniteMagnitude]).cast(to: .float32).item() == .infinity)
  }

  /// A float64 just above the middle of two halves is first rounded to the middle, as in PyTorch.
  @Test func doubleBecomesHalfThroughFloat() {
    #expect(Tensor([1 + 0x1p-11 + 0x1p-40]).cast(to: .float16).item() == 1)
    #expect(Tensor([1 + 0x1p-11 + 0x1p-20]).cast(to: .float16).item() == 1 + 0x1p-10)
    #expect(Tensor([1 + 0x1p-8 + 0x1p-40]).cast(to: .bfloat16).item() == 1)
  }
}
