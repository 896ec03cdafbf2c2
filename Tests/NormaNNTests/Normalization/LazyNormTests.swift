import NormaNN
import NormaTensor
import Testing

@Suite struct LazyNormTests {
  @Test func theFirstInputSaysHowManyChannels() {
    let x = withSeed(1) { Tensor.randn(3, 5, 4, 4) }
    let (lazy, eager) = (LazyBatchNorm2d(momentum: 0.3), BatchNorm2d(5, momentum: 0.3))
    #expect(lazy.features == 0 && lazy.weight?.shape == [0])
    #expect(
      lazy.stateDict().keys.sorted() == eager.stateDict().keys.sorted()
        && lazy.parameterCount == 0)
    let parameter = lazy.weight
    #expect(lazy(x).isEqual(to: eager(x)))
    #expect(lazy.features == 5 && lazy.weight === parameter && lazy.parameterCount == 10)
    for (name, value) in eager.stateDict() {
      #expect(lazy.stateDict()[name]?.isEqual(to: value) == true, "\(name)")
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { lazy(.zeros(3, 6, 4, 4)) } }
    let y = lazy(x)
    y.sum().backward()
    #expect(lazy.bias?.grad?.array(of: Float.self) == [48, 48, 48, 48, 48])
  }

  @Test func instanceNorm() {
    let x = withSeed(2) { Tensor.randn(2, 3, 7) }
    let lazy = LazyInstanceNorm1d(affine: true, trackRunningStats: true)
    #expect(lazy(x).isEqual(to: InstanceNorm1d(3, affine: true)(x)))
    #expect(lazy.features == 3 && lazy.runningVar?.value.shape == [3])
    #expect(LazyInstanceNorm1d()(x[0]).shape == [3, 7])
  }

  @Test func aStateSaysItToo() throws {
    let eager = BatchNorm1d(4)
    eager.weight?.value = Tensor([1, 2, 3, 4] as [Float])
    _ = eager(withSeed(3) { .randn(6, 4) })
    let lazy = LazyBatchNorm1d()
    try lazy.load(eager.stateDict())
    for norm in [lazy, eager] { norm.eval() }
    let x = withSeed(4) { Tensor.randn(2, 4) }
    #expect(lazy(x).isEqual(to: eager(x)) && lazy.features == 4)
    #expect(throws: LoadError.self) { try lazy.load(BatchNorm1d(5).stateDict()) }
    #expect(throws: TensorError.self) { try catchingTensorErrors { lazy(.zeros(2, 5)) } }
  }
}
