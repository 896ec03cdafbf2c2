import NormaTensor
import Testing

// A debug build takes a tenth of the steps, which is long enough for a stack to overflow.
#if DEBUG
  private let steps = 100_000
#else
  private let steps = 1_000_000
#endif

/// Propagation of gradients: leaves, scopes, hooks, checkpoints, errors, depth and memory.
@Suite(.serialized) struct GradientTests {
  @Test func backwardAddsUpInLeaves() {
    let x = Tensor([1.0, 2, 3]).requiringGradient()
    let y = (x * x).sum()
    y.backward(retainGraph: true)
    #expect(x.grad?.array(of: Double.self) == [2, 4, 6])
    y.backward()
    #expect(x.grad?.array(of: Double.self) == [4, 8, 12])
    #expect(y.hasHistory && !x.detached().hasHistory && x.detached().grad == nil)
  }

  @Test func functionsLeaveNoTrace() {
    let weight = Tensor([3.0]).requiringGradient()
    let (value, slope) = Tensor.valueAndGradient(of: { ($0 * weight).sum() }, at: Tensor([2.0]))
    #expect(value.item() == 6 && slope.array(of: Double.self) == [3])
    #expect(weight.grad == nil && !value.hasHistory && !slope.hasHistory)
  }

  @Test func gradientsOfGradients() {
    let cube = { (x: Tensor) in x * x * x }
    let second = { x in Tensor.gradient(of: { Tensor.gradient(of: cube, at: $0) }, at: x) }
    #expect(second(Tensor([2.0, -1])).array(of: Double.self) == [12, -6])
    #expect(Tensor.gradient(of: second, at: Tensor([5.0])).array(of: Double.self) == [6])
    // Another variable of the same function, inside an outer differentiation.
    let mixed = Tensor.gradient(
      of: { a in Tensor.gradient(of: { b in a * a * b }, at: Tensor(3.0)) * 1 }, at: Tensor(5.0))
    #expect(mixed.item() == 10)
    let x = Tensor(2.0).requiringGradient()
    let slope = Tensor.gradient(of: x * x * x, at: [x], createGraph: true)[0]
    slope.backward()
    #expect(x.grad?.item() == 12)
  }

  @Test func scopesAndConstants() {
    let x = Tensor([1.0, 2]).requiringGradient()
    #expect(!withoutGradients { x * 2 }.hasHistory)
    #expect(!(x .> 1).hasHistory && !x.cast(to: .int64).hasHistory)
    let y = (x * x.detached()).sum()
    y.backward()
    #expect(x.grad?.array(of: Double.self) == [1, 2])
    let other = Tensor([1.0]).requiringGradient()
    #expect(Tensor.gradient(of: (x * 2).sum(), at: [other, x])[0].array(of: Double.self) == [0])
  }

  @Test func typesAndShapesOfInputs() {
    let half = Tensor.ones(3, dtype: .bfloat16).requiringGradient()
    let wide = Tensor.ones(2, 3, dtype: .float64).requiringGradient()
    (half * wide).sum().backward()
    #expect(half.grad?.dtype == .bfloat16 && half.grad?.shape == [3])
    #expect(half.grad?.array(of: Double.self) == [2, 2, 2])
    #expect(wide.grad?.dtype == .float64 && wide.grad?.shape == [2, 3])
  }

  @Test func hooksSeeAndChange() {
    var seen: [Double] = []
    let x = Tensor([1.0, 2]).requiringGradient()
    let watched = x.onGradient { gradient in
      seen = gradient.array()
      return gradient * 10
    }
    (watched * 3).sum().backward()
    #expect(seen == [3, 3] && x.grad?.array(of: Double.self) == [30, 30])
  }

  @Test func checkpointsRunTwiceAndAgree() {
    var runs = 0
    let weight = Tensor([2.0, 3]).requiringGradient()
    let x = Tensor([0.5, 1]).requiringGradient()
    func part(_ x: Tensor) -> Tensor {
      runs += 1
      return (x * weight).exp() * Tensor.rand(2, dtype: .float64)
    }
    let plain = withSeed(3) { Tensor.gradient(of: (part(x) * x).sum(), at: [x, weight]) }
      .map { $0.array(of: Double.self) }
    withSeed(3) {
      let kept = (Tensor.checkpoint(x) { part($0[0]) } * x).sum()
      #expect(runs == 2)
      let state = Generator.current
      kept.backward()
      #expect(runs == 3 && Generator.current == state)
    }
    #expect(x.grad?.array(of: Double.self) == plain[0])
    #expect(weight.grad?.array(of: Double.self) == plain[1])
    // Inputs without a history: the part's own parameters still get their gradients.
    Tensor.checkpoint(Tensor([1.0, 1])) { ($0[0] * weight).sum() }.backward()
    #expect(weight.grad?.array(of: Double.self) == [plain[1][0] + 1, plain[1][1] + 1])
  }

  @Test func mistakesAreNamed() {
    func message(_ body: () -> Void) -> String {
      do {
        try catchingTensorErrors(body)
        return ""
      } catch {
        return "\(error)"
      }
    }
    let x = Tensor([1.0, 2]).requiringGradient()
    #expect(message { (x * 2).backward() }.contains("starts from one number"))
    #expect(message { Tensor([1.0]).backward() }.contains("depends on no parameter"))
    #expect(
      message { (x * 2).backward(upstream: Tensor([1.0])) }.contains("upstream gradient has shape"))
    let y = (x * x).sum()
    y.backward()
    #expect(message { y.backward() }.contains("retainGraph: true"))
    #expect(message { _ = Tensor([1]).requiringGradient() }.contains("int64 has no gradient"))
  }

  /// What operations saved is freed once the gradient has passed, even while the loss is still
  /// alive.
  @Test func memoryIsReleased() {
    TensorMemory.emptyCache()
    let x = Tensor.ones(1 << 18).requiringGradient()
    var loss = x
    for _ in 0..<8 { loss = loss.exp().evaluated() * 0.1 }
    loss = loss.sum().evaluated()
    let before = TensorMemory.usage.inUse
    loss.backward()
    #expect(x.grad != nil)
    // The eight saved results are gone; the gradient has arrived.
    #expect(TensorMemory.usage.inUse <= before - 6 * (1 << 20))
  }

  @Test func manyNodesOnASmallStack() async {
    await #expect(processExitsWith: .success) {
      onSmallStack(512 << 10) {
        let x = Tensor(1.0).requiringGradient()
        var total = x
        for _ in 0..<steps { total = total + x }
        total.backward()
        demand(x.grad?.item() == Double(steps + 1), "\(String(describing: x.grad))")
        // Saved tensors lead from one to the next, and the graph is dropped without a backward
        // pass.
        var product = x
        for _ in 0..<steps { product = product * x }
        demand(product.item() == 1, "\(product)")
      }
    }
  }
}
