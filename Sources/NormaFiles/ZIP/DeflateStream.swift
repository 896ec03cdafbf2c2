#if NORMA_COMPRESSION
  internal import CZlib

  /// Compresses what is written to it into a file.
  final class DeflateStream {
    private let file: OutputFile
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    // zlib keeps the address of its state, so the state must not move.
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init(_ file: OutputFile) throws {
      self.file = file
      state.initialize(to: z_stream())
      let code = deflateInit2_(
        state, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
      if code != Z_OK {
        throw file.context.error(.system, "cannot be deflated", "zlib code \(code)")
      }
    }

    deinit {
      deflateEnd(state)
      state.deinitialize(count: 1)
      state.deallocate()
      output.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
      var offset = 0
      while offset < bytes.count {
        let count = min(bytes.count - offset, System.largestTransfer)
        let chunk = bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
        state.pointee.next_in = UnsafeMutablePointer(mutating: chunk)
        state.pointee.avail_in = UInt32(count)
        while state.pointee.avail_in > 0 { _ = try step(Z_NO_FLUSH) }
        offset += count
      }
    }

    func finish() throws {
      while try step(Z_FINISH) != Z_STREAM_END {}
    }

    private func step(_ flush: Int32) throws -> Int32 {
      state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      state.pointee.avail_out = UInt32(output.count)
      let code = deflate(state, flush)
      if code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR {
        throw file.context.error(.system, "cannot be deflated", "zlib code \(code)")
      }
      let count = output.count - Int(state.pointee.avail_out)
      try file.write(UnsafeRawBufferPointer(rebasing: output[..<count]))
      return code
    }
  }
#endif
