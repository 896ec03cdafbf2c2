import CNormaLoops

extension Plan {
  /// Sets the destinations of reductions, with memory for the results of chunks.
  ///
  /// - Returns: false, with a mistake recorded in the scope, if there is no memory to work in.
  func withSinks(
    _ form: inout norma_program, over shape: [Int], isSliced: Bool = false,
    place: (Int, inout norma_sink) -> Void, _ body: (UnsafePointer<norma_program>) -> Bool
  ) -> Bool {
    form.interleave = interleave(isSliced: isSliced)
    norma_program_measure(&form)
    let count = Int(form.sink_count)
    return withUnsafeTemporaryAllocation(of: norma_sink.self, capacity: count) { placed in
      for index in 0..<count {
        placed.initializeElement(at: index, to: form.sinks[index])
        place(index, &placed[index])
      }
      guard
        let rooms = form.locals == 0 ? addRooms(placed, Int(form.chunk_count), of: shape) : []
      else { return false }
      form.sinks = UnsafePointer(placed.baseAddress)
      return withExtendedLifetime(rooms) { body(&form) }
    }
  }

  /// The number of outputs that are reduced side by side, in memory order: enough for 64 KiB at a
  /// time, and the same for every thread.
  func interleave(isSliced: Bool) -> Int {
    guard space.hasScatteredRows, !isSliced else { return 0 }
    let (kept, threads) = (space.keptCount, Int(threads))
    let bytes = kept * space.columns.size * 4
    let groups = max(bytes >> 16, 1)
    let units = (groups + threads - 1) / threads * threads
    return kept >= threads ? (kept + units - 1) / units : 0
  }

  /// Allocates memory for the results of chunks, if an output has several, and for the rounding
  /// errors of `float64` sums.
  ///
  /// - Returns: nil, with a mistake recorded in the scope, if there is none.
  private func addRooms(
    _ sinks: UnsafeMutableBufferPointer<norma_sink>, _ chunks: Int, of shape: [Int]
  ) -> [Storage]? {
    // Weighted moments store the sums of their weights there.
    let isWide = { (sink: norma_sink) in
      sink.type == BlockType.float64.rawValue && sink.m2 != nil && sink.lost == nil
    }
    if chunks <= 1 && !sinks.contains(where: isWide) { return [] }
    let results = space.keptCount * (space.columnsKept ? space.columns.size : 1)
    var rooms: [Storage] = []
    func room(_ count: Int) -> UnsafeMutableRawPointer? {
      let storage = Storage.scratchOrReport(byteCount: count * 8, of: shape)
      if let storage { rooms.append(storage) }
      return storage?.address
    }
    for index in sinks.indices {
      if isWide(sinks[index]) {
        guard let lost = room(results) else { return nil }
        sinks[index].lost = lost.assumingMemoryBound(to: Double.self)
      }
      guard chunks > 1 else { continue }
      guard let partial = room(results * chunks) else { return nil }
      sinks[index].partial = partial.assumingMemoryBound(to: CChar.self)
      guard sinks[index].m2 != nil else { continue }
      guard let squares = room(results * chunks) else { return nil }
      sinks[index].partial_m2 = squares.assumingMemoryBound(to: Double.self)
      if sinks[index].lost != nil {
        guard let lost = room(results * chunks) else { return nil }
        sinks[index].partial_lost = lost.assumingMemoryBound(to: Double.self)
      }
    }
    return rooms
  }
}
