import CNormaLoops

/// Copies elements of a box from one arrangement in memory to another, on a number of threads.
///
/// Distances are in elements. Those of the source may be 0, where elements repeat, or negative.
///
/// - Parameter isStreamed: whether to store past the caches, which would not keep the result.
package func copyElements(
  _ shape: [Int], width: Int, from source: UnsafeRawPointer, strides: [Int],
  to target: UnsafeMutableRawPointer, strides targetStrides: [Int], isStreamed: Bool, threads: Int
) {
  let count = shape.reduce(1, *)
  let shares = max(min(threads, count * width / smallestShare), 1)
  shape.withUnsafeBufferPointer { shape in
    strides.withUnsafeBufferPointer { strides in
      targetStrides.withUnsafeBufferPointer { targetStrides in
        // No axis, no addresses; one element then.
        guard let sizes = shape.baseAddress, let from = strides.baseAddress,
          let to = targetStrides.baseAddress
        else { return target.copyMemory(from: source, byteCount: width) }
        norma_copy(
          Int32(shape.count), sizes, from, to, width, Int32(width), source, target,
          isStreamed ? 1 : 0, Int32(shares))
      }
    }
  }
}

/// 64 KiB, about a microsecond of copying.
private let smallestShare = 1 << 16
