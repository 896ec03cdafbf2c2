import NormaKernels
import NormaTensor
import Testing

/// Results for which no machine has memory: a mistake that names the call and its place, inside of a scope.
@Suite struct MissingMemoryTests {
  private static func wide(_ shape: Int..., dtype: DType = .float32) -> Tensor {
    Tensor.ones(1, dtype: dtype).broadcast(to: shape)
  }

  static let calls: [(String, @Sendable () -> Void)] = [
    ("matmul(_:)", { _ = wide(1 << 22, 1).matmul(wide(1, 1 << 22)) }),
    (
      "matmul(_:)",
      { _ = wide(1 << 22, 1, dtype: .float64).matmul(wide(1, 1 << 22, dtype: .float64)) }
    ),
    ("conv2d", { _ = conv2d(wide(1 << 40, 1, 2, 2), weight: .ones(1, 1, 1, 1)) }),
    ("conv2d", { _ = conv2d(wide(1 << 40, 1, 2, 2), weight: .ones(1, 1, 1, 1), stride: 2) }),
    (
      "matmul",
      {
        _ = conv2d(
          wide(1 << 40, 1, 2, 2, dtype: .float64), weight: .ones([1, 1, 1, 1], dtype: .float64))
      }
    ),
    ("maxPool2d", { _ = maxPool2d(wide(1 << 40, 1, 2, 2), kernelSize: 2) }),
    ("", { _ = avgPool2d(wide(1 << 40, 1, 2, 2), kernelSize: 2) }),
    ("cumulativeSum", { _ = wide(1 << 42).cumulativeSum(over: 0) }),
    ("cumulativeMax", { _ = wide(1 << 42).cumulativeMax(over: 0).values }),
    ("sorted", { _ = wide(1 << 42).sorted(over: 0).values }),
    ("", { _ = wide(1 << 42).rolled(by: 1) }),
    ("selected", { _ = wide(1 << 43).selected(where: wide(1 << 43) .> 0) }),
    ("", { _ = wide(2, 1 << 42, dtype: .float64).sum(over: 0).item(at: 3) }),
    ("", { _ = wide(2, 1 << 42).std(over: 0).item(at: 3) }),
    ("indexAdded", { _ = wide(1 << 42).indexAdded(Tensor([0]), .ones(1), over: 0) }),
  ]

  @Test(arguments: calls.indices) func isAMistakeOfTheCall(_ number: Int) throws {
    let (name, call) = Self.calls[number]
    let error = try #require(
      #expect(throws: TensorError.self) { try catchingTensorErrors { call() } })
    #expect(error.reason.contains("there is no such memory"), "\(error)")
    #expect(error.reason.hasPrefix("shape ["), "\(error)")
    #expect(error.call.hasPrefix(name), "\(error)")
    if !name.isEmpty {
      #expect(error.file == "NormaTensorTests/MissingMemoryTests.swift", "\(error)")
    }
    #expect(Tensor.ones(3).cumulativeSum(over: 0).array() == [1, 2, 3])
  }

  @Test func endsTheProcessOutsideOfAScope() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let x = Tensor.ones(1 << 10, 1).broadcast(to: [1 << 10, 1 << 32])
        _ = x.matmul(Tensor.ones(1, 1 << 10).broadcast(to: [1 << 32, 1 << 10]))
      })
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("shape [1024, 4294967296] of float32 takes"), "\(text)")
    #expect(text.contains("there is no such memory"), "\(text)")
  }
}
