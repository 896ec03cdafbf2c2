import NormaReference
import NormaTensor
import Testing

/// Products of vectors and matrices against `slowEinsum`, for all layouts and types, and their
/// rules.
@Suite(.serialized) struct LinearProductTests {
  typealias Product = @Sendable (Tensor, Tensor) -> Tensor

  /// Name, equation, shapes, product.
  static let products: [(String, String, [Int], [Int], Product)] = [
    ("dot", "i,i->", [37], [37], { $0.dot($1) }), ("dot", "i,i->", [0], [0], { $0.dot($1) }),
    ("outer", "i,j->ij", [5], [17], { $0.outer($1) }),
    ("outer", "i,j->ij", [0], [3], { $0.outer($1) }),
    ("inner", "i,i->", [7], [7], { $0.inner($1) }),
    ("inner", "abi,cdi->abcd", [2, 3, 4], [3, 2, 4], { $0.inner($1) }),
    ("inner", ",ab->ab", [], [2, 3], { $0.inner($1) }),
    ("vecdot", "abi,bi->ab", [2, 3, 18], [3, 18], { $0.vecdot($1) }),
    ("vecdot", "aib,aib->ab", [2, 5, 3], [2, 5, 1], { $0.vecdot($1, over: 1) }),
    ("tensordot", "aij,ijb->ab", [3, 2, 4], [2, 4, 5], { $0.tensordot($1) }),
    ("tensordot", "a,b->ab", [3], [2], { $0.tensordot($1, axes: 0) }),
    (
      "tensordot", "iaj,jib->ab", [2, 3, 4], [4, 2, 3],
      { $0.tensordot($1, over: [0, -1], and: [1, 0]) }
    ),
    ("tensordot", "ai,ib->ab", [3, 1], [4, 2], { $0.tensordot($1, over: [1], and: [0]) }),
    ("matmul", "ij,jk->ik", [3, 5], [5, 4], { $0.matmul($1) }),
    ("matmul", "ij,j->i", [3, 5], [5], { $0.matmul($1) }),
    ("matmul", "abij,bjk->abik", [2, 1, 3, 4], [3, 4, 2], { $0.matmul($1) }),
    ("matmul", "ij,jk->ik", [11, 14], [14, 9], { $0.matmul($1) }),
    ("matmul", "ij,jk->ik", [3, 0], [0, 2], { $0.matmul($1) }),
  ]

  @Test(arguments: products.indices) func value(_ index: Int) {
    let (name, equation, first, second, product) = Self.products[index]
    var random = TestRandom(seed: UInt64(index) + 100)
    for (type, bound) in [
      (DType.float32, 2e-6), (.float64, 1e-14), (.float16, 2e-3), (.bfloat16, 0.02), (.int64, 0),
      (.int32, 0), (.uint8, 0),
    ] {
      for arrangement in Arrangement.allCases {

        var operands = [first, second].map {
          Sample($0, type, arrangement, random: &random, std: 0.5).tensor
        }
        if type.isInteger { operands = operands.map { ($0 / 4096).cast(to: type) } }
        let expected = slowEinsum(equation, operands.map { ($0.array(of: Double.self), $0.shape) })
        let result = product(operands[0], operands[1])
        #expect(result.dtype == type)
        let rounded = type.isInteger ? expected.map(type.rounded) : expected
        #expect(worstScaled(result, rounded) <= bound, "\(name) \(equation) \(type) \(arrangement)")
      }
    }
  }

