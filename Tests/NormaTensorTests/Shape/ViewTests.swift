import NormaReference
import NormaTensor
import Testing

/// Views against a naive walk over indices, of stored and of pending tensors.
@Suite struct ViewTests {
  /// Expects a view to have, at every index, the element of `shape` that `source` returns.
  static func expect(
    _ view: Tensor, _ shape: [Int], of original: [Int], location: SourceLocation = #_sourceLocation,
    _ source: ([Int]) -> [Int]
  ) {
    #expect(view.shape == shape, sourceLocation: location)
    let expected = indices(of: shape).map { index in
      zip(source(index), original).reduce(0) { $0 * $1.1 + $1.0 }
    }
    #expect(view.array(of: Int.self) == expected, sourceLocation: location)
  }

  /// 0, 1, 2, ... in a shape: stored, pending, or in reverse memory order.
  static func counted(_ shape: [Int], _ kind: Int) -> Tensor {
    let x = Tensor.arange(shape.reduce(1, *)).reshaped(shape)
    let reverse = Array(shape.indices.reversed())
    switch kind {
    case 0: return x
    case 1: return (x + 1) - 1
    default:
      let turned = x.permuted(reverse).reshaped(-1).reshaped(reverse.map { shape[$0] })
      return turned.permuted(reverse)
    }
  }

  /// Copies from a transposed source use tiles of several rows, which must cover it exactly.
  @Test(arguments: [DType.uint8, .float16, .float32, .int64]) func turnedCopies(dtype: DType) {
    let shape = [3, 150, 277]
    let count = shape.reduce(1, *)
    // Below 199, so that every type can hold it.
    let x = Tensor((0..<count).map { Int64($0 % 199) }).reshaped(shape).cast(to: dtype)
    for order in [[0, 2, 1], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
      let strides = order.map { [150 * 277, 277, 1][$0] }
      let target = order.map { shape[$0] }
      let copy = (x.permuted(order) + Tensor.zeros([], dtype: dtype)).reshaped(target)
        .array(of: Int64.self)
      let flat = x.permuted(order).reshaped(-1).array(of: Int64.self)
      var place = 0
      var wrong = 0
      for i in 0..<target[0] {
        for j in 0..<target[1] {
          for k in 0..<target[2] {
            let value = Int64((i * strides[0] + j * strides[1] + k * strides[2]) % 199)
            if copy[place] != value || flat[place] != value { wrong += 1 }
            place += 1
          }
        }
      }
      #expect(wrong == 0, "order \(order)")
    }
  }

