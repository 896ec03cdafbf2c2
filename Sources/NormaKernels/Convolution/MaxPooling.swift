import CNormaLoops
import NormaValues

/// The elements along one axis that belong to each window.
package struct WindowAxis: Sendable, Hashable {
  /// The length of the axis that is read.
  package let inputs: Int
  /// The first element of each window, and the number of its elements, all within the axis.
  package let first: [Int32], lengths: [Int32]
  /// The distance between the elements of a window.
  package let step: Int

  /// The number of windows.
  package var outputs: Int { first.count }

  /// The windows with these elements; bounds outside of the axis are clipped.
  package init(inputs: Int, outputs: Int, step: Int, window: (Int) -> (start: Int, count: Int)) {
    var (first, lengths) = ([Int32](), [Int32]())
    for output in 0..<outputs {
      var (start, count) = window(output)
      if start < 0 {
        let skipped = (-start + step - 1) / step
        start += skipped * step
        count -= skipped
      }
      count = min(count, start < inputs ? (inputs - start + step - 1) / step : 0)
      first.append(Int32(start))
      lengths.append(Int32(max(count, 0)))
    }
    (self.inputs, self.step, self.first, self.lengths) = (inputs, step, first, lengths)
  }

  /// An axis of one element with one window.
  static let single = WindowAxis(inputs: 1, outputs: 1, step: 1) { _ in (0, 1) }
}

/// Maxima over windows along one to three axes of dense `[batch, space, channels]`.
///
/// If channels are not the fastest axis, each channel counts as a sample.
package struct MaxPooling: Sendable {
  package let batch: Int, channels: Int
  /// The windows of each axis, one to three.
  private let axes: [WindowAxis]

  package init(batch: Int, channels: Int, axes: [WindowAxis]) {
    (self.batch, self.channels) = (batch, channels)
    self.axes = [WindowAxis](repeating: .single, count: 3 - axes.count) + axes
  }

  private var outputSpace: Int { axes.reduce(1) { $0 * $1.outputs } }

  /// Writes the largest element of each window, and if there is memory for it, its index among the
  /// spatial elements.
  ///
  /// The first of equal elements; a NaN is larger than anything.
  package func run(
    _ dtype: DType, from input: UnsafeRawPointer, into output: UnsafeMutableRawPointer,
    indices: UnsafeMutablePointer<Int32>?, threads: Int
  ) {
    // The bounds of all windows in one array: for each axis their first elements, then their
    // lengths.
    let bounds = axes.flatMap { $0.first + $0.lengths }
    let counts = axes.map { Int64($0.outputs) }
    let inputs = axes.map { Int64($0.inputs) }
    let steps = axes.map { Int64($0.step) }
    bounds.withUnsafeBufferPointer { bounds in
      guard let z = bounds.baseAddress else { return }
      let y = z + 2 * axes[0].outputs
      let x = y + 2 * axes[1].outputs
      var windows = norma_windows(
        channels: Int64(channels), inputs: (inputs[0], inputs[1], inputs[2]),
        outputs: (counts[0], counts[1], counts[2]), step: (steps[0], steps[1], steps[2]),
        first: (z, y, x),
        lengths: (z + axes[0].outputs, y + axes[1].outputs, x + axes[2].outputs))
      let lines = batch * axes[0].outputs * axes[1].outputs
      inParallel(lines, work: batch * channels * outputSpace, threads: threads) { begin, end in
        norma_max_pool(dtype.loops, &windows, input, output, indices, begin, end)
      }
    }
  }
}

/// Spatial elements selected by index, for each sample and channel of `[batch, space, channels]`.
package struct IndexedElements: Sendable {
  package let batch: Int, channels: Int
  /// The number of spatial elements, and of selected ones.
  package let wide: Int, narrow: Int

  package init(batch: Int, channels: Int, wide: Int, narrow: Int) {
    (self.batch, self.channels) = (batch, channels)
    (self.wide, self.narrow) = (wide, narrow)
  }

  /// Adds each selected element at its index to the spatial ones, which start at 0.
  package func scatter(
    _ dtype: DType, from few: UnsafeRawPointer, into many: UnsafeMutableRawPointer,
    indices: UnsafePointer<Int32>, threads: Int
  ) {
    let (wide, narrow, channels) = (Int64(wide), Int64(narrow), Int64(channels))
    inParallel(batch, work: batch * self.channels * self.narrow, threads: threads) { begin, end in
      norma_scatter_elements(
        dtype.loops, wide, narrow, channels, indices, few, many, begin, end)
    }
  }

  /// Reads each selected element at its index from the spatial ones.
  package func gather(
    _ dtype: DType, from many: UnsafeRawPointer, into few: UnsafeMutableRawPointer,
    indices: UnsafePointer<Int32>, threads: Int
  ) {
    let (wide, narrow, channels) = (Int64(wide), Int64(narrow), Int64(channels))
    inParallel(batch, work: batch * self.channels * self.narrow, threads: threads) { begin, end in
      norma_gather_elements(
        dtype.loops, wide, narrow, channels, indices, many, few, begin, end)
    }
  }
}
