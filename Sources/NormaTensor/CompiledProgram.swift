import CNormaLoops
import NormaKernels

/// A program laid out for the C runner: loops found, strides in bytes, values given their places.
struct CompiledProgram: ~Copyable {
  /// Elements that a program writes.
  struct Output {
    let value: Int
    let storage: Storage
    let layout: Layout
    let width: Int
  }

  /// A reduction at the end of a program. Results are without gaps in the order of the space.
  struct Sink {
    let value: Int
    let type: BlockType
    let kind: norma_reduction_kind
    /// Nil where results stay with the thread.
    let result: Storage?
    let squares: Storage?
    /// Of a centred sum: what is multiplied, and the mean that is taken off.
    var companion: Int?
    var center: Int?

    /// The values that have to be there when a tile has run.
    var values: [Int] { [value, companion, center].compactMap { $0 } }
  }

  /// Tiles that are merged one after the other, before chunks of them are.
  static let chunk = 64

  /// Results of so many bytes are stored past the caches, which would not keep them.
  static let streamedBytes = 32 << 20

  private var inputs: [norma_operand] = []
  private var outputs: [norma_operand] = []
  private var instructions: [norma_instruction] = []
  private var sinks: [norma_sink] = []
  private var offsets: [Int] = []
  private var immediates: UnsafeMutablePointer<UInt64>
  private var scratch = 0
  private let space: Space
  private let storages: [Storage]
  private let work: Int
  private var isSliced = false
  private var isLocal = false

  deinit { immediates.deallocate() }

  /// `space` has the program's inputs as its operands, then the outputs.
  init(_ program: Program, over space: Space, outputs: [Output] = [], sinks: [Sink] = []) {
    self.space = space
    storages = program.inputs.compactMap(\.storage) + outputs.map(\.storage)
    let unused = UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    immediates = .allocate(capacity: max(program.immediates.count, 1))
    work = program.shape.reduce(1, *) * max(program.instructions.count, 1)

    var program = program
    let ends = ValueSet(
      outputs.map(\.value) + sinks.flatMap(\.values), of: program.widths.count)
    let singles = program.spreadSingles(ends: ends, space: space)
    require(
      program.widths.count <= Int(NORMA_MAX_VALUES)
        && space.outer.count <= Int(NORMA_MAX_DIMENSIONS),
      "\(program.widths.count) values in \(space.outer.count) dimensions are too many")
    var places = Places(program, block: space.tileRows * space.tileColumns)

    for (index, input) in program.inputs.enumerated() {
      var operand = operand(
        index,
        base: (input.storage?.base ?? unused) + input.layout.offset * input.dtype.byteCount,
        width: input.dtype.byteCount, value: input.value)
      operand.single = singles.contains(input.value) ? 1 : 0
      operand.local = Int32(input.local ?? 0)
      let feedsOnlySinks =
        space.columnsKept && operand.split_count == 0 && ends.contains(input.value)
        && operand.column == Int(operand.width)
        && !program.instructions.contains { $0.operands.contains(input.value) }
      operand.pitched = feedsOnlySinks ? 1 : 0
      if operand.single == 0 && operand.pitched == 0 && operand.local == 0 && !isDirect(operand) {
        places.keep(input.value)
      }
      inputs.append(operand)
    }
    for (index, immediate) in program.immediates.enumerated() {
      immediates[index] = immediate.bits
      var operand = norma_operand()
      operand.base = UnsafeMutableRawPointer(immediates + index).assumingMemoryBound(to: CChar.self)
      operand.width = Int32(program.widths[immediate.value])
      operand.value = Int32(immediate.value)
      operand.single = 1
      inputs.append(operand)
    }
    let made = ValueSet(program.instructions.map(\.result), of: program.widths.count)
    var written = ValueSet([], of: program.widths.count)
    for (index, output) in outputs.enumerated() {
      var operand = operand(
        program.inputs.count + index,
        base: output.storage.base + output.layout.offset * output.width,
        width: output.width, value: output.value)
      if isDirect(operand) && output.storage.byteCount >= CompiledProgram.streamedBytes {
        operand.streamed = 1
      } else if isDirect(operand) && made.contains(output.value)
        && !written.contains(output.value)
      {
        operand.direct = 1
        written.insert(output.value)
        places.leave(output.value)
      }
      self.outputs.append(operand)
    }
    instructions = program.instructions.enumerated().map { index, instruction in
      if singles.contains(instruction.result) {
        places.keepSingle(instruction.result)
      } else {
        places.assign(instruction, at: index, keeping: ends)
      }
      return norma_instruction(instruction, singles: singles)
    }
    offsets = places.offsets
    scratch = places.size
    self.sinks = sinks.map { sink in
      norma_sink(
        kind: Int32(sink.kind.rawValue), value: Int32(sink.value),
        companion: Int32(sink.companion ?? 0), center: Int32(sink.center ?? 0),
        type: sink.type.rawValue,
        loops: norma_find_reductions(sink.type.rawValue),
        result: sink.result?.base.assumingMemoryBound(to: CChar.self),
        m2: sink.squares?.base.assumingMemoryBound(to: Double.self),
        lost: nil, partial: nil, partial_m2: nil, partial_lost: nil, local: 0, local_m2: 0,
        local_lost: 0)
    }
    isLocal = !sinks.isEmpty && sinks.allSatisfy { $0.result == nil }
    if isLocal { placeLocals() }
  }

