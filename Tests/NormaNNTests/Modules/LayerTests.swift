import NormaNN
import NormaTensor
import Testing

/// A layer of one's own is one method.
private final class Doubling: Module, Layer {
  func callAsFunction(_ x: Tensor) -> Tensor { x * 2 }
}

private final class Network: Module, Layer {
  let stem = Sequential(Linear(3, 4), Doubling())
  let head = Sequential(ReLU(), Sequential(Linear(5, 2)))
  let last = Linear(7, 1)
  func callAsFunction(_ x: Tensor) -> Tensor { last(head(stem(x))) }
}

private func mistake(_ body: () -> Tensor) -> TensorError? {
  do {
    _ = try catchingTensorErrors(body)
    return nil
  } catch { return error as? TensorError }
}

/// What a layer is, and what a mistake says of it.
@Suite struct LayerTests {
  @Test func oneMethodIsALayer() {
    let layer = Doubling()
    let unknown: any Layer = layer
    let x = Tensor([1.0, 2])
    #expect(layer(x).isEqual(to: x * 2) && unknown(x).isEqual(to: x * 2))
    #expect(Sequential(layer, layer)(x).isEqual(to: x * 4))
    let norm: any Layer = UnitNorm()
    #expect(norm(x).isEqual(to: UnitNorm()(x)))
    #expect(
      Sequential(Linear(2, 3), layer).summary(inputShape: [1, 2]).rows.map(\.kind) == ["Linear"])
  }

  @Test func mistakesNameTheLayer() {
    let network = Network()
    // Only a position, as nothing has listed the network yet.
    let first = mistake { network.head(.ones(1, 6)) }
    #expect(first?.layer == "1 (Sequential), 0 (Linear)")
    network.eval()
    let nested = mistake { network(.ones(1, 3)) }
    #expect(nested?.layer == "head.1.0 (Linear)")
    #expect(nested?.description.hasSuffix("; in head.1.0 (Linear)") == true)
    #expect(nested?.file == "NormaNNTests/LayerTests.swift")
    let direct = mistake { network.last(.ones(1, 3)) }
    #expect(direct?.layer == "last (Linear)")
    let holder = Sequential(BatchNorm2d(3))
    #expect(mistake { holder[0](.ones(1, 2, 2, 2)) }?.layer == nil)
    holder.eval()
    #expect(mistake { holder[0](.ones(1, 2, 2, 2)) }?.layer == "0 (BatchNorm2d)")
  }

  /// The mistake of another element type names the layer's own call and the way out.
  @Test func otherTypesNameTheLayer() {
    for dtype in [DType.int64, .float64, .bfloat16] {
      let error = mistake { Linear(3, 1)(Tensor.ones([2, 3], dtype: dtype)) }
      #expect(error?.call == "linear(_:weight:)")
      #expect(
        error?.reason
          == "input is \(dtype) and the weight float32; write x.cast(to: .float32)")
    }
  }

  @Test func onlyTheLayersOwnMistakeIsItsOwn() {
    let layer = Linear(3, 1)
    // Made before the layer, which got the poisoned tensor.
    let before = mistake { layer(Tensor.ones(2).reshaped(3)) }
    #expect(before?.call == "reshaped(_:)" && before?.layer == nil)
    // Made before the layer, which made another.
    let other = mistake {
      _ = Tensor.ones(2).reshaped(3)
      return layer(.ones(2))
    }
    #expect(other?.layer == nil)
    // After it.
    let behind = mistake { layer(.ones(3)).reshaped(3) }
    #expect(behind?.call == "reshaped(_:)" && behind?.layer == nil)
  }
}
