import NormaReference
import NormaTensor
import Testing

/// Tensors in brackets, and assignment, as in PyTorch.
@Suite struct BracketTests {
  @Test(arguments: 0..<3) func tensorsAmongOtherIndices(kind: Int) {
    let shape = [2, 3, 4, 5]
    let x = ViewTests.counted(shape, kind)
    func expect(
      _ picked: Tensor, _ result: [Int], location: SourceLocation = #_sourceLocation,
      _ source: ([Int]) -> [Int]
    ) {
      ViewTests.expect(picked, result, of: shape, location: location, source)
    }
    let (i, j) = ([2, 0], [1, 1, -2, 0])
    expect(x[[1, -1, 0]], [3, 3, 4, 5]) { [[1, 1, 0][$0[0]], $0[1], $0[2], $0[3]] }
    expect(x[0..., i], [2, 2, 4, 5]) { [$0[0], i[$0[1]], $0[2], $0[3]] }
    expect(x[..., j], [2, 3, 4, 4]) { [$0[0], $0[1], $0[2], (j[$0[3]] + 5) % 5] }
    expect(x[0..., Tensor([[0, 2], [1, 1]]), 1], [2, 2, 2, 5]) {
      [$0[0], [[0, 2], [1, 1]][$0[1]][$0[2]], 1, $0[3]]
    }
    // Adjacent ones stay where they are, and broadcast.
    expect(x[0..., Tensor(i).unsqueezed(1), Tensor(j)], [2, 2, 4, 5]) {
      [$0[0], i[$0[1]], (j[$0[2]] + 4) % 4, $0[3]]
    }
    // With other axes between them they come first.
    expect(x[0..., i, 0..., [3, 4]], [2, 2, 4]) { [$0[1], i[$0[0]], $0[2], [3, 4][$0[0]]] }
    expect(x[NewAxis(), [0, 1], NewAxis(), [2, 0]], [2, 1, 1, 4, 5]) {
      [[0, 1][$0[0]], [2, 0][$0[0]], $0[3], $0[4]]
    }
    // Integers are applied before tensors.
    expect(x[0, 0..., [0, 1]], [3, 2, 5]) { [0, $0[0], [0, 1][$0[1]], $0[2]] }
    expect(x[Tensor(1), AxisSlice(by: 2), i], [2, 2, 5]) { [1, 2 * $0[0], i[$0[1]], $0[2]] }
    expect(x[Tensor([Int]())], [0, 3, 4, 5]) { $0 }
    // Boolean masks, with one axis and with two.
    expect(x[0..., [true, false, true]], [2, 2, 4, 5]) { [$0[0], 2 * $0[1], $0[2], $0[3]] }
    let mask = Tensor([
      [true, false, false, true], [false, false, false, false], [false, true, false, false],
    ])
    let (a, b) = ([0, 0, 2], [0, 3, 1])
    expect(x[0..., mask], [2, 3, 5]) { [$0[0], a[$0[1]], b[$0[1]], $0[2]] }
    expect(x[[0, 1, 1], mask], [3, 5]) { [[0, 1, 1][$0[0]], a[$0[0]], b[$0[0]], $0[1]] }
    expect(x[0..., mask, Tensor([4])], [2, 3]) { [$0[0], a[$0[1]], b[$0[1]], 4] }
    expect(x[Tensor(true)], [1, 2, 3, 4, 5]) { Array($0.dropFirst()) }
    expect(x[0..., Tensor(false)], [2, 0, 3, 4, 5]) { $0 }
    #expect(x[x .> 115].array(of: Int.self) == [116, 117, 118, 119])
  }

  @Test func everyTypeAndLayout() {
    var random = TestRandom()
    for type in DType.allCases {
      for arrangement in Arrangement.allCases {
        let x = Sample([4, 3, 5], type, arrangement, random: &random)
        let picked = x.tensor[[3, 1], 0..., [4, 0]].array(of: Double.self)
        var indices: [Int] = []
        for (row, column) in [(3, 4), (1, 0)] {
          indices += (0..<3).map { row * 15 + $0 * 5 + column }
        }
        let truth = indices.map { x.values[$0] }
        #expect(picked == truth, "\(type) \(arrangement)")
        var y = x.tensor
        y[[3, 1], 0..., [4, 0]] = Tensor([1, 0, 1], dtype: type)
        var expected = x.values
        for (number, index) in indices.enumerated() { expected[index] = number % 3 == 1 ? 0 : 1 }
        #expect(y.array(of: Double.self) == expected && x.tensor.array() == x.values)
      }
    }
  }

