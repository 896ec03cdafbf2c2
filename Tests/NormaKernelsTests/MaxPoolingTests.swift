import CNormaLoops
import NormaKernels
import Testing

/// Maxima over windows against their definition, element by element.
@Suite(.serialized) struct MaxPoolingTests {
  /// Kernel, stride, dilation and padding of both axes.
  static let windows = [
    (3, 2, 1, 1), (2, 2, 1, 0), (3, 1, 1, 1), (3, 3, 2, 2), (5, 4, 1, 2), (1, 2, 1, 0),
    (2, 1, 3, 0), (3, 2, 1, 4),
  ]

  private static func axis(
    _ inputs: Int, _ window: (Int, Int, Int, Int)
  ) -> WindowAxis {
    let (kernel, stride, dilation, padding) = window
    let outputs = (inputs + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
    return WindowAxis(inputs: inputs, outputs: outputs, step: dilation) {
      ($0 * stride - padding, kernel)
    }
  }

  /// Few distinct values, so that many are equal, and some NaN.
  private static func values(_ count: Int) -> [Float] {
    (0..<count).map { (i: Int) -> Float in
      if i % 29 == 3 { return .nan }
      return i % 31 == 5 ? -.infinity : Float(i * 7919 % 17) - 8
    }
  }

  private func maxima(
    _ x: [Float], _ rows: WindowAxis, _ columns: WindowAxis, batch: Int
  ) -> (values: [Float], indices: [Int32]) {
    var (values, indices) = ([Float](), [Int32]())
    for n in 0..<batch {
      for i in 0..<rows.outputs {
        for j in 0..<columns.outputs {
          var (best, place) = (-Float.infinity, Int32(-1))
          for a in 0..<Int(rows.lengths[i]) {
            for b in 0..<Int(columns.lengths[j]) {
              let at =
                (Int(rows.first[i]) + a * rows.step) * columns.inputs + Int(columns.first[j])
                + b * columns.step
              let value = x[n * rows.inputs * columns.inputs + at]
              if place < 0 || value.isNaN || value > best {
                (best, place) = (value, Int32(at))
              }
            }
          }
          values.append(best)
          indices.append(place)
        }
      }
    }
    return (values, indices)
  }

  @Test(arguments: windows.indices, [7, 13, 46])
  func everyLevelGivesTheFirstOfTheLargest(_ index: Int, _ width: Int) {
    let window = Self.windows[index]
    let (rows, columns) = (Self.axis(9, window), Self.axis(width, window))
    let x = Self.values(2 * 9 * width)
    let wanted = maxima(x, rows, columns, batch: 2)
    defer { norma_loops_select(norma_loops_best_level()) }
    for level in 0...norma_loops_best_level() {
      norma_loops_select(level)
      var got = [Float](repeating: 0, count: wanted.values.count)
      var indices = [Int32](repeating: 0, count: got.count)
      x.withUnsafeBytes { from in
        got.withUnsafeMutableBytes { to in
          indices.withUnsafeMutableBufferPointer { indices in
            guard let from = from.baseAddress, let to = to.baseAddress,
              let indices = indices.baseAddress
            else { return }
            MaxPooling(batch: 2, channels: 1, axes: [rows, columns])
              .run(.float32, from: from, into: to, indices: indices, threads: 1)
          }
        }
      }
      #expect(got.map(\.order) == wanted.values.map(\.order), "level \(level)")
      #expect(indices == wanted.indices, "level \(level)")
    }
  }
}

extension Float {
  /// The bits; those of one NaN for all.
  fileprivate var order: UInt32 { isNaN ? Float.nan.bitPattern : bitPattern }
}
