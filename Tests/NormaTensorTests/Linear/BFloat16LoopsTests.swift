import NormaOneDNN
import Testing

@testable import NormaTensor

/// oneDNN's loops for `bfloat16`, used whether they are faster here or not, compared with `float64`
/// and `float32`.
@Suite(.enabled(if: OneDNN.isAvailable)) struct BFloat16LoopsTests {
  private static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    withSeed(seed) { Tensor.randn(shape) }.cast(to: .bfloat16).evaluated()
  }

  private func narrow<R>(_ body: () throws -> R) rethrows -> R {
    try BFloat16Loops.$areWanted.withValue(true, operation: body)
  }

  private func wide<R>(_ body: () throws -> R) rethrows -> R {
    try BFloat16Loops.$areWanted.withValue(false, operation: body)
  }

  /// Rounding of the result, and of sums of `terms` products in `float32`.
  private func expectClose(
    _ value: Tensor, _ exact: Tensor, terms: Int, sizes: Tensor,
    location: SourceLocation = #_sourceLocation
  ) {
    let error = (value.cast(to: .float64) - exact).abs()
    let bound = exact.abs() * 0x1p-8 + sizes * (Double(terms) * 0x1p-23)
    #expect((error .<= bound).all().item(as: Bool.self), sourceLocation: location)
    #expect(value.dtype == .bfloat16, sourceLocation: location)
  }

  @Test(
    arguments: [
      ([], 33, 70, 129), ([], 64, 256, 512), ([5], 17, 40, 48), ([2, 3], 32, 64, 40),
    ] as [([Int], Int, Int, Int)])
  func products(_ batch: [Int], _ m: Int, _ n: Int, _ k: Int) {
    let a = Self.random(batch + [m, k], seed: 1)
    let b = Self.random(batch + [k, n], seed: 2)
    let turned = (
      a.transposed().contiguous().evaluated().transposed(),
      b.transposed().contiguous().evaluated().transposed()
    )
    let (x, y) = (a.cast(to: .float64), b.cast(to: .float64))
    let (exact, sizes) = (x.matmul(y), x.abs().matmul(y.abs()))
    for (left, right) in [(a, b), (turned.0, b), (a, turned.1), (turned.0, turned.1)] {
      let (product, steps) = narrow { ExecutionLog.recording { left.matmul(right).evaluated() } }
      expectClose(product, exact, terms: k, sizes: sizes)
      #expect(isSame(product, narrow { left.matmul(right) }))
      // If the processor has such loops, they ran, and nothing was converted.
      if BFloat16Loops.multiply {
        #expect(steps.map(\.path) == [.product] && steps[0].traits == [.oneDNN])
      }
    }
  }

  /// Others are multiplied in `float32`, with the bits that they have without these loops.
  @Test func smallAndThinOnesAreWidened() {
    for (m, n, k) in [(1, 64, 512), (64, 1, 512), (8, 8, 8)] {
      let (a, b) = (Self.random([m, k], seed: 3), Self.random([k, n], seed: 4))
      #expect(isSame(narrow { a.matmul(b) }, wide { a.matmul(b) }))
    }
    #expect(
      narrow { Tensor.ones([40, 0], dtype: .bfloat16).matmul(.ones([0, 40], dtype: .bfloat16)) }
        .isEqual(to: .zeros([40, 40], dtype: .bfloat16)))
  }

  @Test func nanStaysNaN() {
    var a = Self.random([40, 64], seed: 5)
    a[3, 7] = Double.nan
    a[5, 1] = Double.infinity
    let product = narrow { a.matmul(Self.random([64, 48], seed: 6)) }
    #expect(
      product[3].isNaN().all().item(as: Bool.self)
        && product[5].isInfinite().all().item(as: Bool.self))
    #expect(product.isFinite().sum().item() == 38 * 48)
  }

  @Test(arguments: [1, 4]) func convolutions(_ groups: Int) {
    let x = Self.random([3, 32, 14, 14], seed: 7)
    let weight = Self.random([48, 32 / groups, 3, 3], seed: 8)
    let bias = Self.random([48], seed: 9)
    func all() -> [Tensor] {
      let (y, gradients) = Tensor.valueAndGradient(
        of: {
          let y = conv2d($0[0], weight: $0[1], bias: $0[2], stride: 2, padding: 1, groups: groups)
          return y.relu().cast(to: .float32).squared().sum() / 64
        }, at: [x, weight, bias])
      let plain = conv2d(x, weight: weight, bias: bias, stride: 2, padding: 1, groups: groups)
      return [plain, y.cast(to: .bfloat16)] + gradients
    }
    let (found, steps) = narrow { ExecutionLog.recording { all().map { $0.evaluated() } } }
    let expected = wide { all() }
    for (value, other) in zip(found, expected) {
      #expect(value.shape == other.shape && value.dtype == .bfloat16)
      let (a, b) = (value.cast(to: .float32), other.cast(to: .float32))
      // Roundings of the values after them, some of which differ in the last bit.
      #expect((a - b).abs().max().item() <= 0.02 * b.abs().max().item())
      #expect((a - b).norm().item() <= 0.004 * b.norm().item())
    }
    if BFloat16Loops.convolve {
      let convolutions = steps.filter { $0.path == .convolution }
      #expect(convolutions.allSatisfy { $0.traits.contains(.oneDNN) }, "\(convolutions)")
      #expect(convolutions.count { $0.operations.first == "convolution gradient" } == 2)
    }
  }
}
