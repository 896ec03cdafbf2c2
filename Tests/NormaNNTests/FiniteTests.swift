import NormaNN
import NormaTensor
import Testing

/// Vectors without direction and empty or masked inputs leave results and gradients finite.
@Suite struct FiniteTests {
  @Test func weightsOfZerosStayFinite() throws {
    let dead = weightNorm(Linear(2, 2, bias: false))
    dead.weight.value = Tensor([0, 0, 3, 4] as [Float], shape: [2, 2])
    let y = dead(Tensor([1, 2] as [Float], shape: [1, 2]))
    y.sum().backward()
    #expect(y.array() == [0, 11])
    for parameter in dead.parameters {
      #expect(try #require(parameter.grad).isFinite().all().item() == 1)
    }
    let spectral = withSeed(1) {
      let layer = Linear(3, 2, bias: false)
      layer.weight.value = .zeros(2, 3)
      return spectralNorm(layer)
    }
    let none = spectral(Tensor.ones(1, 3))
    none.sum().backward()
    #expect(none.array() == [0, 0])
    #expect(try #require(spectral.parameters.first?.grad).isFinite().all().item() == 1)
    // The vectors are still valid for what follows.
    spectral.weight.value = .ones(2, 3)
    for _ in 0..<20 { _ = spectral(Tensor.ones(1, 3)) }
    #expect(abs(spectral(Tensor.ones(1, 3))[0, 0].item() - 3 / 6.0.squareRoot()) < 1e-5)
  }

  /// The mean of all batches is that of those with values.
  @Test func emptyBatchesDoNotCountInTheMeanOfAll() {
    let norm = BatchNorm1d(1, momentum: .cumulative)
    for values in [[1, 1], [], [3, 3]] as [[Float]] {
      _ = norm(Tensor(values, shape: [values.count, 1])).evaluated()
    }
    #expect(norm.runningMean?.value.item() == 2)
    #expect(norm.numBatchesTracked?.value.item() == 2)
  }

  @Test func rowsThatSeeNothingHaveNoGradient() throws {
    let none = -Double.infinity
    let additive = Tensor([0, 0, 0, none, none, none, none, none], shape: [2, 4]).cast(to: .float32)
    for mask in [additive, additive .== 0] {
      let w = Tensor.ones(3, 4).requiringGradient()
      let query = Tensor.ones(2, 4).matmul(w.transposed()).reshaped(1, 1, 2, 3)
      let key = Tensor.ones(1, 1, 4, 3)
      let result = scaledDotProductAttention(query, key, key, mask: mask)
      result.sum().backward()
      #expect(result[0, 0, 1].array() == [0, 0, 0] && result[0, 0, 0].array() == [1, 1, 1])
      #expect(try #require(w.grad).isFinite().all().item() == 1)
    }
  }

  /// A damaged variance affects only its own channel.
  @Test func negativeVariancesGiveNaN() {
    let norm = BatchNorm1d(2)
    norm.runningVar?.value = Tensor([-1, 1] as [Float])
    norm.eval()
    let y = norm(Tensor([1, 0, 3, 0] as [Float], shape: [2, 2]))
    #expect(y.isNaN().array(of: Bool.self) == [true, false, true, false])
  }
}