  /// Room beside the values for results that stay with the thread.
  private mutating func placeLocals() {
    let bytes = (space.tileColumns * 8 + 63) & ~63
    for index in sinks.indices {
      sinks[index].local = scratch
      sinks[index].local_m2 = scratch + bytes
      sinks[index].local_lost = scratch + 2 * bytes
      scratch += 3 * bytes
    }
  }

  /// Whether tiles of this operand lie without gaps, so that loops work on memory itself.
  private func isDirect(_ operand: norma_operand) -> Bool {
    let width = Int(operand.width)
    let isOneRow = space.tileRows == 1 || space.rows.size == 1
    return operand.split_count == 0 && (operand.column == width || space.columns.size == 1)
      && (isOneRow
        || space.tileColumns == space.columns.size && operand.row == space.columns.size * width)
  }

  private func operand(
    _ index: Int, base: UnsafeMutableRawPointer, width: Int, value: Int
  ) -> norma_operand {
    var operand = norma_operand()
    operand.base = base.assumingMemoryBound(to: CChar.self)
    operand.width = Int32(width)
    operand.value = Int32(value)
    operand.row = space.rows.strides[index] * width
    // A space of one column sees the next element as its neighbour.
    operand.column = space.columns.size == 1 ? width : space.columns.strides[index] * width
    if index < space.splits.count {
      let splits = space.splits[index]
      operand.split_count = Int32(splits.count)
      withUnsafeMutableBytes(of: &operand.split_size) { bytes in
        for (d, split) in splits.enumerated() { bytes.bindMemory(to: Int.self)[d] = split.size }
      }
      withUnsafeMutableBytes(of: &operand.split_stride) { bytes in
        for (d, split) in splits.enumerated() {
          bytes.bindMemory(to: Int.self)[d] = split.stride * width
        }
      }
    }
    withUnsafeMutableBytes(of: &operand.outer) { bytes in
      let strides = bytes.bindMemory(to: Int.self)
      for (d, dimension) in space.outer.enumerated() {
        strides[d] = dimension.strides[index] * width
      }
    }
    return operand
  }

