import NormaTensor
import Testing

@testable import NormaNN

/// A parametrization of one's own: weights that stay positive, as exp of what is trained.
@Suite struct OwnParametrizationTests {
  private final class Positive: Module, Parametrization {
    let original: Parameter

    init(_ value: Tensor) { original = Parameter(value.log()) }

    func value() -> Tensor { original.value.exp() }

    func assign(_ value: Tensor) { original.value = value.log() }
  }

  @Test func trainsTheOriginal() throws {
    let layer = Linear(2, 1, bias: false)
    let start = Tensor([[0.5, 2]] as [[Float]])
    layer.weight.parametrize(by: Positive(start))
    #expect(layer.weight.value.allClose(to: start))
    let names = layer.namedParameters.map(\.name)
    #expect(names.count == 1 && names[0].hasPrefix("parametrizations.weight."), "\(names)")

    // d/do (exp(o) x) = exp(o) x, and a step far down leaves the weight positive.
    let optimizer = SGD(layer.parameters, learningRate: 10)
    layer(Tensor([[1, 3]] as [[Float]])).sum().backward()
    #expect(layer.parameters[0].grad?.allClose(to: start * Tensor([[1, 3]] as [[Float]])) == true)
    optimizer.step()
    #expect((layer.weight.value .> 0).all().item(as: Bool.self))

    layer.weight.value = Tensor([[3, 4]] as [[Float]])  // assigns
    #expect(layer.weight.value.allClose(to: Tensor([[3, 4]] as [[Float]])))
    layer.weight.removeParametrization()
    #expect(layer.namedParameters.map(\.name) == ["weight"])
    #expect(layer.weight.value.allClose(to: Tensor([[3, 4]] as [[Float]])))
  }
}