  @Test(arguments: 0..<3) func assignments(kind: Int) {
    let x = ViewTests.counted([3, 4], kind)
    var y = x
    y[1] = Tensor([9, 8, 7, 6])
    #expect(y.array(of: Int.self) == [0, 1, 2, 3, 9, 8, 7, 6, 8, 9, 10, 11])
    y[..., 0] = -1
    y[2, 1...] = Tensor([[0.5, 2.9, -1.9]])
    #expect(y.array(of: Int.self) == [-1, 1, 2, 3, -1, 8, 7, 6, -1, 0, 2, -1] && y.dtype == .int64)
    y[y .< 0] = 0
    #expect(y.array(of: Int.self) == [0, 1, 2, 3, 0, 8, 7, 6, 0, 0, 2, 0])
    y[[0, -1], [1, 1]] = Tensor([40, 50])
    y[0..., [true, false, false, true]] = Tensor([[1], [2], [3]])
    #expect(y.array(of: Int.self) == [1, 40, 2, 1, 2, 8, 7, 2, 3, 50, 2, 3])
    y[...] = y.transposed().reshaped(3, 4)
    #expect(y.array(of: Int.self) == [1, 2, 3, 40, 8, 50, 2, 7, 2, 1, 2, 3])
    y[AxisSlice(by: 2)] = y[1]
    #expect(y[2].array(of: Int.self) == [8, 50, 2, 7])
    // Other tensors with the same memory keep their values.
    #expect(x.array(of: Int.self) == Array(0..<12))
    let (kept, view) = (y, y[0])
    let later = y.sum(over: 0)
    y[0] = 5
    #expect(kept[0, 0].item() == 8 && view[0].item() == 8 && y[0, 0].item() == 5)
    #expect(later[0].item() == 24)
    var stretched = Tensor([1, 2]).broadcast(to: [3, 2])
    stretched[1, 0] = 7
    #expect(stretched.array(of: Int.self) == [1, 2, 7, 2, 1, 2])
    var windows = Tensor.arange(4).unfolded(over: 0, size: 2, step: 1)
    windows[0, 1] = 9
    #expect(windows.array(of: Int.self) == [0, 9, 1, 2, 2, 3])
    var number = Tensor(3)
    number[...] = 4
    #expect(number.item() == 4)
    var none = Tensor.zeros(0, 2)
    none[...] = 1
    #expect(none.shape == [0, 2])
  }

  /// A loop of assignments to elements without another owner does not copy the whole.
  @Test func assignmentInPlace() {
    var x = Tensor.zeros(1 << 20)
    x.evaluated()
    let index = x.withUnsafeBytes { $0.baseAddress }
    for k in 0..<50 { x[k * 1000] = Tensor(Float(k)) }
    x[[5, 6]] = 2
    x[AxisSlice(from: -3)] = 3
    #expect(x.withUnsafeBytes { $0.baseAddress } == index)
    #expect(x.sum().item() == 1225 + 4 + 9)
    // Reductions computed before are not reused for the new values.
    var y = Tensor.ones(10)
    #expect(y.sum().item() == 10)
    y[0] = 5
    #expect(y.sum().item() == 14)
  }

