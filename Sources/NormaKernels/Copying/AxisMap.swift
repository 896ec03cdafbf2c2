import CNormaLoops
import NormaValues

/// Weighted sums along one axis: output i is the sum of `weight * input[index]` over its taps.
///
/// Interpolation, average pooling and padding are such maps, applied axis by axis, and so are their
/// gradients: the transposed maps. A value that is independent of any layout.
package struct AxisMap: Sendable, Hashable {
  /// One term of a sum.
  package struct Tap: Sendable, Hashable {
    package let index: Int
    package let weight: Double

    package init(_ index: Int, _ weight: Double = 1) { (self.index, self.weight) = (index, weight) }
  }

  /// The length of the axis that is read.
  package let inputs: Int
  /// The length of the axis that is written.
  package let outputs: Int
  // The taps of output i are those from `first[i]` up to `first[i + 1]`.
  private let first: [Int32]
  private let indices: [Int32]
  private let weights: [Double]

  /// The map with these taps for each output. Taps of weight 0 are left out.
  package init(inputs: Int, outputs: Int, taps: (Int) -> [Tap]) {
    var first: [Int32] = [0]
    var indices: [Int32] = []
    var weights: [Double] = []
    for output in 0..<outputs {
      for tap in taps(output) where tap.weight != 0 {
        indices.append(Int32(tap.index))
        weights.append(tap.weight)
      }
      first.append(Int32(indices.count))
    }
    (self.inputs, self.outputs) = (inputs, outputs)
    (self.first, self.indices, self.weights) = (first, indices, weights)
  }

  /// The terms of an output.
  package func taps(of output: Int) -> [Tap] {
    (Int(first[output])..<Int(first[output + 1])).map { Tap(Int(indices[$0]), weights[$0]) }
  }

  /// The map with the transposed matrix, which computes gradients.
  package var transposed: AxisMap {
    var columns = [[Tap]](repeating: [], count: inputs)
    for output in 0..<outputs {
      for tap in taps(of: output) { columns[tap.index].append(Tap(output, tap.weight)) }
    }
    return AxisMap(inputs: outputs, outputs: inputs) { columns[$0] }
  }

  /// All sums multiplied by a number.
  package func scaled(by factor: Double) -> AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { output in
      taps(of: output).map { Tap($0.index, $0.weight * factor) }
    }
  }

  /// Whether every output equals the input with the same index.
  package var isIdentity: Bool {
    inputs == outputs && indices.count == outputs
      && indices.indices.allSatisfy { indices[$0] == Int32($0) && weights[$0] == 1 }
      && first.indices.allSatisfy { first[$0] == Int32($0) }
  }

  /// Maps `[outer, inputs, inner]` to `[outer, outputs, inner]`, both dense.
  ///
  /// Sums run in double, tap by tap, and are rounded once: the bits do not depend on the number of
  /// threads.
  package func run(
    _ dtype: DType, outer: Int, inner: Int, from input: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer, threads: Int
  ) {
    let rows = outer * outputs
    guard rows > 0, inner > 0 else { return }
    first.withUnsafeBufferPointer { first in
      indices.withUnsafeBufferPointer { indices in
        weights.withUnsafeBufferPointer { weights in
          // An empty array may have no address; nothing is read from it then.
          guard let first = first.baseAddress,
            let indices = indices.baseAddress ?? UnsafePointer(bitPattern: 8),
            let weights = weights.baseAddress ?? UnsafePointer(bitPattern: 8)
          else { return }
          var map = norma_axis_map(
            inputs: Int64(inputs), outputs: Int64(outputs), inner: Int64(inner), first: first,
            indices: indices, weights: weights)
          inParallel(rows, work: rows * inner, threads: threads) { begin, end in
            norma_run_axis_map(dtype.loops, &map, input, output, begin, end)
          }
        }
      }
    }
  }
}
