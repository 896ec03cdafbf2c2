import CNormaLoops
import NormaValues

/// Convolution by its definition, summed in double and rounded once: for tensors so small that no
/// other way is worth its preparation.
package struct DirectConvolution: Sendable {
  private var shape: norma_convolution

  /// The convolution of these sizes: batch and channels first, then one to three spatial axes.
  package init(
    source: [Int], weights: [Int], destination: [Int], stride: [Int], dilation: [Int],
    before: [Int], groups: Int
  ) {
    func three(_ values: [Int], _ filling: Int) -> (Int64, Int64, Int64) {
      let all = [Int](repeating: filling, count: 3 - values.count) + values
      return (Int64(all[0]), Int64(all[1]), Int64(all[2]))
    }
    func space(_ sizes: [Int]) -> [Int] { Array(sizes.dropFirst(2)) }
    shape = norma_convolution(
      batch: Int64(source[0]), groups: Int64(groups), inputs: Int64(weights[1]),
      outputs: Int64(weights[0] / groups), source: three(space(source), 1),
      destination: three(space(destination), 1), kernel: three(space(weights), 1),
      stride: three(stride, 1), dilation: three(dilation, 1), before: three(before, 0))
  }

  /// Provides scratch for a row of the result of a pass.
  private func withRow(_ length: Int64, _ body: (UnsafeMutablePointer<Double>) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(length)) { row in
      if let row = row.baseAddress { body(row) }
    }
  }

  /// Computes the destination.
  package func forward(
    _ dtype: DType, source: UnsafeRawPointer, weights: UnsafeRawPointer, bias: UnsafeRawPointer?,
    destination: UnsafeMutableRawPointer
  ) {
    var shape = shape
    withRow(shape.destination.2) { row in
      norma_convolution_forward(dtype.loops, &shape, source, weights, bias, destination, row)
    }
  }

  /// Computes the source's gradient.
  package func sourceGradient(
    _ dtype: DType, source: UnsafeMutableRawPointer, weights: UnsafeRawPointer,
    destination: UnsafeRawPointer
  ) {
    var shape = shape
    withRow(shape.source.2) { row in
      norma_convolution_source(dtype.loops, &shape, source, weights, destination, row)
    }
  }

  /// Computes the gradient of the weights.
  package func weightsGradient(
    _ dtype: DType, source: UnsafeRawPointer, weights: UnsafeMutableRawPointer,
    destination: UnsafeRawPointer
  ) {
    var shape = shape
    norma_convolution_weights(dtype.loops, &shape, source, weights, destination)
  }
}
