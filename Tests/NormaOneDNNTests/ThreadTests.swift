import CNormaLoops
import NormaReference
import Testing

@testable import NormaOneDNN

/// What runs follows from the plan alone: oneDNN takes the number of threads from the calling
/// thread, and other work on that thread may have left any.
@Suite(.enabled(if: OneDNN.isAvailable)) struct ThreadTests {
  /// The results of `body` after other work on this thread left `threads`.
  private func after<R>(_ threads: Int32, _ body: () throws -> R) rethrows -> R {
    norma_team_set_library_threads(threads)
    return try body()
  }

  /// The gradient of weights: the sums of threads are added, so its bits depend on their number.
  @Test(arguments: [ConvolutionPlan.Pass.forward, .weightsGradient])
  func convolutionsDependOnTheirPlanAlone(_ pass: ConvolutionPlan.Pass) throws {
    let (images, channels, side) = (6, 32, 14)
    let operand = ConvolutionPlan.Operand(
      dims: [images, channels, side, side],
      strides: [side * side * channels, 1, side * channels, channels])
    let weights = ConvolutionPlan.Operand(
      dims: [channels, channels, 3, 3], strides: [channels * 9, 9, 3, 1])
    var random = TestRandom(for: "\(#function) \(pass)")
    let count = images * channels * side * side
    let given = (
      random.floats(count), random.floats(channels * channels * 9), random.floats(count)
    )
    func run(compiledAfter first: Int32, runAfter second: Int32, threads: Int) throws -> [Float] {
      let plan = ConvolutionPlan(
        pass: pass, type: .float32, source: operand, weights: weights, destination: operand,
        hasBias: false, stride: [1, 1], dilation: [1, 1], before: [1, 1], after: [1, 1],
        threads: threads)
      let compiled = try after(first) { try CompiledConvolution(plan) }
      var memory = given
      try memory.0.withUnsafeMutableBytes { source in
        try memory.1.withUnsafeMutableBytes { weights in
          try memory.2.withUnsafeMutableBytes { destination in
            try after(second) {
              try compiled.run(
                source: source.baseAddress!, weights: weights.baseAddress!, bias: nil,
                destination: destination.baseAddress!)
            }
          }
        }
      }
      return pass == .forward ? memory.2 : memory.1
    }
    var differences = 0
    for threads in [1, 2, 3] {
      let expected = try run(
        compiledAfter: Int32(threads), runAfter: Int32(threads), threads: threads)
      for (first, second) in [(1, 1), (1, 3), (4, 2), (2, 1)] as [(Int32, Int32)] {
        let found = try run(compiledAfter: first, runAfter: second, threads: threads)
        #expect(found == expected, "\(threads) threads after \(first) and \(second)")
      }
      if try run(compiledAfter: 1, runAfter: 1, threads: 1) != expected { differences += 1 }
    }
    // Otherwise this test could not fail.
    if pass == .weightsGradient { #expect(differences > 0) }
  }

  @Test func productsDependOnTheirPlanAlone() throws {
    let (m, n, k) = (96, 80, 4096)
    var random = TestRandom()
    let (a, b) = (random.floats(m * k), random.floats(k * n))
    func run(after first: Int32, _ second: Int32, packs: Bool, threads: Int) throws -> [Float] {
      let plan = try MatrixProduct(
        batch: [], m: m, n: n, k: k, aStrides: [k, 1], bStrides: [n, 1], threads: threads)
      #expect(plan.threads == threads)
      let product = try #require(after(first) { CompiledProduct(plan, packs: packs) })
      var (packed, result) = ([UInt8](), [Float](repeating: .nan, count: m * n))
      if packs {
        packed = [UInt8](repeating: 0, count: product.packedByteCount)
        try packed.withUnsafeMutableBytes { try product.pack(b, into: $0.baseAddress!) }
      }
      try packed.withUnsafeBytes { packed in
        try b.withUnsafeBytes { given in
          try after(second) {
            try product.run(
              a, packs ? packed.baseAddress! : given.baseAddress!, &result)
          }
        }
      }
      return result
    }
    for threads in [1, 2, 3] {
      let expected = try run(
        after: Int32(threads), Int32(threads), packs: false, threads: threads)
      for packs in [false, true] {
        for (first, second) in [(1, 1), (1, 3), (4, 2)] as [(Int32, Int32)] {
          #expect(try run(after: first, second, packs: packs, threads: threads) == expected)
        }
      }
    }
  }
}