  @Test func mistakes() {
    func message(_ body: () -> Void) -> String {
      do { try catchingTensorErrors(body) } catch { return "\(error)" }
      return ""
    }
    let x = Tensor.zeros(2, 3)
    for (body, text) in [
      (
        { _ = x[[2]] },
        "subscript: index 2 is out of range for axis 0 of shape [2, 3]; valid indices are -2 ..< 2"
      ),
      (
        { _ = x[0..., [0, -4], ] },
        "subscript: index -4 is out of range for axis 1 of shape [2, 3]; valid indices are -3 ..< 3"
      ),
      (
        { _ = x[[0, 1], [0, 3]] },
        "subscript: index 3 is out of range for axis 1 of shape [2, 3]; valid indices are -3 ..< 3"
      ),
      (
        { _ = x[[true, false, true]] },
        "subscript: a mask of shape [3] does not fit shape [2, 3] from axis 0 on"
      ),
      (
        { _ = x[Tensor([0.5])] },
        "subscript: indices cannot be float64: cast them to an integer type other than uint8, "
          + "which PyTorch takes for a mask, or to bool for a mask"
      ),
      (
        { _ = x.indexSelected(Tensor([-1]), over: 0) },
        "indexSelected(_:over:): index -1 is out of range for axis 0 of shape [2, 3]; valid "
          + "indices are 0 ..< 2"
      ),
      (
        { _ = Tensor.zeros(3, 0).indexSelected(Tensor([5]), over: 0) },
        "indexSelected(_:over:): index 5 is out of range for axis 0 of shape [3, 0]; valid "
          + "indices are 0 ..< 3"
      ),
      (
        { _ = x.gathered(Tensor([[0, 3]]), over: 1) },
        "gathered(_:over:): index 3 is out of range for axis 1 of shape [2, 3]; valid indices "
          + "are 0 ..< 3"
      ),
      (
        { _ = x.scattered(Tensor([[-1]]), x, over: 1) },
        "scattered(_:_:over:): index -1 is out of range for axis 1 of shape [2, 3]; valid "
          + "indices are 0 ..< 3"
      ),
      (
        { _ = x.taken(Tensor([6])) },
        "taken(_:): index 6 is out of range for axis 0 of shape [6]; valid indices are -6 ..< 6"
      ),
      (
        {
          var y = x; y[0] = Tensor.zeros(2)
        }, "subscript: values of shape [2] do not broadcast to the selected elements, [3]"
      ),
      (
        {
          var y = x; y[[7]] = 1
        },
        "subscript: index 7 is out of range for axis 0 of shape [2, 3]; valid indices are -2 ..< 2"
      ),
      (
        { _ = x.scattered(where: x .< 1, Tensor.zeros(5)) },
        "scattered(where:_:): the mask selects 6 elements, but the source has 5"
      ),
    ] as [(() -> Void, String)] {
      #expect(message(body) == text)
    }
    for body in [
      { _ = x.flipped(over: 0, -2) }, { _ = x.diagonal(axes: (1, 1)) }, { _ = Tensor(1).diag() },
      { _ = x.rolled(by: [1], over: []) }, { _ = x.movedAxes([0], to: [2]) },
      { _ = x.unflattened(1, into: [2, 2]) }, { _ = x.repeated([2]) }, { _ = x.repeated([-1, 1]) },
      { _ = x.repeatedInterleaved(Tensor([1, 2, 3]), over: 0) },
      { _ = x.unfolded(over: 0, size: 3, step: 1) },
      { _ = x.unfolded(over: 0, size: 1, step: 0) }, { _ = x.strided([2], strides: [-1]) },
      { _ = x.strided([2, 4], strides: [3, 1]) }, { _ = x.split(into: 0) },
      { _ = x.hsplit(into: 2) },
      { _ = Tensor.meshgrid([x]) }, { _ = Tensor.meshgrid([]) }, { _ = Tensor.eye(-1) },
      { _ = x[0].tril() },
      { _ = Tensor.linspace(0, 1, count: -1) }, { _ = Tensor.linspace(x, x, count: 3) },
      { _ = pixelShuffle(x.unsqueezed(0), upscaleFactor: 2) },
      { _ = channelShuffle(x.unsqueezed(0), groups: 3) },
      { _ = x.indexFilled(Tensor([0]), over: 0, with: Tensor([1.0])) },
      { _ = x.selected(where: x) },
      { _ = x.indexAdded(Tensor([0]), x.cast(to: .float64), over: 0) },
      { _ = x.indexCopied(Tensor([-1]), x[0..<1], over: 0) },
      { _ = x.narrowed(over: 0, from: Tensor([0]), count: 1) },
      { _ = x.replacing(over: 0, at: 2, with: x[0]) },
      { _ = Tensor.arange(0.0, 64, 0.5, dtype: .int64) },
      { _ = x.filled(where: x .> 0, with: x[0]) },
    ] as [() -> Void] {
      #expect(message(body) != "")
    }
  }
}

extension Tensor {
  fileprivate func array() -> [Double] { array(of: Double.self) }
}
