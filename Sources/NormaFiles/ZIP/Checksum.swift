#if NORMA_COMPRESSION
  internal import CZlib
#endif

/// The CRC-32 of ZIP and gzip.
package enum Checksum {
  /// Continues the checksum of earlier bytes, or 0 for none, with these bytes.
  static func update(_ start: UInt, _ bytes: UnsafeRawBufferPointer) -> UInt {
    #if NORMA_COMPRESSION
      var value = start
      var offset = 0
      while offset < bytes.count {
        let count = min(bytes.count - offset, System.largestTransfer)
        let chunk = bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
        value = crc32(value, chunk, UInt32(count))
        offset += count
      }
      return value
    #else
      UInt(byTable(UInt32(truncatingIfNeeded: start), bytes))
    #endif
  }

  /// The same without zlib, for uncompressed files: slower, one byte at a time.
  package static func byTable(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      var value = ~start
      for byte in bytes { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
      return ~value
    }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
  }
}
