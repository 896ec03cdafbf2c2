import CNormaLoops

/// The indices of nonzero bytes.
package enum TrueBytes {
  /// The number of bytes that are counted at a time.
  private static let chunk = 1 << 14

  /// Calls `room` with the number of nonzero bytes to get memory, and writes their indices there in
  /// order; writes nothing if there is none.
  package static func list(
    _ bytes: UnsafePointer<UInt8>, count: Int, threads: Int,
    into room: (Int) -> UnsafeMutablePointer<Int64>?
  ) {
    let chunks = (count + chunk - 1) / chunk
    var starts = [Int](repeating: 0, count: chunks + 1)
    starts.withUnsafeMutableBufferPointer { starts in
      let starts = Unshared(starts)
      inParallel(chunks, work: count, threads: threads) { begin, end in
        for k in Int(begin)..<Int(end) {
          starts.value[k + 1] = Int(
            norma_count_true(bytes, Int64(k * chunk), Int64(min((k + 1) * chunk, count))))
        }
      }
      for k in 0..<chunks { starts.value[k + 1] += starts.value[k] }
      guard let out = room(starts.value[chunks]) else { return }
      inParallel(chunks, work: count, threads: threads) { begin, end in
        for k in Int(begin)..<Int(end) {
          norma_list_true(
            bytes, Int64(k * chunk), Int64(min((k + 1) * chunk, count)), out + starts.value[k])
        }
      }
    }
  }

  /// The multi-indices in a row-major shape of elements with the given indices, one after the
  /// other.
  package static func unravel(
    _ flat: UnsafePointer<Int64>, count: Int, shape: [Int], into out: UnsafeMutablePointer<Int64>,
    threads: Int
  ) {
    let sizes = shape.map(Int64.init)
    sizes.withUnsafeBufferPointer { sizes in
      guard let base = sizes.baseAddress else { return }
      inParallel(count, work: count * sizes.count, threads: threads) { begin, end in
        norma_unravel(Int64(sizes.count), base, flat, begin, end, out)
      }
    }
  }
}

/// Memory that parts of a loop write to, each its own range.
private struct Unshared<T>: @unchecked Sendable {
  let value: T
  init(_ value: T) { self.value = value }
}
