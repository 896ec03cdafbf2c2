import Foundation
import NormaFiles
import NormaTensor
import Testing

/// The numbers are NumPy's, by the formulas of scikit-learn.
@Suite struct ScalerTests {
  private let nan = Double.nan
  private var table: Tensor {
    Tensor([[1, 10, 5], [2, nan, 5], [4, 30, 5], [9, 20, 5]])
  }

  private func values(_ tensor: Tensor) -> [Double] { tensor.array(of: Double.self) }

  private func again<T: Codable>(_ value: T) throws -> T {
    try JSONDecoder().decode(T.self, from: JSONEncoder().encode(value))
  }

  private func isRefused(_ problem: String, _ body: () -> Void) -> Bool {
    do {
      try catchingTensorErrors(body)
      return false
    } catch {
      return "\(error)".contains(problem)
    }
  }

  @Test func standardScaling() throws {
    let scaler = try again(StandardScaler(fitting: table))
    #expect(scaler == StandardScaler(fitting: table))
    #expect(scaler.mean == [4, 20, 5])
    #expect(scaler.std == [3.082207001484488, 8.16496580927726, 0])
    let scaled = values(scaler(table))
    let expected = [
      -0.9733285267845753, -1.224744871391589, 0, -0.6488856845230502, nan, 0, 0,
      1.224744871391589, 0, 1.6222142113076254, 0, 0,
    ]
    for (found, wanted) in zip(scaled, expected) {
      #expect(found == wanted || found.isNaN && wanted.isNaN || abs(found - wanted) < 3e-16)
    }
    // A constant column comes back, and other values of it are only shifted.
    #expect(values(scaler.inverse(scaler(Tensor([9.0, 20, 6])))) == [9, 20, 6])
    #expect(values(scaler(Tensor([4.0, 20, 7]))) == [0, 0, 2])
    #expect(StandardScaler(fitting: table, correction: 1).std[1] == 10)
    #expect(StandardScaler(fitting: table[0..<1], correction: 1).std == [0, 0, 0])
  }

  @Test func farFromZeroInFloat32() {
    let x = Tensor([1e7, 1e7 + 1, 1e7 + 2, 1e7 + 3] as [Float]).reshaped(4, 1)
    let y = StandardScaler(fitting: x)(x)
    #expect(y.dtype == .float32)
    #expect(y.array(of: Float.self) == [-1.3416408, -0.4472136, 0.4472136, 1.3416408])
    #expect(StandardScaler(fitting: x.cast(to: .int64))(x.cast(to: .int32)).isEqual(to: y))
  }

  @Test func mergedMoments() throws {
    let x = Tensor([[1, 2], [3, 5], [8, 9]] as [[Double]])
    let parts = try #require(
      x[0..<1].moments(over: 0).merged(with: x[1..<3].moments(over: 0)))
    let (whole, merged) = (StandardScaler(fitting: x), StandardScaler(parts))
    for (a, b) in zip(whole.mean + whole.std, merged.mean + merged.std) {
      #expect(abs(a - b) < 1e-15 * 9)
    }
  }

  @Test func minMaxScaling() throws {
    let scaler = try again(MinMaxScaler(fitting: table))
    #expect(scaler.min == [1, 10, 5] && scaler.max == [9, 30, 5])
    let scaled = values(scaler(table))
    #expect(scaled[0..<3] == [0, 0, 0] && scaled[4].isNaN && scaled[9...] == [1, 0.5, 0])
    #expect(values(scaler(Tensor([17.0, 0, 6]))) == [2, -0.5, 1])
    let signed = MinMaxScaler(fitting: table, to: -1...1)
    #expect(values(signed(table))[9...] == [1, 0, -1])
    #expect(values(signed.inverse(signed(Tensor([3.0, 12, 5])))) == [3, 12, 5])
  }

  @Test func imputing() throws {
    let more = Tensor([[1, 10, nan], [2, nan, 5], [4, 30, nan], [9, 20, 6], [nan, 25, nan]])
    let mean = try again(Imputer(fitting: more))
    #expect(mean.values == [4, 21.25, 5.5] && mean.flagged == [])
    #expect(values(mean(Tensor([nan, 1, nan]))) == [4, 1, 5.5])
    #expect(mean(more).dtype == .float64 && mean(Tensor([[1, 2, 3] as [Int64]])).dtype == .float32)
    let median = Imputer(fitting: more, with: .median)
    #expect(median.values == [3, 22.5, 5.5])
    let constant = Imputer(fitting: Tensor.full([2, 2], nan), with: .constant(-1))
    #expect(values(constant(Tensor([nan, 7]))) == [-1, 7])
  }

  @Test func flagsAreOfTheColumnsOfTheFit() throws {
    let imputer = try again(Imputer(fitting: table, addsFlags: true))
    #expect(imputer.flagged == [1])
    let x = imputer(Tensor([[nan, nan, 1], [2, 3, 4]] as [[Double]]).cast(to: .float32))
    #expect(x.dtype == .float32)
    #expect(values(x) == [4, 20, 1, 1, 2, 3, 4, 0])
  }

  @Test func mistakesAreNamed() throws {
    let empty = Tensor([[1, nan], [2, nan]])
    let infinite = Tensor([[1, Double.infinity], [2, 3]])
    let missing = "column 1 of 2 has no finite"
    for x in [empty, infinite] {
      #expect(isRefused(missing) { _ = StandardScaler(fitting: x) })
      #expect(isRefused(missing) { _ = MinMaxScaler(fitting: x) })
      #expect(isRefused(missing) { _ = Imputer(fitting: x) })
    }
    #expect(isRefused("all its values are missing") { _ = Imputer(fitting: empty, with: .median) })
    #expect(isRefused("it has infinite values") { _ = StandardScaler(fitting: infinite) })
    #expect(isRefused("no rows") { _ = MinMaxScaler(fitting: Tensor.zeros(0, 2)) })
    #expect(isRefused("no rows") { _ = Imputer(fitting: Tensor.zeros(0, 2), with: .median) })
    #expect(isRefused("column 0 of 2") { _ = StandardScaler(fitting: Tensor.zeros(0, 2)) })
    #expect(isRefused("unsqueezed(1)") { _ = StandardScaler(fitting: Tensor.zeros(3)) })
    #expect(isRefused("no finite length") { _ = MinMaxScaler(fitting: table, to: 1...1) })
    let scaler = StandardScaler(fitting: table)
    #expect(isRefused("3 columns, got shape [4, 2]") { _ = scaler(Tensor.zeros(4, 2)) })
    #expect(isRefused("3 columns, got shape []") { _ = scaler.inverse(Tensor(1)) })
    for text in [#"{"mean":[1],"std":[]}"#, #"{"mean":[1],"std":[-1]}"#] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(StandardScaler.self, from: Data(text.utf8))
      }
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        Imputer.self, from: Data(#"{"values":[1],"flagged":[1]}"#.utf8))
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        MinMaxScaler.self, from: Data(#"{"min":[1],"max":[0],"lower":0,"upper":1}"#.utf8))
    }
  }
}
