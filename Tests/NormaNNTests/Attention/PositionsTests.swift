import Foundation
import NormaNN
import NormaTensor
import Testing

/// Positions against their formulas in Double.
@Suite(.seeded) struct PositionsTests {
  @Test func sinesAndCosines() {
    let table = sinusoidalPositions(7, 6, dtype: .float64)
    #expect(table.shape == [7, 6])
    for p in 0..<7 {
      for i in 0..<3 {
        let angle = Double(p) / Foundation.pow(10_000, Double(2 * i) / 6)
        #expect(abs(table[p, 2 * i].item() - Foundation.sin(angle)) < 1e-14)
        #expect(abs(table[p, 2 * i + 1].item() - Foundation.cos(angle)) < 1e-14)
      }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { _ = sinusoidalPositions(3, 5) } }
  }

  @Test(arguments: [false, true]) func rotations(_ isInterleaved: Bool) {
    let rotary = RotaryEmbedding(4, base: 100, isInterleaved: isInterleaved)
    let x = Tensor.randn([2, 3, 5, 6], dtype: .float64)
    let y = rotary(x, offset: 2)
    for p in 0..<5 {
      for i in 0..<2 {
        let angle = Double(p + 2) / Foundation.pow(100, Double(2 * i) / 4)
        let (a, b) = isInterleaved ? (2 * i, 2 * i + 1) : (i, i + 2)
        let (u, v) = (x[1, 2, p, a].item(), x[1, 2, p, b].item())
        let (s, c) = (Foundation.sin(angle), Foundation.cos(angle))
        #expect(abs(y[1, 2, p, a].item() - (u * c - v * s)) < 1e-13)
        #expect(abs(y[1, 2, p, b].item() - (v * c + u * s)) < 1e-13)
      }
    }
    // What lies behind the width stays, and positions may be given.
    #expect(y[0..., 0..., 0..., 4...].isEqual(to: x[0..., 0..., 0..., 4...]))
    let given = rotary(x, positions: Tensor([2, 3, 4, 5, 6] as [Int]))
    #expect(given.isEqual(to: y))
  }

  /// Products depend on distances only.
  @Test func productsDependOnDistances() {
    let rotary = RotaryEmbedding(8)
    let (q, k) = (
      Tensor.randn([1, 8], dtype: .float64), Tensor.randn([1, 8], dtype: .float64)
    )
    let products = [0, 5, 90].map {
      (rotary(q, offset: $0 + 7) * rotary(k, offset: $0)).sum().item()
    }
    #expect(abs(products[0] - products[1]) < 1e-12 && abs(products[0] - products[2]) < 1e-12)
  }

  @Test func slopes() {
    let eight = alibiSlopes(8).array(of: Double.self)
    #expect(eight == (1...8).map { Foundation.pow(0.5, Double($0)) })
    let six = alibiSlopes(6, dtype: .float64).array(of: Double.self)
    let expected = [0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]
    #expect(zip(six, expected).allSatisfy { abs($0 - $1) < 1e-15 } && six.count == 6)
    let bias = alibiBias(heads: 2, queries: 2, keys: 3, dtype: .float64)
    #expect(
      bias[0].array(of: Double.self) == [-0.0625, 0, 0.0625, -0.125, -0.0625, 0])
  }

  /// Against an embedding of position numbers.
  @Test func learnedPositions() {
    let layer = withSeed(1) { LearnedPositionalEmbedding(6, 4) }
    let table = withSeed(1) { Embedding(6, 4) }
    #expect(layer.stateDict().keys.sorted() == ["weight"])
    let x = Tensor.randn(2, 3, 4)
    for offset in [0, 3] {
      let found = layer(x, offset: offset)
      let right = x + table(Tensor.arange(3) + offset)
      #expect(found.isEqual(to: right))
      let upstream = Tensor.randn(2, 3, 4)
      let gradient = Tensor.gradient(of: found, at: [layer.weight.value], upstream: upstream)[0]
      let expected = Tensor.gradient(of: right, at: [table.weight.value], upstream: upstream)[0]
      #expect((gradient - expected).abs().max().item() < 1e-6)
    }
    #expect(layer(x).isEqual(to: layer(x, offset: 0)))
    for call in [
      { layer(x, offset: 4) }, { layer(x, offset: -1) }, { layer(Tensor.zeros(2, 3, 5)) },
      { layer(Tensor.zeros(4)) },
    ] {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors { _ = call() } }
      #expect(error?.call == "LearnedPositionalEmbedding(_:)")
    }
  }
}
