import NormaTensor
import Testing

/// The usual ways to read an answer, in a scope in which a mistake was made.
@Suite(.seeded) struct ServingTests {
  static let names = ["cat", "dog"]

  /// A shape mistake, as caused by a bad request.
  static func answer(_ columns: Int) -> Tensor {
    Tensor.ones(1, columns).matmul(Tensor.ones(3, 2))
  }

  @Test func readingAPoisonedTensorDoesNotEndTheProcess() async {
    await #expect(processExitsWith: .success) {
      let reads: [(Tensor) throws -> Void] = [
        { demand(ServingTests.names[Int($0.argmax().item())] == "cat") },
        { demand(ServingTests.names[$0.argmax().item(as: Int.self)] == "cat") },
        { demand($0.array(of: Float.self)[0] == 0) },
        { demand($0.array(of: [Float].self)[0][0] == 0) },
        { demand($0.shape[1] == 1 && $0.strides[0] >= 0) },
        { demand(ServingTests.names[Int($0[0].argmax().item(at: 0))] == "cat") },
        { demand($0.withElements(of: Float.self) { $0[0, 1] } == 0) },
        { demand($0.withUnsafeBuffer(of: Float.self) { $0[0] } == 0) },
        { demand($0.split(into: 3)[2].isPoisoned && $0.chunked(4, over: 1)[3].isPoisoned) },
        { demand($0.split([1, 2, 3])[2].isPoisoned && $0.hsplit(into: 2)[1].isPoisoned) },
        { demand($0.moments().mean[0].isNaN && $0.moments().count[0] == 0) },
        { demand($0.array(exactly: UInt16.self)[0] == 0) },
        { for row in $0 { demand(row.isPoisoned) } },
        { _ = try $0.validated().shape[7] },
      ]
      for (number, read) in reads.enumerated() {
        do {
          try catchingTensorErrors { try read(ServingTests.answer(4)) }
          demand(false, "nothing was thrown by \(number)")
        } catch let error as TensorError {
          demand(error.call == "matmul(_:)", "\(number): \(error)")
        } catch {
          demand(false, "\(error)")
        }
      }
    }
  }

  @Test func validatedStopsAtTheMistake() throws {
    var reached = false
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        let scores = try Self.answer(4).validated()
        reached = true
        _ = scores
      }
    }
    #expect(!reached && error?.call == "matmul(_:)")
    let name = try catchingTensorErrors {
      Self.names[try Self.answer(3).validated().argmax().item(as: Int.self)]
    }
    #expect(name == "cat")
  }

  @Test func errorsKnowTheirCallSite() throws {
    var line = 0
    do {
      // Not within a macro, which has lines of its own.
      line = #line + 1
      _ = try catchingTensorErrors { Tensor.ones(2).sum(over: 3) }
      Issue.record("the axis must be refused")
    } catch let error as TensorError {
      #expect(error.file == "NormaTensorTests/ServingTests.swift")
      #expect(error.line == line)
    }
    // Raised inside the library, by a call that has a file and line.
    let inner = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Tensor.ones(2, 3).rolled(by: [1], over: [5]) }
    }
    #expect(inner?.file == "NormaTensorTests/ServingTests.swift")
    // Subscripts know their caller, too, reading and writing.
    for body: () -> Void in [
      { _ = Tensor.ones(2, 3)[5] },
      { _ = Tensor.ones(2, 3)[..., 5] },
      { _ = Tensor.ones(2, 3)[0, ..., 5] },
      { _ = Tensor.ones(2, 3)[Tensor([9])] },
      {
        var x = Tensor.ones(2, 3)
        x[5] = Tensor.ones(3)
      },
      {
        var x = Tensor.ones(2, 3)
        x[..., 5] = 1
      },
      {
        var x = Tensor.ones([2, 3], dtype: .uint8)
        x[0] = 300
      },
    ] {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors(body) }
      #expect(error?.call == "subscript" && error?.file == "NormaTensorTests/ServingTests.swift")
      #expect((error?.line ?? 0) > 0)
    }
    // Operators do not know their caller, and neither does what follows them.
    let other = #expect(throws: TensorError.self) {
      try catchingTensorErrors { (Tensor.ones(2) + Tensor.ones(3)).reshaped(7) }
    }
    #expect(other?.call == "+" && other?.file == nil && other?.line == nil)
  }

  @Test func cancellationKeepsTheMistake() async {
    let error = await #expect(throws: TensorError.self) {
      try await catchingTensorErrors {
        let scores = Self.answer(4)
        await Task.yield()
        _ = scores
        throw CancellationError()
      }
    }
    #expect(error?.call == "matmul(_:)" && error?.wasCancelled == true)
    await #expect(throws: CancellationError.self) {
      try await catchingTensorErrors {
        await Task.yield()
        throw CancellationError()
      }
    }
    let plain = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Self.answer(4) }
    }
    #expect(plain?.wasCancelled == false)
  }

  /// Sixteen terabytes are a mistake of the call, not the end of the process.
  @Test func missingMemoryIsAMistake() {
    let tooMany = 1 << 42
    let calls: [(() -> Void, String)] = [
      ({ _ = Tensor([tooMany]).binCount() }, "binCount(weights:minLength:)"),
      ({ _ = Tensor([1 << 45]).oneHot() }, "oneHot"),
      ({ _ = Tensor.zeros(tooMany) }, "full"),
      (
        { _ = Tensor.ones(1).broadcast(to: [tooMany]).flipped(over: 0).array(of: Float.self) },
        "array(of:)"
      ),
      ({ _ = (Tensor.ones(1).broadcast(to: [tooMany]) + 1).item(at: 3) }, "item(at:)"),
      ({ _ = Tensor.rand(tooMany) }, "rand"),
      ({ _ = Tensor.ones(1).broadcast(to: [tooMany]).padded([1, 1]) }, "padded"),
    ]
    for (number, (call, name)) in calls.enumerated() {
      let error = #expect(throws: TensorError.self, "\(number)") {
        try catchingTensorErrors { call() }
      }
      guard let error else { continue }
      #expect(error.reason.contains("more than the available memory"), "\(number): \(error)")
      #expect(error.call.hasPrefix(name), "\(number): \(error)")
      #expect(error.file == "NormaTensorTests/ServingTests.swift", "\(number): \(error)")
    }
    #expect(Tensor.ones(3).sum().item() == 3)
  }
}
