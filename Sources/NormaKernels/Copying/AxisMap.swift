import CNormaLoops
import NormaValues

/// Weighted sums along one axis: output i is the sum of `weight * input[place]` over its taps.
///
/// Interpolation, average pooling and padding are such maps, one axis after the other, and so are
/// their gradients: the transposed maps. A value that knows nothing of a layout.
package struct AxisMap: Sendable, Hashable {
  /// One term of a sum.
  package struct Tap: Sendable, Hashable {
    package let place: Int
    package let weight: Double

    package init(_ place: Int, _ weight: Double = 1) { (self.place, self.weight) = (place, weight) }
  }

  /// The length of the axis that is read.
  package let inputs: Int
  /// The length of the axis that is written.
  package let outputs: Int
  // The taps of output i are those from `first[i]` up to `first[i + 1]`.
  private let first: [Int32]
  private let places: [Int32]
  private let weights: [Double]

  /// The map with these taps for each output. Taps of weight 0 are left out.
  package init(inputs: Int, outputs: Int, taps: (Int) -> [Tap]) {
    var first: [Int32] = [0]
    var places: [Int32] = []
    var weights: [Double] = []
    for output in 0..<outputs {
      for tap in taps(output) where tap.weight != 0 {
        places.append(Int32(tap.place))
        weights.append(tap.weight)
      }
      first.append(Int32(places.count))
    }
    (self.inputs, self.outputs) = (inputs, outputs)
    (self.first, self.places, self.weights) = (first, places, weights)
  }

  /// The terms of an output.
  package func taps(of output: Int) -> [Tap] {
    (Int(first[output])..<Int(first[output + 1])).map { Tap(Int(places[$0]), weights[$0]) }
  }

  /// The map whose matrix is this one's transposed: the way of gradients.
  package var transposed: AxisMap {
    var columns = [[Tap]](repeating: [], count: inputs)
    for output in 0..<outputs {
      for tap in taps(of: output) { columns[tap.place].append(Tap(output, tap.weight)) }
    }
    return AxisMap(inputs: outputs, outputs: inputs) { columns[$0] }
  }

  /// All sums times a number.
  package func scaled(by factor: Double) -> AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { output in
      taps(of: output).map { Tap($0.place, $0.weight * factor) }
    }
  }

  /// Whether every output is the input of its own number.
  package var isIdentity: Bool {
    inputs == outputs && places.count == outputs
      && places.indices.allSatisfy { places[$0] == Int32($0) && weights[$0] == 1 }
      && first.indices.allSatisfy { first[$0] == Int32($0) }
  }

  /// Maps `[outer, inputs, inner]` to `[outer, outputs, inner]`, both without gaps.
  ///
  /// Sums run in double, tap by tap, and are rounded once: the same on any number of threads.
  package func run(
    _ dtype: DType, outer: Int, inner: Int, from input: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer, threads: Int
  ) {
    let rows = outer * outputs
    guard rows > 0, inner > 0 else { return }
    first.withUnsafeBufferPointer { first in
      places.withUnsafeBufferPointer { places in
        weights.withUnsafeBufferPointer { weights in
          // An empty array may have no address; then nothing is read from it.
          guard let first = first.baseAddress,
            let places = places.baseAddress ?? UnsafePointer(bitPattern: 8),
            let weights = weights.baseAddress ?? UnsafePointer(bitPattern: 8)
          else { return }
          var map = norma_axis_map(
            inputs: Int64(inputs), outputs: Int64(outputs), inner: Int64(inner), first: first,
            places: places, weights: weights)
          split(rows, work: rows * inner, threads: threads) { begin, end in
            if dtype == .float64 {
              norma_axis_map_f64(
                &map, input.assumingMemoryBound(to: Double.self),
                output.assumingMemoryBound(to: Double.self), begin, end)
            } else {
              norma_axis_map_f32(
                &map, input.assumingMemoryBound(to: Float.self),
                output.assumingMemoryBound(to: Float.self), begin, end)
            }
          }
        }
      }
    }
  }
}

/// Runs `body` over parts of `0 ..< count` on the team; small work stays on the caller.
package func split(_ count: Int, work: Int, threads: Int, _ body: (Int64, Int64) -> Void) {
  let shares = max(min(threads, count, work / smallestShare), 1)
  if shares == 1 { return body(0, Int64(count)) }
  withoutActuallyEscaping(body) { body in
    let region = SplitRegion(count: count, body: body)
    withUnsafePointer(to: region) { region in
      norma_team_run(
        { context, index, shares in
          guard let region = context?.assumingMemoryBound(to: SplitRegion.self).pointee else {
            return
          }
          let (index, shares) = (Int(index), Int(shares))
          region.body(
            Int64(region.count * index / shares), Int64(region.count * (index + 1) / shares))
        }, UnsafeMutableRawPointer(mutating: region), Int32(shares))
    }
  }
}

/// Results for which waking a thread is worth it.
private let smallestShare = 1 << 13

private struct SplitRegion {
  let count: Int
  let body: (Int64, Int64) -> Void
}
