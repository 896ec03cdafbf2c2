/// The format around deflated data.
enum DeflateWrapper {
  case gzip
  /// Deflate without a header, as in ZIP.
  case none
}

extension InputFile {
  /// The decompressed content of a range of the file.
  func inflated(
    _ range: Range<Int>? = nil, wrapper: DeflateWrapper, context: FileContext? = nil
  ) throws -> any ByteStream {
    #if NORMA_COMPRESSION
      try InflateStream(self, range: range, wrapper: wrapper, context: context)
    #else
      throw (context ?? self.context).missingTrait("Compression", "compressed files")
    #endif
  }
}

#if NORMA_COMPRESSION
  internal import CZlib

  /// The decompressed content of a range of a file, one buffer at a time.
  ///
  /// Verifies the checksum and length at the end of gzip data, and reads files of several gzip
  /// members as one.
  final class InflateStream: ByteStream {
    let context: FileContext
    let remaining: Int? = nil
    let plausibleCount: Int
    private let file: InputFile
    private let wrapper: DeflateWrapper
    private var range: Range<Int>
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    // zlib keeps the address of its state, so the state must not move.
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var isFinished = false

    init(
      _ file: InputFile, range: Range<Int>? = nil, wrapper: DeflateWrapper,
      context: FileContext? = nil
    ) throws {
      self.file = file
      self.range = range ?? 0..<file.size
      self.wrapper = wrapper
      self.context = context ?? file.context
      // Ordinary data shrink to a tenth at most; deflate itself could claim a factor of a thousand.
      plausibleCount = min(self.range.count, Int.max / 32) * 16 + 1 << 16
      state.initialize(to: z_stream())
      let windowBits: Int32 = wrapper == .gzip ? 15 + 16 : -15
      let code = inflateInit2_(
        state, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      if code != Z_OK {
        throw self.context.error(.system, "cannot be inflated", "zlib code \(code)")
      }
    }

    deinit {
      inflateEnd(state)
      state.deinitialize(count: 1)
      state.deallocate()
      input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      guard let start = buffer.baseAddress else { return 0 }
      var done = 0
      while done < buffer.count, !isFinished {
        // At the end of the input zlib may still have buffered output, so it is called once more.
        if state.pointee.avail_in == 0, !range.isEmpty { try refill() }
        let wanted = min(buffer.count - done, System.largestTransfer)
        state.pointee.next_out = (start + done).assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(wanted)
        let code = inflate(state, Z_NO_FLUSH)
        done += wanted - Int(state.pointee.avail_out)
        switch code {
        case Z_OK: break
        case Z_STREAM_END: try finishMember()
        case Z_BUF_ERROR:
          throw context.truncated("the compressed data end before their end mark")
        default:
          let text = state.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
          throw context.malformed("is damaged", "the compressed data do not inflate: \(text)")
        }
      }
      return done
    }

    private func refill() throws {
      let count = min(range.count, input.count)
      let chunk = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
      try file.read(at: range.lowerBound, into: chunk, for: context)
      range = range.lowerBound + count..<range.upperBound
      state.pointee.next_in = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
      state.pointee.avail_in = UInt32(count)
    }

    /// After the end mark there is nothing, or another gzip member.
    private func finishMember() throws {
      if state.pointee.avail_in == 0, range.isEmpty {
        isFinished = true
      } else if wrapper == .gzip {
        inflateReset(state)
      } else {
        throw context.malformed("is damaged", "bytes follow the end of the compressed data")
      }
    }
  }
#endif
