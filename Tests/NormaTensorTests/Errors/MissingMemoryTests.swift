import NormaTensor
import Testing

/// Results for which no machine has memory: a mistake that names the call and its file and line,
/// inside a scope.
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
      "conv2d",
      {
        _ = conv2d(
          wide(1 << 40, 1, 2, 2, dtype: .float64), weight: .ones([1, 1, 1, 1], dtype: .float64))
      }
    ),
    (
      "matmul(_:)",
      { _ = wide(1 << 22, 1, dtype: .bfloat16).matmul(wide(1, 1 << 22, dtype: .bfloat16)) }
    ),
    ("maxPool2d", { _ = maxPool2d(wide(1 << 40, 1, 2, 2), kernelSize: 2) }),
    ("avgPool2d", { _ = avgPool2d(wide(1 << 40, 1, 2, 2), kernelSize: 2) }),
    ("cumulativeSum", { _ = wide(1 << 42).cumulativeSum(over: 0) }),
    ("cumulativeMax", { _ = wide(1 << 42).cumulativeMax(over: 0).values }),
    ("sorted", { _ = wide(1 << 42).sorted(over: 0).values }),
    ("rolled(by:)", { _ = wide(1 << 42).rolled(by: 1) }),
    ("rolled(by:over:)", { _ = wide(1 << 42).rolled(by: [1], over: [0]) }),
    ("selected", { _ = wide(1 << 43).selected(where: wide(1 << 43) .> 0) }),
    ("item(at:)", { _ = wide(2, 1 << 42, dtype: .float64).sum(over: 0).item(at: 3) }),
    ("item(at:)", { _ = wide(2, 1 << 42).std(over: 0).item(at: 3) }),
    ("indexAdded", { _ = wide(1 << 42).indexAdded(Tensor([0]), .ones(1), over: 0) }),
    ("array(of:)", { _ = wide(1 << 42).array(of: Float.self) }),
    ("withUnsafeBuffer(of:)", { _ = wide(1 << 42).withUnsafeBuffer(of: Float.self) { $0.count } }),
    ("withUnsafeBytes(_:)", { _ = wide(1 << 42).withUnsafeBytes { $0.count } }),
    ("evaluated()", { _ = (wide(1 << 42) + 1).evaluated() }),
    (
      "subscript",
      {
        var y = wide(1 << 42)
        y[0] = 1
      }
    ),
    ("subscript", { _ = wide(1 << 42)[wide(1 << 42, dtype: .bool)] }),
    ("tril", { _ = wide(1 << 22, 1 << 22).tril() }),
    ("cdist", { _ = wide(1 << 22, 1).cdist(wide(1 << 22, 1)) }),
    ("unique", { _ = wide(1 << 42, dtype: .int64).unique() }),
    ("binCount", { _ = wide(1 << 42, dtype: .int64).binCount() }),
  ]

  /// Requests beyond the address space of processors, and operations on tensors that take no memory
  /// themselves.
  static let beyondAddresses: [(String, @Sendable () -> Void)] = [
    ("item(at:)", { _ = (wide(1 << 57) + 1).item(at: 5) }),
    ("rolled(by:)", { _ = wide(1 << 58).rolled(by: 1) }),
    ("array(of:)", { _ = wide(1 << 57).flipped(over: 0).array(of: Float.self) }),
    ("sorted", { _ = wide(1 << 58).sorted(over: 0).values }),
    ("cumulativeSum", { _ = wide(1 << 57).cumulativeSum(over: 0) }),
    ("binCount", { _ = wide(1 << 57, dtype: .int64).binCount() }),
    ("unique", { _ = wide(1 << 57, dtype: .int64).unique() }),
    ("histc", { _ = wide(1 << 57).histc(bins: 3, min: 0, max: 2) }),
    ("histogram(bins:)", { _ = wide(1 << 57).histogram(bins: 3, range: 0...2) }),
    ("searchSorted", { _ = wide(1 << 57).searchSorted(Tensor.ones(2)) }),
    ("selected", { _ = wide(1 << 57).selected(where: wide(1 << 57) .> 0) }),
    ("evaluated()", { wide(1 << 57).sum().evaluated() }),
    ("array(of:)", { _ = wide(1 << 52, 64).sum(over: 0).array(of: Float.self) }),
    ("item()", { _ = (wide(1 << 56) + 1).std().item() }),
    ("moments(over:)", { _ = wide(1 << 56, dtype: .float64).moments() }),
  ]

  /// A call followed by other calls keeps its name and line.
  @Test func keepsItsCallSite() throws {
    var line = 0
    do {
      try catchingTensorErrors {
        line = #line + 1
        let x = Self.wide(1 << 42).rolled(by: 1)
        _ = x.reshaped(-1).sum().item()
      }
      Issue.record("nothing was thrown")
    } catch let error as TensorError {
      #expect(error.call == "rolled(by:)" && error.line == line, "\(error)")
    }
  }

  @Test(arguments: (calls + beyondAddresses).indices)
  func isAMistakeOfTheCall(_ number: Int) throws {
    let (name, call) = (Self.calls + Self.beyondAddresses)[number]
    let error = try #require(
      #expect(throws: TensorError.self) { try catchingTensorErrors { call() } })
    #expect(error.reason.contains("more than the available memory"), "\(error)")
    #expect(error.reason.hasPrefix("shape ["), "\(error)")
    #expect(error.call.hasPrefix(name), "\(error)")
    #expect(error.file == "NormaTensorTests/MissingMemoryTests.swift", "\(error)")
    #expect((error.line ?? 0) > 0, "\(error)")
    #expect(Tensor.ones(3).cumulativeSum(over: 0).array() == [1, 2, 3])
  }

  /// If a reduction lacks memory beyond its results, that is a mistake, too.
  @Test func scratchMemory() throws {
    let calls: [@Sendable () -> Void] = [
      { Self.wide(1 << 57).sum().evaluated() },
      { _ = (Self.wide(1 << 56) + 1).std().item() },
      { _ = Self.wide(1 << 56, dtype: .float64).moments() },
    ]
    for call in calls {
      let error = try #require(
        #expect(throws: TensorError.self) { try catchingTensorErrors { call() } })
      #expect(error.reason.contains("bytes of scratch, more than the available memory"), "\(error)")
    }
  }

  @Test func endsTheProcessOutsideOfAScope() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let x = Tensor.ones(1 << 10, 1).broadcast(to: [1 << 10, 1 << 32])
        _ = x.matmul(Tensor.ones(1, 1 << 10).broadcast(to: [1 << 32, 1 << 10]))
      })
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("shape [1024, 4294967296] of float32 takes"), "\(text)")
    #expect(text.contains("more than the available memory"), "\(text)")
  }
}
