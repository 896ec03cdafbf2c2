import NormaTensor
import Testing

/// When values are recomputed, when they are stored, and what storing releases.
@Suite struct ProgramRuleTests {
  /// A value is recomputed as long as instructions times uses do not exceed 16, if it has more
  /// elements than run without a program.
  @Test func aValueThatIsUsedOftenIsStored() {
    let x = Tensor.arange(20_000)
    let cheap = x + 1
    for use in 1...16 {
      _ = (cheap * use).evaluated()
      #expect(cheap.programDescription != nil, "use \(use)")
    }
    _ = (cheap * 17).evaluated()
    #expect(cheap.programDescription == nil)

    let dear = ((x + 1) * 2 - 3).abs()
    for _ in 1...4 { _ = (dear * 2).evaluated() }
    #expect(dear.programDescription != nil)
    #expect((dear * 2).array(of: Int.self).prefix(3) == [2, 2, 6])
    #expect(dear.programDescription == nil)
  }

  /// A chain that is not read runs as one program, up to a certain length.
  @Test func aLongChainIsOneProgram() {
    var x = Tensor([1, 2, 3] as [Float])
    for _ in 0..<40 { x = x + 1 }
    let text = x.programDescription ?? ""
    #expect(text.split(separator: "\n").count { $0.contains("add") } == 40)
    #expect(x.array(of: Float.self) == [41, 42, 43])
  }

  @Test func storingReleasesInputs() async {
    await #expect(processExitsWith: .success) {
      let bytes = 4 << 20
      var x: Tensor? = Tensor.ones(1 << 20)
      let y = x.map { ($0 + 1) * 2 }
      let mean = x?.mean()
      x = nil
      demand(TensorMemory.usage.inUse >= bytes, "a pending value keeps its inputs")
      y?.evaluated()
      mean?.evaluated()
      demand(TensorMemory.usage.inUse < 2 * bytes, "\(TensorMemory.usage)")
      demand(mean?.item() == 1 && y?[5].item() == 4)
    }
  }

  /// `mean` and `std` of the same tensor and axes run together: computing one also computes the
  /// other, and frees the memory of their source.
  @Test func siblingsShareOnePass() async {
    await #expect(processExitsWith: .success) {
      var x: Tensor? = Tensor.ones([1 << 10, 1 << 10])
      let results = x.map { [$0.mean(over: 1), $0.std(over: 1), $0.max(over: 1), $0.sum(over: 1)] }
      let other = x?.mean(over: 0)
      x = nil
      results?[1].evaluated()
      other?.evaluated()
      // If another pass were still needed, its source would be retained.
      demand(TensorMemory.usage.inUse < 1 << 20, "\(TensorMemory.usage)")
      let values = results?.map { $0[7].item() }
      demand(values == [1, 0, 1, 1024], "\(String(describing: values))")
    }
  }
}