  @Test(arguments: products.indices) func gradient(_ index: Int) throws {
    let (name, equation, first, second, product) = Self.products[index]
    if first.reduce(1, *) * second.reduce(1, *) > 500 { return }
    let inputs = withSeed(5) { [first, second].map { Tensor.rand($0, dtype: .float64) - 0.4 } }
    #expect(throws: Never.self, "\(name) \(equation)") {
      try checkGradient(of: { product($0[0], $0[1]) }, at: inputs, order: 2)
    }
  }

  @Test func kron() throws {
    let a = Tensor([[1.0, 2], [3, 4]]), b = Tensor([[0.0, 5, 1]])
    #expect(isSame(a.kron(b), Tensor([[0.0, 5, 1, 0, 10, 2], [0, 15, 3, 0, 20, 4]])))
    #expect(Tensor.ones(2, 3, 4).kron(b).shape == [2, 3, 12])
    #expect(Tensor.ones(0, 2).kron(b).shape == [0, 6])
    #expect(isSame(Tensor(2).kron(Tensor([1, 2])), Tensor([2, 4])))
    try checkGradient(of: { $0[0].transposed().kron($0[1]) }, at: [a, b])
  }

  @Test func cross() throws {
    let x = Tensor([1.0, 0, 0]), y = Tensor([0.0, 1, 0])
    #expect(isSame(x.cross(y), Tensor([0.0, 0, 1])))
    let (a, b) = withSeed(2) {
      (Tensor.rand(3, 4, dtype: .float64), Tensor.rand(3, 1, dtype: .float64))
    }
    let product = a.cross(b, over: 0)
    // Perpendicular to both.
    #expect((product * a).sum(over: 0).abs().max().item() < 1e-15)
    #expect((product * b).sum(over: 0).abs().max().item() < 1e-15)
    try checkGradient(of: { $0[0].cross($0[1], over: -2) }, at: [a, b], order: 2)
  }

  @Test func addedProducts() throws {
    let (c, a, b) = withSeed(4) {
      (
        Tensor.rand(3, 5, dtype: .float64), Tensor.rand(2, 3, 4, dtype: .float64),
        Tensor.rand(2, 4, 5, dtype: .float64)
      )
    }
    let close = { (x: Tensor, y: Tensor) in x.allClose(to: y, rtol: 1e-13, atol: 1e-13) }
    #expect(close(c.addmm(a[0], b[0], beta: 0.5, alpha: 2), c * 0.5 + a[0].matmul(b[0]) * 2))
    #expect(close(c.addbmm(a, b), c + a.matmul(b).sum(over: 0)))
    #expect(close(c.baddbmm(a, b, beta: 3), c * 3 + a.matmul(b)))
    #expect(
      close(
        c[0][0..<3].addmv(a[0], b[0, ..., 1], alpha: -1), c[0][0..<3] - a[0].matmul(b[0, ..., 1])))
    #expect(
      close(c.addr(a[0, ..., 0], b[0, 0], beta: 0.25), c * 0.25 + a[0, ..., 0].outer(b[0, 0])))
    // A factor of 0 ignores NaN.
    #expect(close((c * Double.nan).addmm(a[0], b[0], beta: 0), a[0].matmul(b[0])))
    #expect(close(Tensor(1.0).addmm(a[0], b[0]), a[0].matmul(b[0]) + 1))
    let whole = Tensor([[1, 2], [3, 4]])
    #expect(isSame(whole.addmm(whole, whole, beta: 2, alpha: -1), whole * 2 - whole.matmul(whole)))
    for function in [
      { $0[0].addmm($0[1][0], $0[2][0], beta: 0.6, alpha: 0.2) },
      { $0[0].addbmm($0[1], $0[2], beta: 0.6) },
      { $0[0].baddbmm($0[1], $0[2], alpha: 0.2) }, { $0[0].addr($0[1][0, ..., 0], $0[2][0, 0]) },
    ] as [@Sendable ([Tensor]) -> Tensor] {
      try checkGradient(of: function, at: [c, a, b])
    }
  }

  @Test func chains() throws {
    let sizes = [3, 7, 2, 5, 4]
    let matrices = withSeed(8) {
      zip(sizes, sizes.dropFirst()).map { Tensor.rand($0, $1, dtype: .float64) }
    }
    let expected = matrices.dropFirst().reduce(matrices[0]) { $0.matmul($1) }
    #expect(Tensor.multiDot(matrices).allClose(to: expected, rtol: 1e-13))
    let vectors = [matrices[0][0]] + matrices[1...2] + [matrices[3][..., 0]]
    #expect(Tensor.multiDot(Array(vectors)).shape == [])
    try checkGradient(of: { Tensor.multiDot($0) }, at: matrices)
    let square = matrices[0][..., 0..<3]
    #expect(
      square.matrixPower(5).allClose(
        to: Tensor.multiDot(Array(repeating: square, count: 5)), rtol: 1e-13))
    #expect(
      isSame(
        square.matrixPower(0),
        (Tensor.arange(3).unsqueezed(1) .== Tensor.arange(3)).cast(to: .float64)))
    #expect(Tensor.ones(2, 3, 3).matrixPower(2).shape == [2, 3, 3])
    try checkGradient(of: { $0[0].matrixPower(3) }, at: [square])
  }

  @Test func mistakes() {
    let a = Tensor.ones(2, 3), v = Tensor.ones(3)
    let wrong: [() -> Tensor] = [
      { a.dot(v) }, { v.dot(Tensor.ones(4)) }, { a.outer(v) }, { a.inner(Tensor.ones(2)) },
      { a.vecdot(Tensor.ones(2, 1)) },
      { Tensor(1).vecdot(v) }, { a.tensordot(a, axes: 1) }, { a.tensordot(v, axes: 3) },
      { a.tensordot(a, over: [0, 0], and: [0, 1]) },
      { a.tensordot(v, over: [0], and: [0]) }, { a.tensordot(v, over: [0], and: []) },
      { a.cross(Tensor.ones(2, 2)) },
      { Tensor.ones(2).cross(Tensor.ones(2)) }, { v.addmm(a, v) }, { a.addmm(a, a) },
      { Tensor.ones(5).addmm(a, a.transposed()) },
      { a.addmm(a.transposed().cast(to: .float64), a.cast(to: .float64)) },
      { Tensor([[1]]).addmm(Tensor([[1]]), Tensor([[1]]), alpha: 0.5) },
      { Tensor.multiDot([a]) }, { Tensor.multiDot([a, a]) }, { Tensor.multiDot([a, v, a]) },
      { a.matrixPower(2) }, { Tensor.ones(2, 2).matrixPower(-1) },
      { v.dot(v.cast(to: .float64)) }, { Tensor([true]).dot(Tensor([true])) },
      { a.matmul(Tensor(1)) }, { Tensor([[true]]).matmul(Tensor([[true]])) },
    ]
    for (index, call) in wrong.enumerated() {
      #expect(throws: TensorError.self, "\(index)") { try catchingTensorErrors { _ = call() } }
    }
  }
}
