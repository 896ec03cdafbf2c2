import NormaNN
import NormaTensor
import Testing

private func half(_ values: [Float]) -> Tensor { Tensor(values).cast(to: .float16) }

/// Functions of several steps are computed in `float32` for half types, so that steps may leave
/// their range.
@Suite struct HalfTypeTests {
  /// torch 2.13 in float16: gradient 0 but for rounding.
  @Test func localResponse() {
    let x = half([-60000, -300, 300, 11648, 60000]).requiringGradient()
    let y = localResponseNorm(x.reshaped(1, 5, 1), size: 3)
    y.sum().backward()
    let wide = x.detached().cast(to: .float32).requiringGradient()
    let expected = localResponseNorm(wide.reshaped(1, 5, 1), size: 3)
    expected.sum().backward()
    #expect(y.isEqual(to: expected.cast(to: .float16)))
    let (found, right) = (x.grad?.array(of: Double.self), wide.grad?.array(of: Double.self))
    #expect(zip(found ?? [], right ?? []).allSatisfy { abs($0 - $1) < 2e-3 }, "\(found as Any)")
  }

  static let layers: [(String, [Int], @Sendable (Tensor) -> Tensor)] = [
    ("power pooling", [1, 1, 8], { lpPool1d($0, p: 2, kernelSize: 4) }),
    ("EvoNorm2dB0", [2, 2, 2, 2], { EvoNorm2dB0(2)($0) }),
    ("EvoNorm2dS0", [2, 2, 2, 2], { EvoNorm2dS0(2, groups: 1)($0) }),
    ("response", [1, 2, 4], { LocalResponseNorm(2)($0) }),
    ("cosine", [2, 8], { cosineSimilarity($0, $0 * 0.5) }),
    ("triplet", [2, 8], { tripletMarginLoss($0, -$0, $0 * 0.5, reduction: .none) }),
    (
      "cosine loss", [2, 4],
      { cosineEmbeddingLoss($0, $0 * 0.5, Tensor([1, -1]), reduction: .none) }
    ),
    ("Gaussian", [8], { gaussianNLLLoss($0, $0 * 0.5, variance: .full([8], 1e4)) }),
  ]

  @Test(arguments: layers.indices) func agreeWithFloat32(_ index: Int) throws {
    let (name, shape, function) = Self.layers[index]
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Float($0 % 3 - 1) * 600 + Float($0) }
    let x = half(values).reshaped(shape).requiringGradient()
    let y = function(x)
    let wide = x.detached().cast(to: .float32).requiringGradient()
    let expected = function(wide)
    for (found, right) in [(y.detached(), expected.detached())] {
      let rounded = right.cast(to: .float16).cast(to: .float32)
      let error = (found.cast(to: .float32) - rounded).abs() / (rounded.abs() + 1e-3)
      #expect(error.max().item() < 2e-3, "\(name): \(found) instead of \(rounded)")
    }
    y.sum().backward()
    #expect(try #require(x.grad).isFinite().all().item() == 1, "\(name)")
  }
}
