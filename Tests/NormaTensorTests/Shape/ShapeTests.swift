import NormaReference
import NormaTensor
import Testing

/// Shapes, views and copies against a naive walk over indices.
@Suite struct ShapeTests {
  @Test(arguments: 0..<3) func flips(kind: Int) {
    let shape = [3, 4, 5]
    let x = ViewTests.counted(shape, kind)
    for axes in [[0], [1], [-1], [0, 2], [2, 1], [0, 1, 2], []] {
      ViewTests.expect(x.flipped(over: axes), shape, of: shape) { index in
        index.indices.map { axis in
          axes.contains(axis) || axes.contains(axis - 3)
            ? shape[axis] - 1 - index[axis] : index[axis]
        }
      }
    }
    #expect(isSame(x.flipped(), x.flipped(over: 0, 1, 2)))
    #expect(isSame(x.flippedLeftRight(), x.flipped(over: 1)))
    #expect(isSame(x.flippedUpDown(), x.flipped(over: 0)))
    // Flips fuse, also with slices and broadcast tensors.
    let twice = (x.flipped(over: 2) + x[0..., 0..., 1..<5].flipped(over: -1)[0..., 0..., 0..<1])
    ViewTests.expect(twice - x[0..., 0..., 4..<5], shape, of: shape) { [$0[0], $0[1], 4 - $0[2]] }
    #expect(x[1].unsqueezed(0).broadcast(to: [2, 4, 5]).flipped(over: 0, 2).sum().item() == 1180)
    #expect(x.flipped(over: 1).max(over: 1)[0, 0].item() == 15)
    #expect(Tensor(3).flipped(over: 0).item() == 3 && Tensor.zeros(0, 2).flipped().shape == [0, 2])
    ViewTests.expect(x.rotated90(), [4, 3, 5], of: shape) { [$0[1], 3 - $0[0], $0[2]] }
    ViewTests.expect(x.rotated90(2), shape, of: shape) { [2 - $0[0], 3 - $0[1], $0[2]] }
    ViewTests.expect(x.rotated90(-1), [4, 3, 5], of: shape) { [2 - $0[1], $0[0], $0[2]] }
    #expect(isSame(x.rotated90(1, axes: (2, 0)), x.rotated90(3, axes: (0, 2))))
  }

  @Test func flipsOfEveryTypeAndLength() {
    for type in DType.allCases {
      for count in [1, 2, 15, 16, 17, 63, 64, 65, 1791, 1793] {
        let x =
          (Tensor.arange(2 * count) .> 0).cast(to: type) + Tensor.arange(2 * count).cast(to: type)
        let values = x.array(of: Double.self)
        #expect(x.flipped().array(of: Double.self) == values.reversed())
        let rows = x.reshaped(2, count).flipped(over: 1).array(of: Double.self)
        #expect(rows == values.prefix(count).reversed() + values.suffix(count).reversed())
      }
    }
  }

  /// Few elements that wrap around in long rows.
  @Test func rollsOfLongRows() {
    let whole = Tensor.arange(3 * 40 * 2).reshaped(3, 40, 2)
    for x in [whole, whole.transposed(0, 2), whole[1..., 0..., 0...]] {
      let (own, axis) = (x.array(of: Int.self), 1)
      for shift in [1, 2, 3, 20, 37, 38, 39, -1, 41] {
        let found = x.rolled(by: [shift], over: [axis]).array(of: Int.self)
        let inner = x.shape[2]
        let expected = own.indices.map { place -> Int in
          let (row, i) = (place / inner, place % inner)
          let from = ((row % 40 - shift) % 40 + 40) % 40
          return own[(row / 40 * 40 + from) * inner + i]
        }
        #expect(found == expected, "\(x.shape) by \(shift)")
      }
    }
  }