  @Test(arguments: 0..<3)
  func ordersOfAxes(kind: Int) {
    let shape = [2, 3, 4]
    let x = Self.counted(shape, kind)
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      Self.expect(x.permuted(order), order.map { shape[$0] }, of: shape) { index in
        var source = [0, 0, 0]
        for (k, axis) in order.enumerated() { source[axis] = index[k] }
        return source
      }
      // Twice, and with a new row-major order in between.
      let twice = x.permuted(order).reshaped(-1).reshaped(order.map { shape[$0] }).permuted(order)
      Self.expect(twice, order.map { order[$0] }.map { shape[$0] }, of: shape) { index in
        var source = [0, 0, 0]
        for (k, axis) in order.enumerated() { source[order[axis]] = index[k] }
        return source
      }
    }
    #expect(isSame(x.permuted(-1, 0, 1), x.permuted(2, 0, 1)))
    Self.expect(x.transposed(), [2, 4, 3], of: shape) { [$0[0], $0[2], $0[1]] }
    Self.expect(x.transposed(0, -1), [4, 3, 2], of: shape) { [$0[2], $0[1], $0[0]] }
    #expect(Tensor(3).transposed(0, -1).item() == 3)
  }

  @Test(arguments: 0..<3)
  func reshapes(kind: Int) {
    let x = Self.counted([4, 6, 2], kind)
    for shape in [[48], [2, 24], [4, 3, 2, 2], [8, 1, 6], [1, 4, 12], [2, 2, 3, 2, 2, 1]] {
      #expect(x.reshaped(shape).array(of: Int.self) == Array(0..<48), "\(shape)")
      for axis in shape.indices {
        var open = shape
        open[axis] = -1
        #expect(x.reshaped(open).shape == shape)
      }
      // For a permuted tensor: the same elements as for its copy.
      let turned = x.permuted(1, 0, 2)
      let copy = Tensor(turned.array(of: Int.self), shape: turned.shape)
      #expect(isSame(turned.reshaped(shape), copy.reshaped(shape)), "\(shape)")
      let part = x[1..<3].reshaped(-1, 6)
      #expect(part.array(of: Int.self) == Array(12..<36))
    }
    // Views if the strides allow it: no new memory.
    let y = Tensor.arange(24).reshaped(2, 3, 4)
    #expect(y.permuted(1, 0, 2).reshaped(3, 2, 2, 2).strides == [4, 12, 2, 1])
    #expect(y.permuted(2, 0, 1).reshaped(4, 6).strides == [1, 4])
    #expect(y.flattened().shape == [24] && y.flattened(from: 1).shape == [2, 12])
    #expect(y.flattened(from: 0, through: 1).shape == [6, 4] && Tensor(1).flattened().shape == [1])
    #expect(Tensor.zeros(2, 0, 3).reshaped(0, 5).shape == [0, 5])
    #expect(Tensor.zeros(2, 0).reshaped(-1, 4).shape == [0, 4])
  }

  @Test(arguments: 0..<3)
  func axesOfSizeOne(kind: Int) {
    let x = Self.counted([1, 3, 1, 2], kind)
    Self.expect(x.squeezed(), [3, 2], of: [1, 3, 1, 2]) { [0, $0[0], 0, $0[1]] }
    #expect(x.squeezed(0).shape == [3, 1, 2] && x.squeezed(0, -2).shape == [3, 2])
    #expect(x.squeezed(1).shape == [1, 3, 1, 2])
    for (axis, shape) in [
      (0, [1, 3, 2]), (1, [3, 1, 2]), (2, [3, 2, 1]), (-1, [3, 2, 1]), (-3, [1, 3, 2]),
    ] {
      let y = x.squeezed().unsqueezed(axis)
      #expect(y.shape == shape && y.array(of: Int.self) == Array(0..<6))
      #expect((y + 1).array(of: Int.self) == Array(1..<7))
    }
  }

  @Test(arguments: 0..<3)
  func stretched(kind: Int) {
    let x = Self.counted([3, 1], kind)
    Self.expect(x.broadcast(to: [2, 3, 4]), [2, 3, 4], of: [3, 1]) { [$0[1], 0] }
    Self.expect(x.broadcast(to: [-1, 5]), [3, 5], of: [3, 1]) { [$0[0], 0] }
    #expect(x.broadcast(to: [0, 3, 1]).count == 0)
    #expect(x.broadcast(to: [2, 3, 4]).sum().item() == 24)
    #expect(x.broadcast(to: [2, 3, 4])[1, 2].array(of: Int.self) == [2, 2, 2, 2])
    #expect(Tensor(7).broadcast(to: [2, 2]).array(of: Int.self) == [7, 7, 7, 7])
  }

  @Test(arguments: 0..<3)
  func chosenElements(kind: Int) {
    let shape = [4, 5, 6]
    let x = Self.counted(shape, kind)
    func expect(_ view: Tensor, _ result: [Int], _ source: @escaping ([Int]) -> [Int]) {
      Self.expect(view, result, of: shape, source)
    }
    expect(x[1], [5, 6]) { [1, $0[0], $0[1]] }
    expect(x[-1, 2], [6]) { [3, 2, $0[0]] }
    expect(x[3, -5, 5], []) { _ in [3, 0, 5] }
    expect(x[1..<3], [2, 5, 6]) { [$0[0] + 1, $0[1], $0[2]] }
    expect(x[0..<4, 2...3, -2 ..< -1], [4, 2, 1]) { [$0[0], $0[1] + 2, $0[2] + 4] }
    expect(x[1..., ..<2, ...(-1)], [3, 2, 6]) { [$0[0] + 1, $0[1], $0[2]] }
    expect(x[AxisSlice(by: 2), AxisSlice(from: 1, by: 3)], [2, 2, 6]) {
      [2 * $0[0], 3 * $0[1] + 1, $0[2]]
    }
    expect(x[AxisSlice(from: -3, to: 99), 0, AxisSlice(to: -2, by: 3)], [3, 2]) {
      [$0[0] + 1, 0, 3 * $0[1]]
    }
    expect(x[AxisSlice(from: 3, to: 1)], [0, 5, 6]) { $0 }
    expect(x[..., 2], [4, 5]) { [$0[0], $0[1], 2] }
    expect(x[1, ..., 2], [5]) { [1, $0[0], 2] }
    expect(x[1, 2, ...], [6]) { [1, 2, $0[0]] }
    expect(x[NewAxis(), 1, NewAxis(), Ellipsis(), NewAxis()], [1, 1, 5, 6, 1]) {
      [1, $0[2], $0[3]]
    }
    expect(x[2..<2], [0, 5, 6]) { $0 }
    // Views of views, and arithmetic on them.
    expect(x[1...][0, AxisSlice(by: 2)][..., 1..<3], [3, 2]) { [1, 2 * $0[0], $0[1] + 1] }
    let both = x[1, 0..<3, 0..<3] + x[2, AxisSlice(by: 2), 3...].transposed()
    var expected: [Int] = []
    for i in 0..<3 {
      for j in 0..<3 { expected.append(93 + 6 * i + j + 12 * j + i) }
    }
    #expect(both.array(of: Int.self) == expected)
  }

  @Test func nothingLeft() {
    let x = Tensor.zeros(3, 0, 2)
    #expect((x + 1).shape == [3, 0, 2] && x.transposed().reshaped(-1).shape == [0])
    #expect(x.sum(over: 1).array(of: Float.self) == [0, 0, 0, 0, 0, 0])
    #expect((x * Tensor.ones(1, 2)).array(of: Float.self) == [])
    #expect(x.isEqual(to: x) && x.allClose(to: x))
  }
}