  /// Lends the C form, which points into this value, to `body`.
  private mutating func withProgram(_ body: (UnsafePointer<norma_program>) -> Void) {
    var program = norma_program()
    program.space.rank = Int32(space.outer.count)
    program.space.kept_rank = Int32(space.outer.count { $0.isKept })
    program.space.rows = space.rows.size
    program.space.columns = space.columns.size
    program.space.tile_rows = space.tileRows
    program.space.tile_columns = space.tileColumns
    withUnsafeMutableBytes(of: &program.space.size) { bytes in
      let sizes = bytes.bindMemory(to: Int.self)
      for (d, dimension) in space.outer.enumerated() { sizes[d] = dimension.size }
    }
    program.singles_by_row =
      inputs.contains { $0.single == 1 && $0.row != 0 } ? 1 : 0
    program.prefetched = Int32(
      inputs.firstIndex { $0.single == 0 && $0.local == 0 && isDirect($0) } ?? -1)
    program.interleave = interleave
    program.locals = isLocal ? 1 : 0
    program.columns_kept = space.columnsKept ? 1 : 0
    program.chunk = CompiledProgram.chunk
    program.scratch = scratch
    program.input_count = Int32(inputs.count)
    program.output_count = Int32(outputs.count)
    program.instruction_count = Int32(instructions.count)
    program.sink_count = Int32(sinks.count)
    program.value_count = Int32(offsets.count)
    let partials = addPartials(&program)
    withExtendedLifetime((storages, partials)) {
      inputs.withUnsafeBufferPointer { inputs in
        outputs.withUnsafeBufferPointer { outputs in
          instructions.withUnsafeBufferPointer { instructions in
            sinks.withUnsafeBufferPointer { sinks in
              offsets.withUnsafeBufferPointer { offsets in
                program.inputs = inputs.baseAddress
                program.outputs = outputs.baseAddress
                program.instructions = instructions.baseAddress
                program.sinks = sinks.baseAddress
                program.offsets = offsets.baseAddress
                body(&program)
              }
            }
          }
        }
      }
    }
  }

  /// How many outputs are reduced side by side, in the order of memory: enough for 64 KiB at a
  /// time, and the same for every thread.
  private var interleave: Int {
    guard !sinks.isEmpty, space.hasScatteredRows, !isSliced else { return 0 }
    let kept = space.keptCount
    let threads = Int(threads)
    let bytes = kept * space.columns.size * 4
    let groups = max(bytes >> 16, 1)
    let units = (groups + threads - 1) / threads * threads
    return kept >= threads ? (kept + units - 1) / units : 0
  }

  /// Room for the results of chunks, where one output has several, and for what sums of `float64`
  /// have lost.
  private mutating func addPartials(_ program: inout norma_program) -> [Storage] {
    norma_program_measure(&program)
    guard !isLocal else { return [] }
    let results = space.keptCount * (space.columnsKept ? space.columns.size : 1)
    let chunks = Int(program.chunk_count)
    var rooms: [Storage] = []
    func room(_ count: Int) -> UnsafeMutableRawPointer {
      let storage = Storage(byteCount: count * 8)
      rooms.append(storage)
      return storage.base
    }
    for index in sinks.indices {
      let isWide = sinks[index].type == BlockType.float64.rawValue && sinks[index].m2 != nil
      if isWide { sinks[index].lost = room(results).assumingMemoryBound(to: Double.self) }
      guard chunks > 1 else { continue }
      sinks[index].partial = room(results * chunks).assumingMemoryBound(to: CChar.self)
      guard sinks[index].m2 != nil else { continue }
      sinks[index].partial_m2 = room(results * chunks).assumingMemoryBound(to: Double.self)
      if isWide {
        sinks[index].partial_lost = room(results * chunks).assumingMemoryBound(to: Double.self)
      }
    }
    return rooms
  }

  /// Work of fewer element instructions than this is not worth a second thread.
  private var threads: Int32 { work < 32768 ? 1 : Int32(Threads.count) }

  mutating func run() {
    let threads = threads
    withProgram { norma_program_run($0, threads) }
  }

  /// Runs this program's reductions, whose results stay with the thread, and `second` on them.
  mutating func run(finishedBy second: inout CompiledProgram) {
    let threads = threads
    withProgram { first in
      second.withProgram { norma_program_run_finished(first, $0, threads) }
    }
  }

  /// Runs this program's reductions and `second` slice by slice.
  mutating func run(before second: inout CompiledProgram) {
    let threads = max(threads, second.threads)
    isSliced = true
    withProgram { first in
      second.withProgram { norma_program_run_slices(first, $0, threads) }
    }
  }
}
