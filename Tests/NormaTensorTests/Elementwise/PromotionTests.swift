import NormaTensor
import Testing

/// The types of results, like those of `torch.result_type` and the operators of PyTorch 2.13, or
/// NumPy.
@Suite struct PromotionTests {
  // In the order of `DType.allCases`; `!` is an error. Where PyTorch has no rule (uint16, uint32
  // and uint64 with other integers), the types are those of `numpy.promote_types`.
  static let letters: [Character: DType] = [
    "b": .bool, "u": .uint8, "c": .int8, "s": .int16, "v": .uint16, "i": .int32, "w": .uint32,
    "l": .int64, "x": .uint64, "h": .float16, "g": .bfloat16, "f": .float32, "d": .float64,
  ]

  static let axesWithAxes =
    "bucsviwlxhgfd uussviwlxhgfd cscsiill!hgfd ssssiill!hgfd vviiviwlxhgfd iiiiiill!hgfd "
    + "wwllwlwlxhgfd llllllll!hgfd xx!!x!x!xhgfd hhhhhhhhhhffd gggggggggfgfd ffffffffffffd "
    + "ddddddddddddd"
  static let axesWithNone =
    "bucsviwlxhgfd uuuuuuuuuhgfd ccccccccchgfd ssssssssshgfd vvvvvvvvvhgfd iiiiiiiiihgfd "
    + "wwwwwwwwwhgfd lllllllllhgfd xxxxxxxxxhgfd hhhhhhhhhhhhh ggggggggggggg fffffffffffff "
    + "ddddddddddddd"
  static let noneWithAxes =
    "bucsviwlxhgfd uucsviwlxhgfd cucsviwlxhgfd sucsviwlxhgfd vucsviwlxhgfd iucsviwlxhgfd "
    + "wucsviwlxhgfd lucsviwlxhgfd xucsviwlxhgfd hhhhhhhhhhgfd ggggggggghgfd fffffffffhgfd "
    + "dddddddddhgfd"
  static let quotients =
    "fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd "
    + "fffffffffhgfd fffffffffhgfd fffffffffhgfd hhhhhhhhhhffd gggggggggfgfd ffffffffffffd "
    + "ddddddddddddd"
  static let quotientsWithNone =
    "fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd fffffffffhgfd "
    + "fffffffffhgfd fffffffffhgfd fffffffffhgfd hhhhhhhhhhhhh ggggggggggggg fffffffffffff "
    + "ddddddddddddd"

  /// A row for each left type, a letter for each right type.
  static func table(_ text: String) -> [(DType, DType, DType?)] {
    let rows = text.split(separator: " ").map { $0.map { letters[$0] } }
    return zip(DType.allCases, rows).flatMap { left, row in
      zip(DType.allCases, row).map { (left, $0, $1) }
    }
  }

  static func tensor(_ dtype: DType, _ shape: [Int]) -> Tensor { .ones(shape, dtype: dtype) }

  @Test(arguments: [
    (axesWithAxes, [2], [2]), (axesWithNone, [2], []), (noneWithAxes, [], [2]),
    (axesWithAxes, [], []), (axesWithAxes, [2, 1], [2]),
  ])
  func twoTensors(table: String, left: [Int], right: [Int]) {
    for (a, b, expected) in Self.table(table) {
      let (x, y) = (Self.tensor(a, left), Self.tensor(b, right))
      #expect((x .== y).array(of: Bool.self).allSatisfy { $0 })
      guard let expected else {
        #expect(throws: TensorError.self) { try catchingTensorErrors { x * y } }
        #expect(throws: TensorError.self) { try catchingTensorErrors { maximum(x, y) } }
        #expect(throws: TensorError.self) {
          try catchingTensorErrors { Tensor.where(x .== y, x, y) }
        }
        #expect(throws: TensorError.self) { try catchingTensorErrors { Tensor.stacked([x, y]) } }
        continue
      }
      #expect((x * y).dtype == expected, "\(a) \(left) * \(b) \(right)")
      #expect(maximum(x, y).dtype == expected)
      #expect((x .< y).dtype == .bool)
      #expect(Tensor.where(y .== y, x, y).dtype == expected)
      // The values are those of the common type.
      #expect((x * y).array(of: Double.self).allSatisfy { $0 == 1 })
    }
  }

  @Test(arguments: [(quotients, [2], [2]), (quotientsWithNone, [2], []), (quotients, [], [])])
  func quotient(table: String, left: [Int], right: [Int]) {
    for (a, b, expected) in Self.table(table) {
      #expect((Self.tensor(a, left) / Self.tensor(b, right)).dtype == expected)
    }
  }

  @Test(arguments: [[2], []])
  func numbersKeepTheTensorsType(shape: [Int]) {
    // With a Boolean, an integer, a real number.
    let rows = [
      "blf", "uuf", "ccf", "ssf", "vvf", "iif", "wwf", "llf", "xxf", "hhh", "ggg", "fff", "ddd",
    ]
    for (dtype, row) in zip(DType.allCases, rows) {
      let x = Self.tensor(dtype, shape)
      let expected = row.map { Self.letters[$0] }
      #expect([x * true, x * 2, x * 2.5].map(\.dtype) == expected, "\(dtype)")
      #expect([true * x, 2 * x, 2.5 * x].map(\.dtype) == expected, "\(dtype)")
      let quotient: DType = dtype.isFloatingPoint ? dtype : .float32
      #expect([x / true, x / 2, x / 2.5, 2 / x, 2.5 / x].allSatisfy { $0.dtype == quotient })
      #expect(x.clamped(min: 2).dtype == expected[1])
      #expect(x.clamped(max: 2.5).dtype == expected[2])
      #expect(Tensor.where(x .== x, x, 2.5).dtype == expected[2])
    }
  }

  @Test func functions() {
    for dtype in DType.allCases {
      let x = Self.tensor(dtype, [3])
      let real: DType = dtype.isFloatingPoint ? dtype : .float32
      for y in [x.sqrt(), x.rsqrt(), x.exp(), x.log(), x.tanh(), x.erf(), x.reciprocal()] {
        #expect(y.dtype == real)
      }
      #expect(x.abs().dtype == dtype && x.squared().dtype == dtype)
      if dtype != .bool { #expect((-x).dtype == dtype && (x - x).dtype == dtype) }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { Self.tensor(.bool, [2]) - Self.tensor(.bool, [2]) }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { -Self.tensor(.bool, [2]) } }
  }
}
