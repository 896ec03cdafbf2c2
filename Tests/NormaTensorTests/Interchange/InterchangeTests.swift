import Foundation
import NormaReference
import NormaTensor
import Testing

/// Tensors to and from Swift's arrays, bytes, sequences, coders and sets.
@Suite struct InterchangeTests {
  static let types = DType.allCases

  private func samples(_ type: DType, _ shape: [Int]) -> [Sample] {
    var random = TestRandom(seed: 23)
    return Arrangement.allCases.map {
      Sample(shape, type, $0, random: &random)
    }
  }

  @Test(arguments: types) func nestedArrays(_ type: DType) {
    for sample in samples(type, [2, 3, 2, 2]) {
      let four = sample.tensor.array(of: [[[Double]]].self)
      #expect(four.joined().joined().joined().elementsEqual(sample.values))
      #expect(isSame(Tensor(four, dtype: type), sample.tensor))
      #expect(sample.tensor[1].array(of: [[Double]].self) == four[1])
      #expect(sample.tensor[1, 2].array(of: [Double].self) == four[1][2])
    }
    #expect(Tensor.zeros(2, 0).array(of: [Float].self) == [[], []])
    #expect(Tensor([[true], [false]]).array(of: [Bool].self) == [[true], [false]])
  }

  @Test func nestedMistakes() {
    let x = Tensor.ones(2, 3)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { #expect(x.array(of: [[Float]].self) == [[[0]]]) }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { _ = Tensor([[1], [2, 3]]) } }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = Tensor([[[1.0], [2]], [[3]]]) }
    }
  }

