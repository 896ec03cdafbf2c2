import NormaReference
import Testing

@testable import NormaTensor

/// `einsum` against a loop over all subscripts, its plan, its order and its errors.
@Suite(.serialized) struct EinsumTests {
  /// Only the first call with these shapes parses the text and finds the order.
  @Test func plansAreKept() throws {
    let equation = "kp,pt,tn->kn", shapes = [[2, 7], [7, 3], [3, 5]]
    let key = EinsumPlan.Key(equation: equation, shapes: shapes)
    let tensors = shapes.map { Tensor.ones($0) }
    let first = einsum(equation, tensors)
    struct IsMade: Error {}
    let kept = try EinsumPlan.plans.value(for: key) { throw IsMade() }
    #expect(kept.output.count == 2)
    #expect(first.isEqual(to: einsum(equation, tensors)) && first.isEqual(to: .full([2, 5], 21.0)))
  }

  static let equations: [(String, [[Int]])] = [
    ("i->", [[3]]), ("ij->ji", [[2, 3]]), ("ij->j", [[2, 3]]), ("ii->i", [[4, 4]]),
    ("ii->", [[3, 3]]), ("iji->j", [[3, 2, 3]]), ("iii->i", [[3, 3, 3]]), ("ij->ij", [[2, 3]]),
    ("i,i->", [[5], [5]]), ("i,j->ij", [[3], [4]]), ("i,j->ji", [[3], [4]]),
    ("ij,jk->ik", [[2, 3], [3, 4]]), ("ij,kj->ki", [[2, 3], [5, 3]]),
    ("ij,kj->ik", [[2, 3], [1, 3]]), ("ij,jk->ik", [[2, 3], [1, 4]]),
    ("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]]), ("bij,bjk->ikb", [[2, 3, 4], [2, 4, 5]]),
    ("bij,bij->b", [[2, 3, 4], [2, 3, 4]]), ("bij,bij->bij", [[2, 3, 4], [2, 1, 4]]),
    ("ijk,jil->kl", [[3, 2, 5], [2, 3, 4]]), ("aij,jk->aik", [[1, 3, 4], [4, 4]]),
    ("ijj,jk->ik", [[2, 3, 3], [3, 4]]), ("ij,k->i", [[2, 3], [4]]),
    ("ab,bc,cd->ad", [[2, 5], [5, 3], [3, 4]]), ("a,b,c->abc", [[2], [3], [4]]),
    ("ab,ac,ad->bcd", [[3, 2], [3, 4], [3, 2]]),
    ("abc,cd,be,ef->adf", [[2, 3, 4], [4, 2], [3, 5], [5, 2]]),
    ("ij,jk->ik", [[0, 3], [3, 2]]), ("ij,jk->ik", [[2, 0], [0, 2]]), ("i,i->", [[0], [1]]),
    (",i->i", [[], [3]]), (",->", [[], []]),
    ("a,a,a,a,a,a,a,a,a,ab->b", Array(repeating: [3], count: 9) + [[3, 2]]),
  ]

  @Test(arguments: equations.indices) func value(_ index: Int) {
    let (equation, shapes) = Self.equations[index]
    var random = TestRandom(seed: UInt64(index))
    for (type, bound) in [(DType.float32, 2e-6), (.float64, 1e-14), (.int32, 0), (.bfloat16, 0.03)]
    {
      for arrangement in [Arrangement.contiguous, .reversed, .stepped, .pending] {
        let samples = shapes.map { Sample($0, type, arrangement, random: &random, std: 0.5) }
        let small = type == .int32 ? samples.map { $0.tensor / 4096 } : samples.map(\.tensor)
        let operands = small.map { ($0.cast(to: type)) }
        let expected = slowEinsum(
          equation, operands.map { ($0.array(of: Double.self), $0.shape) })
        let result = einsum(equation, operands)
        let rounded =
          type == .int32 ? expected.map { Double(Int32(truncatingIfNeeded: Int64($0))) } : expected
        let error = worstScaled(type == .int32 ? result.cast(to: .int32) : result, rounded)
        #expect(error <= bound, "\(equation) \(shapes) \(type) \(arrangement)")
      }
    }
  }

  @Test(arguments: equations.indices) func gradient(_ index: Int) throws {
    let (equation, shapes) = Self.equations[index]
    if shapes.count > 4 || shapes.joined().contains(0) { return }
    let inputs = withSeed(3) { shapes.map { Tensor.rand($0, dtype: .float64) - 0.4 } }
    #expect(throws: Never.self, "\(equation)") {
      try checkGradient(of: { einsum(equation, $0) }, at: inputs)
    }
  }

