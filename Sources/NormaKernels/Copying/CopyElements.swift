import CNormaLoops

/// Copies elements of a box from one memory layout to another, on a number of threads.
///
/// Strides are in elements. Those of the source may be 0, which repeats elements, or negative.
///
/// - Parameter isStreamed: whether to bypass the caches, which are too small for the result.
package func copyElements(
  _ shape: [Int], width: Int, from source: UnsafeRawPointer, strides: [Int],
  to target: UnsafeMutableRawPointer, strides targetStrides: [Int], isStreamed: Bool, threads: Int
) {
  let count = shape.reduce(1, *)
  let shares = max(min(threads, count * width / smallestShare), 1)
  shape.withUnsafeBufferPointer { shape in
    strides.withUnsafeBufferPointer { strides in
      targetStrides.withUnsafeBufferPointer { targetStrides in
        // Without axes there are no addresses, and one element.
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
