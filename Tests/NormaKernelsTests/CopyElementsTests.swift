import NormaKernels
import NormaReference
import Testing

/// Copies between layouts against a loop over all elements, for every width.
@Suite struct CopyElementsTests {
  /// Row-major strides of a permuted shape with gaps at the end of rows.
  private static func strides(_ shape: [Int], order: [Int], gap: Int) -> [Int] {
    var strides = shape
    var step = 1
    for axis in order.reversed() {
      strides[axis] = step
      step = step * shape[axis] + gap
    }
    return strides
  }

  private static func indices(_ shape: [Int], _ strides: [Int]) -> [Int] {
    var indices = [0]
    for (size, stride) in zip(shape, strides) {
      indices = indices.flatMap { index in (0..<size).map { index + $0 * stride } }
    }
    return indices
  }

  private func check<T: FixedWidthInteger>(
    _: T.Type, _ shape: [Int], _ source: [Int], _ target: [Int], threads: Int, isStreamed: Bool
  ) -> Bool {
    let from = Self.indices(shape, source)
    let to = Self.indices(shape, target)
    let low = from.min() ?? 0
    let input = (0...((from.max() ?? 0) - low)).map { T(truncatingIfNeeded: $0 &* 77 &+ 13) }
    let room = (to.max() ?? 0) + 1
    var expected = [T](repeating: 99, count: room)
    for (a, b) in zip(from, to) { expected[b] = input[a - low] }
    var result = [T](repeating: 99, count: room)
    let width = MemoryLayout<T>.size
    input.withUnsafeBytes { input in
      result.withUnsafeMutableBytes { result in
        guard let input = input.baseAddress, let result = result.baseAddress else { return }
        copyElements(
          shape, width: width, from: input - low * width, strides: source, to: result,
          strides: target, isStreamed: isStreamed, threads: threads)
      }
    }
    return result == expected
  }

  @Test(arguments: [
    [1], [7], [3, 2], [64, 2], [2, 70], [16, 16], [17, 33], [65, 130], [3, 40, 20], [70, 3, 66],
    [2, 18, 3, 19], [1, 65, 1, 65], [4, 300, 100],
  ])
  func arrangements(shape: [Int]) {
    var random = TestRandom()
    let axes = Array(shape.indices)
    for trial in 0..<12 {
      var source = Self.strides(
        shape, order: axes.shuffled(using: &random), gap: trial % 3 == 0 ? 5 : 0)
      let target = Self.strides(
        shape, order: axes.shuffled(using: &random), gap: trial % 4 == 1 ? 3 : 0)
      if trial % 5 == 2, let axis = axes.randomElement(using: &random) { source[axis] = 0 }
      if trial % 5 == 3, let axis = axes.randomElement(using: &random) { source[axis] *= -1 }
      let threads = 1 + 2 * (trial % 2)
      let isStreamed = trial % 6 == 4
      let text = "\(shape) \(source) \(target), seed \(random)"
      #expect(
        check(UInt8.self, shape, source, target, threads: threads, isStreamed: isStreamed),
        "\(text)")
      #expect(
        check(UInt16.self, shape, source, target, threads: threads, isStreamed: isStreamed),
        "\(text)")
      #expect(
        check(UInt32.self, shape, source, target, threads: threads, isStreamed: isStreamed),
        "\(text)")
      #expect(
        check(UInt64.self, shape, source, target, threads: threads, isStreamed: isStreamed),
        "\(text)")
    }
  }
}
