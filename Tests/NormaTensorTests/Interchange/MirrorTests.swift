import NormaTensor
import Testing

/// What `print` says of gradients, and what `dump` and debuggers show of tensors.
@Suite struct MirrorTests {
  @Test func tensorsWithGradients() {
    let x = Tensor([1, 2.5] as [Float]).requiringGradient()
    #expect("\(x)" == "tensor([1.0000, 2.5000], requiresGrad=True)")
    #expect("\(x * 2)" == "tensor([2., 5.], requiresGrad=True)")
    #expect("\(x.detached())" == "tensor([1.0000, 2.5000])")
    let y = Tensor([1, 2] as [Double]).cast(to: .float64).requiringGradient()
    #expect("\(y)" == "tensor([1., 2.], dtype=float64, requiresGrad=True)")
    #expect("\(x[0..<0])" == "tensor([], requiresGrad=True)")
    // A tensor without axes prints as its number.
    #expect("\(x.sum())" == "3.5000")
  }

  @Test func mirrorsShowTypeShapeAndValues() {
    func text(_ x: Tensor) -> [String] {
      Mirror(reflecting: x).children.map { "\($0.label ?? ""): \($0.value)" }
    }
    #expect(
      text(Tensor([1, 2.5] as [Float])) == ["dtype: float32", "shape: [2]", "values: [1.0, 2.5]"])
    #expect(text(Tensor([[1, -2]])) == ["dtype: int64", "shape: [1, 2]", "values: [1, -2]"])
    #expect(text(Tensor([true])) == ["dtype: bool", "shape: [1]", "values: [true]"])
    let largest = Tensor([UInt64.max])
    #expect(text(largest).last == "values: [18446744073709551615]")
    #expect(text(Tensor.zeros(0, 3)).last == "values: []")
    let x = Tensor.ones(20).requiringGradient()
    #expect(
      text(x) == [
        "dtype: float32", "shape: [20]", "requiresGrad: true",
        "summary: float32 [20] mean 1 std 0 range 1 ... 1",
      ])
    var dumped = ""
    dump(x * 2, to: &dumped)
    #expect(dumped.contains("requiresGrad: true") && !dumped.contains("layout"))
  }
}
