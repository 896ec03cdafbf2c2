import NormaTensor
import Testing

/// Scopes that catch mistakes, and the tensors that mistakes produce.
@Suite struct ErrorScopeTests {
  let x = Tensor.ones(2, 3)

  @Test func theFirstMistakeIsThrown() throws {
    #expect(try catchingTensorErrors { (x + 1).sum().item() } == 12)
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        let wrong = x.sum(over: 5)
        _ = wrong.reshaped(7).matmul(x)
        _ = x.permuted(0)
      }
    }
    #expect(error?.call == "sum(over:)")
    // Even if the result is not used.
    #expect(throws: TensorError.self) { try catchingTensorErrors { _ = x.max(over: 2) } }
  }

  @Test func otherErrorsPassThrough() {
    struct Other: Error {}
    #expect(throws: Other.self) {
      try catchingTensorErrors {
        _ = x.sum(over: 5)
        throw Other()
      }
    }
  }

  @Test func poisonSpreads() throws {
    let scope = #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        let p = x.reshaped(5)
        #expect(p.isPoisoned)
        let results = [
          p + 1, 1 - p, x + p, -p, p.abs(), p.exp(), p .< 2, p.cast(to: .int64), p.sum(over: 7),
          p.mean(), p.std(over: 0, 1), p.max(), p.reshaped(99), p.permuted(3, 1), p.transposed(),
          p.squeezed(4), p.unsqueezed(9), p.broadcast(to: [2]), p[4, 5], p[..., 1], p.flattened(),
          p.matmul(x), x.matmul(p), p.clamped(min: 0), Tensor.where(x .> 0, p, x),
          Tensor.where(p, x, x), maximum(p, x), p.squared(), p.evaluated(), p / 2, p * x,
          Tensor.where(p, 1.0, x), x.clamped(max: p),
        ]
        for (k, result) in results.enumerated() { #expect(result.isPoisoned, "\(k)") }
        #expect(p.item() == 0 && p.item(as: Float.self) == 0 && p.item(as: Int.self) == 0)
        #expect(p.array(of: Float.self) == [0] && p.array(of: Int.self) == [0])
        #expect(p.withUnsafeBytes { $0.count } == 0)
        #expect(p.withUnsafeBuffer(of: Float.self) { $0.count } == 1)
        #expect(p.moments().count == [0])
        #expect(!p.isEqual(to: p) && !p.allClose(to: x) && !x.allClose(to: p))
        #expect(p.description == "poisoned tensor" && p.summary == "poisoned tensor")
      }
    }
    #expect(scope?.call == "reshaped(_:)")
  }

  @Test func scopesNest() throws {
    let value = try catchingTensorErrors {
      let inner = #expect(throws: TensorError.self) {
        try catchingTensorErrors { x.sum(over: 3).item() }
      }
      #expect(inner != nil)
      return x.sum().item()
    }
    #expect(value == 6)
  }

  @Test func tasksHaveTheirOwnScopes() async throws {
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          do {
            let shape = try await catchingTensorErrors {
              let y = Tensor.ones(4).reshaped(task % 2 == 0 ? [2, 2] : [3])
              await Task.yield()
              return (y + 1).shape
            }
            return task % 2 == 0 && shape == [2, 2]
          } catch {
            return task % 2 == 1 && error is TensorError
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
    // A child task belongs to the scope of its parent.
    await #expect(throws: TensorError.self) {
      try await catchingTensorErrors {
        async let y = Tensor.ones(4).reshaped(3)
        return await y.shape
      }
    }
  }

  @Test func readersOfOtherTypes() throws {
    #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        #expect(x.withUnsafeBuffer(of: Double.self) { $0.count } == 0)
      }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { x.item() } }
  }
}