  @Test(arguments: 0..<3) func rolls(kind: Int) {
    let shape = [3, 4, 5]
    let x = ViewTests.counted(shape, kind)
    for (shifts, axes) in [
      ([1], [0]), ([-2], [-1]), ([7, -9], [1, 2]), ([1, 1], [0, 0]), ([0], [1]),
    ] {
      ViewTests.expect(x.rolled(by: shifts, over: axes), shape, of: shape) { index in
        var source = index
        for (shift, axis) in zip(shifts, axes) {
          let axis = (axis + 3) % 3
          source[axis] = ((source[axis] - shift) % shape[axis] + shape[axis]) % shape[axis]
        }
        return source
      }
    }
    #expect(x.rolled(by: 61).array(of: Int.self) == [59] + Array(0..<59))
    #expect(
      Tensor(2).rolled(by: 3).item() == 2 && Tensor.zeros(0, 2).rolled(by: 1).shape == [0, 2])
  }

  @Test(arguments: 0..<3) func diagonals(kind: Int) {
    let shape = [4, 3, 5]
    let x = ViewTests.counted(shape, kind)
    ViewTests.expect(x.diagonal(), [5, 3], of: shape) { [$0[1], $0[1], $0[0]] }
    ViewTests.expect(x.diagonal(offset: 1, axes: (0, -1)), [3, 4], of: shape) {
      [$0[1], $0[0], $0[1] + 1]
    }
    ViewTests.expect(x.diagonal(offset: -2, axes: (2, 0)), [3, 3], of: shape) {
      [$0[1], $0[0], $0[1] + 2]
    }
    #expect(x.diagonal(offset: 5).shape == [5, 0] && x.diagonal(offset: -99).shape == [5, 0])
    let y = x[0]
    #expect(
      y.diag().array(of: Int.self) == [0, 6, 12] && y.diag(-1).array(of: Int.self) == [5, 11])
    #expect(y.trace().item() == 18 && y.trace().dtype == .int64)
    #expect(Tensor([1, 2]).diag(1).array(of: Int.self) == [0, 1, 0, 0, 0, 2, 0, 0, 0])
    let embedded = y.diagEmbedded(offset: -1, axes: (0, -1))
    #expect(embedded.shape == [6, 3, 6])
    #expect(isSame(embedded.diagonal(offset: -1, axes: (0, 2)), y))
    #expect(embedded.sum().item() == y.sum().item())
    let replaced = y.replacingDiagonal(with: Tensor(-1), offset: 1)
    #expect(replaced.array(of: Int.self) == [0, -1, 2, 3, 4, 5, 6, -1, 8, 9, 10, 11, 12, -1, 14])
  }

  @Test(arguments: 0..<3) func axesAndSizes(kind: Int) {
    let shape = [2, 3, 4, 5]
    let x = ViewTests.counted(shape, kind)
    ViewTests.expect(x.movedAxis(1, to: -1), [2, 4, 5, 3], of: shape) {
      [$0[0], $0[3], $0[1], $0[2]]
    }
    ViewTests.expect(x.movedAxes([0, -1], to: [2, 0]), [5, 3, 2, 4], of: shape) {
      [$0[2], $0[1], $0[3], $0[0]]
    }
    #expect(x.unflattened(2, into: [2, -1]).shape == [2, 3, 2, 2, 5])
    #expect(x.unflattened(-1, into: [5, 1]).array(of: Int.self) == Array(0..<120))
    #expect(Tensor(1).atLeast3D().shape == [1, 1, 1] && Tensor(1).atLeast2D().shape == [1, 1])
    #expect(x[0, 0, 0].atLeast3D().shape == [1, 5, 1] && x[0, 0].atLeast3D().shape == [4, 5, 1])
    let together = Tensor.broadcastTogether([x[0, 0..., 0..., 0..<1], Tensor.arange(5), Tensor(2)])
    #expect(together.map(\.shape) == [[3, 4, 5], [3, 4, 5], [3, 4, 5]])
    #expect(together[2].sum().item() == 120)
  }

  @Test(arguments: 0..<3) func repetitions(kind: Int) {
    let shape = [2, 3]
    let x = ViewTests.counted(shape, kind)
    ViewTests.expect(x.repeated([2, 3, 2]), [2, 6, 6], of: shape) { [$0[1] % 2, $0[2] % 3] }
    ViewTests.expect(x.tiled([3]), [2, 9], of: shape) { [$0[0], $0[1] % 3] }
    ViewTests.expect(x.tiled([2, 1, 1]), [2, 2, 3], of: shape) { [$0[1], $0[2]] }
    #expect(
      x.repeated([0, 1]).shape == [0, 3] && Tensor(5).tiled([2]).array(of: Int.self) == [5, 5])
    ViewTests.expect(x.repeatedInterleaved(2, over: 1), [2, 6], of: shape) { [$0[0], $0[1] / 2] }
    #expect(x.repeatedInterleaved(2).array(of: Int.self) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    let some = x.repeatedInterleaved(Tensor([2, 0, 1]), over: -1)
    #expect(some.array(of: Int.self) == [0, 0, 2, 3, 3, 5] && some.shape == [2, 3])
    #expect(x.repeatedInterleaved(Tensor([2]), over: 0).shape == [4, 3])
  }

  @Test(arguments: 0..<3) func parts(kind: Int) {
    let shape = [5, 7]
    let x = ViewTests.counted(shape, kind)
    ViewTests.expect(x.selected(over: 1, at: -2), [5], of: shape) { [$0[0], 5] }
    ViewTests.expect(x.sliced(over: 1, from: 1, to: -1, by: 2), [5, 3], of: shape) {
      [$0[0], 1 + 2 * $0[1]]
    }
    ViewTests.expect(x.narrowed(over: 0, from: Tensor(-3), count: 2), [2, 7], of: shape) {
      [$0[0] + 2, $0[1]]
    }
    #expect(x.split(into: 3, over: 1).map(\.shape) == [[5, 3], [5, 2], [5, 2]])
    #expect(x.split(at: [2, 9, 1]).map { $0.shape[0] } == [2, 3, 0, 4])
    #expect(x.vsplit(into: 5).count == 5 && x.hsplit(at: [3]).map(\.shape) == [[5, 3], [5, 4]])
    #expect(x[0].hsplit(into: 7)[6].item() == 6 && x.vsplit(at: []).count == 1)
    let other = x.replacing(over: 0, at: 1, with: Tensor(-1))
    #expect(other[1].array(of: Int.self) == [Int](repeating: -1, count: 7))
    #expect(isSame(other[2...], x[2...]) && isSame(other[0], x[0]))
    let steps = x.replacing(over: 1, from: 1, by: 3, with: -x.sliced(over: 1, from: 1, by: 3))
    #expect(steps[0].array(of: Int.self) == [0, -1, 2, 3, -4, 5, 6])
    let (a, b) = (x[0..<2], x[2])
    #expect(Tensor.vstacked([a, b]).shape == [3, 7] && Tensor.hstacked([b, b]).shape == [14])
    #expect(
      Tensor.hstacked([a, a]).shape == [2, 14] && Tensor.dstacked([b, b]).shape == [1, 7, 2])
    #expect(Tensor.columnStacked([b, Tensor.zeros(7, 2, dtype: .int64)]).shape == [7, 3])
  }

  @Test(arguments: 0..<3) func windows(kind: Int) {
    let shape = [7, 3]
    let x = ViewTests.counted(shape, kind)
    ViewTests.expect(x.unfolded(over: 0, size: 3, step: 2), [3, 3, 3], of: shape) {
      [2 * $0[0] + $0[2], $0[1]]
    }
    #expect(x.unfolded(over: 1, size: 0, step: 1).shape == [7, 4, 0])
    #expect(Tensor(4).unfolded(over: 0, size: 1, step: 1).array(of: Int.self) == [4])
    let y = Tensor.arange(10)
    #expect(y.strided([2, 2], strides: [1, 2]).array(of: Int.self) == [0, 2, 1, 3])
    #expect(y[3...].strided([2, 2], strides: [3, 0]).array(of: Int.self) == [3, 3, 6, 6])
    #expect(y[3...].strided([2], strides: [1], offset: 0).array(of: Int.self) == [0, 1])
  }

  /// The gradient of a view of repeated elements goes to each of them once.
  @Test func gradientsThroughViewsOfRepeatedElements() {
    let x = Tensor.zeros(2).requiringGradient()
    let w = x.broadcast(to: [3, 2])
    w.strided([3, 2], strides: w.strides).sum().backward()
    #expect(x.grad?.array(of: Float.self) == [3, 3])
    let y = Tensor.zeros(5).requiringGradient()
    let u = y.unfolded(over: 0, size: 3, step: 1)
    u.strided(u.shape, strides: u.strides).sum().backward()
    #expect(y.grad?.array(of: Float.self) == [1, 2, 3, 2, 1])
    // Elements that the view does not contain, and a view that contains each once.
    let z = Tensor.zeros(4).requiringGradient()
    let v = z.broadcast(to: [2, 4])
    (v.strided([2], strides: [2]) * Tensor([1, 5] as [Float])).sum().backward()
    #expect(z.grad?.array(of: Float.self) == [1, 0, 5, 0])
    let t = Tensor.zeros(2, 3).requiringGradient()
    (t.transposed().strided([2, 2], strides: [1, 2]) * Tensor([[1, 2], [3, 4]] as [[Float]])).sum()
      .backward()
    #expect(t.grad?.array(of: Float.self) == [1, 3, 2, 4, 0, 0])
  }

  @Test func shuffledChannels() {
    let x = Tensor.arange(2 * 8 * 2 * 3).reshaped(2, 8, 2, 3)
    ViewTests.expect(channelShuffle(x, groups: 4), [2, 8, 2, 3], of: [2, 8, 2, 3]) {
      [$0[0], $0[1] % 4 * 2 + $0[1] / 4, $0[2], $0[3]]
    }
    ViewTests.expect(pixelShuffle(x, upscaleFactor: 2), [2, 2, 4, 6], of: [2, 8, 2, 3]) {
      [$0[0], $0[1] * 4 + $0[2] % 2 * 2 + $0[3] % 2, $0[2] / 2, $0[3] / 2]
    }
    #expect(isSame(pixelUnshuffle(pixelShuffle(x, upscaleFactor: 2), downscaleFactor: 2), x))
  }

  @Test func paddingKeepsEveryInteger() {
    let x = Tensor([Int.max, Int.min, 1 << 60 + 1, -3]).reshaped(1, 1, 4)
    for (mode, indices) in [
      (PaddingMode.reflect, [2, 1, 0, 1, 2, 3, 2]), (.replicate, [0, 0, 0, 1, 2, 3, 3]),
      (.circular, [2, 3, 0, 1, 2, 3, 0]),
    ] {
      let padded = x.padded([2, 1], mode: mode)
      #expect(padded.array(of: Int.self) == indices.map { x.array(of: Int.self)[$0] })
    }
  }
}
