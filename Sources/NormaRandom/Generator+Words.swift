import CNormaLoops
import NormaValues

// The stream of words is serial, and so is everything here: a uniform Float takes 0.35 ns, as fast
// as memory, a normal one 0.8 ns, half as fast. Sharing the mathematics of each turn among threads
// was tried: on a machine with other work every turn waits for the slowest thread, and 19 million
// numbers took 57 ms instead of 7.

extension Generator {
  /// Blocks generated in one turn: 160 KB of words, so that they stay in L2 until they are used.
  private static let blocksPerTurn = 64

  /// Elements handled at a time by whatever needs a second buffer.
  static let pieceSize = 2048

  /// The loops for this processor.
  static var loops: UnsafePointer<norma_random_loops> {
    norma_find_random_loops(norma_loops_level())
  }

  /// Draws `wordsEach` words for each of `count` elements.
  ///
  /// `body` gets untempered words and the range of elements that they are for. Ranges come in
  /// order; all but the last begin and end at multiples of 16.
  mutating func draw(
    _ count: Int, wordsEach: Int, _ body: (UnsafePointer<UInt32>, Range<Int>) -> Void
  ) {
    guard count > 0 else { return }
    let size = Self.blockSize
    let consumed = position == 0 ? size : position
    let missing = count * wordsEach - (size - consumed)
    if missing <= 0 {
      func take(_ words: UnsafePointer<UInt32>) { body(words + consumed, 0..<count) }
      take(words)
      position = consumed + count * wordsEach
      return
    }
    let blocks = min(Self.blocksPerTurn, (missing + size - 1) / size)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: (blocks + 1) * size) { scratch in
      guard let stream = scratch.baseAddress else { return }
      stream.initialize(from: words, count: size)
      let end = Self.turns(
        stream, position: consumed, blocks: blocks, count, wordsEach: wordsEach, body)
      // The block that holds the last consumed word is the state.
      let start = (end - 1) / size * size
      words.withUnsafeMutableBufferPointer {
        $0.baseAddress?.update(from: stream + start, count: size)
      }
      position = end - start
    }
  }

  /// Fills `stream` turn by turn, starting from its first block, and returns where it ends.
  private static func turns(
    _ stream: UnsafeMutablePointer<UInt32>, position: Int, blocks: Int,
    _ count: Int, wordsEach: Int, _ body: (UnsafePointer<UInt32>, Range<Int>) -> Void
  ) -> Int {
    let size = blockSize
    var position = position
    var end = size
    var done = 0
    while done < count {
      if end > size {
        // The remainder is less than a block: it moves to the front together with its block.
        let start = end - size
        stream.update(from: stream + start, count: size)
        position -= start
      }
      let missing = (count - done) * wordsEach - (size - position)
      let more = min(blocks, (missing + size - 1) / size)
      loops.pointee.extend(stream, more)
      end = (more + 1) * size
      // All turns but the last end with a complete group of 16.
      var taken = min(count - done, (end - position) / wordsEach)
      if taken < count - done { taken -= taken % 16 }
      body(stream + position, done..<(done + taken))
      position += taken * wordsEach
      done += taken
    }
    return position
  }

  /// Moves past the words of `count` elements.
  package mutating func skip(_ count: Int, wordsEach: Int) {
    draw(count, wordsEach: wordsEach) { _, _ in }
  }

  /// Draws tempered words, a piece at a time.
  mutating func drawTempered(
    _ count: Int, wordsEach: Int, _ body: (UnsafePointer<UInt32>, Range<Int>) -> Void
  ) {
    drawPieces(count, wordsEach: wordsEach, of: UInt32.self, perElement: wordsEach) {
      words, piece, range in
      Self.loops.pointee.temper(words, piece, range.count * wordsEach)
      body(piece, range)
    }
  }

  /// Draws numbers in `0 ..< 1` with 24 random bits, a piece at a time. One word each.
  mutating func drawUnits32(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
  ) {
    drawPieces(count, wordsEach: 1, of: Float.self, perElement: 1) { words, piece, range in
      Self.loops.pointee.unit32(words, piece, range.count)
      body(piece, range)
    }
  }

  /// Draws numbers in `0 ..< 1` with 53 random bits, a piece at a time. Two words each.
  mutating func drawUnits64(
    _ count: Int, _ body: (UnsafeMutablePointer<Double>, Range<Int>) -> Void
  ) {
    drawPieces(count, wordsEach: 2, of: Double.self, perElement: 1) { words, piece, range in
      Self.loops.pointee.unit64(words, piece, range.count)
      body(piece, range)
    }
  }

  /// Draws words and passes them on with a buffer of `T` for the results.
  private mutating func drawPieces<T: BitwiseCopyable>(
    _ count: Int, wordsEach: Int, of type: T.Type, perElement: Int,
    _ body: (UnsafePointer<UInt32>, UnsafeMutablePointer<T>, Range<Int>) -> Void
  ) {
    let capacity = min(max(count, 1), Self.pieceSize) * perElement
    withUnsafeTemporaryAllocation(of: type, capacity: capacity) { buffer in
      guard let piece = buffer.baseAddress else { return }
      draw(count, wordsEach: wordsEach) { words, range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceSize) {
          let part = start..<min(start + Self.pieceSize, range.upperBound)
          body(words + (start - range.lowerBound) * wordsEach, piece, part)
        }
      }
    }
  }
}