  @Test func notation() {
    let x = withSeed(1) { Tensor.rand(2, 3, 4, 4) }
    #expect(isSame(einsum("...ii", x), einsum("abii->ab", x)))
    #expect(isSame(einsum("...ii->...i", x), einsum("abii->abi", x)))
    #expect(isSame(einsum("i...->...", x), x.sum(over: 0)))
    #expect(isSame(einsum("i...->i", x), x.sum(over: 1, 2, 3)))
    #expect(isSame(einsum("bA", x[0, 0]), x[0, 0].transposed()))
    #expect(isSame(einsum(" i j , j -> i ", x[0, 0], x[0, 0, 0]), x[0, 0].matmul(x[0, 0, 0])))
    #expect(isSame(einsum("", Tensor(3.0)), Tensor(3.0)))
    #expect(einsum("...i,...i", x[0, ..., 0], x[0, 0..<1, ..., 0]).shape == [3])
    #expect(einsum("ij...,jk...->ik...", x, x[0]).shape == [2, 4, 4, 4])
    #expect(einsum("ii->i", Tensor([[true, false], [true, true]])).dtype == .bool)
    #expect(einsum("i->", Tensor([1, 2], dtype: .int32)).dtype == .int64)
    // A diagonal is a view.
    #expect(einsum("ii->i", x[0, 0].evaluated()).strides == [5])
  }

  /// The order of least work: (a b) c costs more than a (b c) here.
  @Test func order() throws {
    let equation = try EinsumEquation("ab,bc,cd->ad", call: "")
    let plan = try EinsumPlan(equation, shapes: [[100, 50], [50, 60], [60, 1]], call: "")
    #expect(plan.steps == [.init(first: 1, second: 2), .init(first: 0, second: 1)])
    let sizes = [30, 35, 15, 5, 10, 20, 25]
    let chain = MatrixChain(sizes: sizes)
    #expect(chain.work == 15125)
    let terms = (0..<6).map { Set([$0, $0 + 1]) }
    #expect(EinsumOrder(terms: terms, output: [0, 6], sizes: sizes).work == 15125)
    // More terms than are searched exhaustively: all of them are still contracted.
    let many = (0..<12).map { Set([$0, $0 + 1]) }
    #expect(
      EinsumOrder(terms: many, output: [0, 12], sizes: Array(repeating: 3, count: 13)).steps.count
        == 11)
  }

  static let mistakes: [(String, [[Int]], String, Int)] = [
    ("i->ii", [[3]], "'i' occurs twice in the output", 4),
    ("i->ij", [[3]], "'j' is not in any input", 4),
    ("ij", [[2]], "2 subscripts for shape [2], which has 1 axes", 0),
    ("i.j", [[2, 3]], "'.' is not part of an ellipsis '...'", 1),
    ("i,j->ij,", [[2], [3]], "the output must not contain a comma", 7),
    ("ij->i->j", [[2, 2]], "a second arrow", 5),
    ("i->i", [[2], [2]], "2 tensors for subscripts of 1", 0),
    ("ii", [[2, 3]], "sizes 2 and 3 of a diagonal differ", 1),
    ("ij,ij", [[2, 3], [2, 4]], "size 4 does not broadcast with 3", 4),
    ("i1", [[2, 3]], "'1' is not a subscript; use letters a ... z and A ... Z", 1),
    ("......", [[2]], "a second ellipsis in one tensor", 3),
    ("i-j", [[2]], "'-' is not part of an arrow '->'", 1),
    ("é", [[2]], "'é' is not a subscript; use letters a ... z and A ... Z", 0),
  ]

  @Test(arguments: mistakes.indices) func mistake(_ index: Int) {
    let (equation, shapes, reason, place) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self, "\(equation)") {
      try catchingTensorErrors { _ = einsum(equation, shapes.map { Tensor.ones($0) }) }
    }
    let lines =
      error?.reason.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) ?? []
    #expect(lines.first == reason)
    #expect(lines.count == 3 && lines[1] == "  " + equation)
    #expect(
      lines.last?.firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) }
        == place + 2)
  }

  @Test func typesMustAgree() {
    #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        _ = einsum("i,i->", Tensor.ones(2), Tensor.ones(2, dtype: .float64))
      }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = einsum("i,i->", Tensor([true]), Tensor([true])) }
    }
  }
}