  @Test func integers() {
    #expect(isSame(Tensor(exactly: [Int8(-3), 4]), Tensor([-3, 4])))
    #expect(
      isSame(
        Tensor(exactly: [UInt64(7), 9], shape: [2, 1], dtype: .uint8),
        Tensor([[7], [9]], dtype: .uint8)))
    #expect(Tensor([-3, 4]).array(exactly: Int8.self) == [-3, 4])
    #expect(Tensor([true, false]).array(exactly: UInt16.self) == [1, 0])
    let wrong: [() -> Void] = [
      { _ = Tensor(exactly: [UInt64.max]) }, { _ = Tensor(exactly: [300], dtype: .uint8) },
      { _ = Tensor(exactly: [1], dtype: .float32) },
      { _ = Tensor([-1]).array(exactly: UInt8.self) },
      { _ = Tensor([1.0]).array(exactly: Int8.self) },
      { _ = Tensor(exactly: [Int16(1)], shape: [2]) },
    ]
    for (index, call) in wrong.enumerated() {
      #expect(throws: TensorError.self, "\(index)") { try catchingTensorErrors { call() } }
    }
  }

  @Test(arguments: types) func elementsWithoutCopies(_ type: DType) {
    for sample in samples(type, [3, 4]) {
      for i in 0..<3 {
        for j in 0..<4 {
          #expect(sample.tensor.item(at: i, j - 4) == sample.values[i * 4 + j])
        }
      }
    }
    let x = withSeed(1) { Tensor.rand(2, 3, 4, 5) }.evaluated().permuted(3, 1, 0, 2)
    x.withElements(of: Float.self) { view in
      #expect(view[4, 2, 1, 3] == x[4, 2, 1, 3].item(as: Float.self))
      #expect(view[[0, 1, 1, 2]] == x[0, 1, 1, 2].item(as: Float.self))
      #expect(view.shape == [5, 3, 2, 4] && view.strides == x.strides)
    }
    x[0].withElements(of: Float.self) { #expect(Double($0[1, 0, 3]) == x.item(at: 0, 1, 0, 3)) }
    x[0, 0].withElements(of: Float.self) { #expect(Double($0[1, 2]) == x.item(at: 0, 0, 1, 2)) }
    x[0, 0, 0].withElements(of: Float.self) { #expect(Double($0[2]) == x.item(at: 0, 0, 0, 2)) }
    #expect(Tensor(Int64.max).withElements(of: Int64.self) { $0[[]] } == .max)
    for call in [{ x.item(at: 5, 0, 0, 0) }, { x.item(at: 0) }] as [() -> Double] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { #expect(call() == 0) } }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { #expect(x.withElements(of: Double.self) { $0[0, 0, 0, 0] } == 0) }
    }
  }

  @Test func aWrongIndexEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      Tensor.ones(2, 3).withElements(of: Float.self) { _ = $0[1, 3] }
    }
    await #expect(processExitsWith: .failure) {
      Tensor.ones(2, 3).withElements(of: Float.self) { _ = $0[1] }
    }
  }

  @Test func sequence() throws {
    let x = withSeed(2) { Tensor.rand(3, 4) }
    var rows: [Tensor] = []
    for row in x.transposed() { rows.append(row) }
    #expect(rows.count == 4 && isSame(.stacked(rows, over: 1), x))
    #expect(x.map { $0.sum().item() } == (0..<3).map { x[$0].sum().item() })
    #expect(
      Array(Tensor.zeros(0, 2)).isEmpty && Array(Tensor([1, 2])).map { $0.item() } == [1, 2])
    #expect(x.underestimatedCount == 3)
    let base = x.evaluated().withUnsafeBytes { $0.baseAddress }
    #expect(
      x.evaluated().enumerated().allSatisfy { index, row in
        row.withUnsafeBytes { $0.baseAddress } == base.map { $0 + index * 16 }
      })
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { for _ in Tensor(1) { Issue.record("a slice of a scalar") } }
    }
    try checkGradient(of: { $0[0].reduce(Tensor(1.0)) { $0 * $1.sum() } }, at: [x])
  }

  @Test func bytes() {
    let numbers: [Float] = [1, .nan, -.infinity, -0.0]
    let copy = numbers.withUnsafeBytes { Tensor(copying: $0, shape: [2, 2], dtype: .float32) }
    #expect(isSame(copy, Tensor(numbers, shape: [2, 2])))
    let truth: [UInt8] = [0, 1, 7]
    #expect(
      truth.withUnsafeBytes { Tensor(copying: $0, shape: [3], dtype: .bool) }.array(of: Bool.self)
        == [false, true, true])
    #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        _ = truth.withUnsafeBytes { Tensor(copying: $0, shape: [3], dtype: .int32) }
      }
    }
  }

  @Test(arguments: types) func coding(_ type: DType) throws {
    let special = Tensor([0, -0.0, 1.5, .nan, .infinity, -.infinity, 65504, 1e-8]).cast(to: type)
    let shapes = [[], [0], [2, 0, 3], [1], [2], [3], [5, 7]]
    let tensors = [special] + shapes.flatMap { samples(type, $0).map(\.tensor) }
    for tensor in tensors {
      let data = try JSONEncoder().encode(tensor)
      let read = try JSONDecoder().decode(Tensor.self, from: data)
      #expect(read.contents == tensor.contents && !read.hasHistory)
    }
  }

  @Test func codedForm() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(Tensor([Float(1), 2])), as: UTF8.self)
    #expect(text == #"{"data":"AACAPwAAAEA=","dtype":"float32","shape":[2]}"#)
    let poisoned = catchingPoison()
    #expect(throws: EncodingError.self) { try encoder.encode(poisoned) }
    // Base64 against Foundation's.
    for count in 0..<50 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 89) }
      let coded = String(decoding: try encoder.encode(Tensor(bytes)), as: UTF8.self)
      #expect(coded.contains("\"\(Data(bytes).base64EncodedString())\""))
    }
  }

  private func catchingPoison() -> Tensor {
    var result = Tensor(0)
    _ = try? catchingTensorErrors { result = Tensor.ones(2).reshaped(3) }
    return result
  }

  @Test(arguments: [
    #"{"dtype":"float32","shape":[2],"data":"AACAPwAAAEA"}"#,
    #"{"dtype":"float32","shape":[3],"data":"AACAPwAAAEA="}"#,
    #"{"dtype":"float31","shape":[2],"data":"AACAPwAAAEA="}"#,
    #"{"dtype":"float32","shape":[-2],"data":"AACAPwAAAEA="}"#,
    #"{"dtype":"float32","shape":[9223372036854775807,2],"data":"AACAPwAAAEA="}"#,
    #"{"dtype":"float32","shape":[2],"data":"AACAPwAAA*A="}"#,
    #"{"dtype":"float32","shape":[2],"data":"AACAPwAAAEB="}"#,
    #"{"dtype":"bool","shape":[3],"data":"AQAC"}"#,
    #"{"dtype":"uint8","shape":[2],"data":"AQID"}"#,
    #"{"dtype":"uint8","shape":[1],"data":"===="}"#,
    #"{"dtype":"uint8","shape":[1],"data":"A==="}"#,
    #"{"dtype":"uint8","shape":[4611686018427387904],"data":""}"#,
    #"{"dtype":"uint8","shape":[1.5],"data":"AQ=="}"#, #"{"shape":[1],"data":"AQ=="}"#,
  ]) func hostileInput(_ text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Tensor.self, from: Data(text.utf8))
    }
  }

  @Test func tooManyAxesAreRejected() {
    let shape = Array(repeating: "1", count: 100_000).joined(separator: ",")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        Tensor.self, from: Data("{\"dtype\":\"uint8\",\"shape\":[\(shape)],\"data\":\"AQ==\"}".utf8)
      )
    }
  }

  @Test func contents() {
    let x = withSeed(4) { Tensor.rand(3, 4) }
    let copy = (x.transposed() * 1).evaluated().transposed()
    #expect(x.contents == copy.contents && x.contents.hashValue == copy.contents.hashValue)
    #expect(x.contents != x.transposed().contents && x.contents != x.cast(to: .float64).contents)
    #expect(x.contents != (x + 1).contents && x.reshaped(4, 3).contents != x.contents)
    let special = Tensor([Double.nan, 0])
    #expect(
      special.contents == (special * 1).contents && Tensor(0.0).contents != Tensor(-0.0).contents)
    let set: Set = [
      x.contents, copy.contents, special.contents, Tensor.zeros(0).contents,
      Tensor.zeros(0, 1).contents,
    ]
    #expect(set.count == 4 && set.contains((x * 1).contents))
  }
}
