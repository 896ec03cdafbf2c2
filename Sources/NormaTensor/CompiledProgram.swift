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
    var hasSquares: Bool { kind == NORMA_MOMENTS }
  }

  /// Tiles that are merged one after the other, before chunks of them are.
  static let chunk = 64

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
    let ends = Set(outputs.map(\.value) + sinks.map(\.value))
    let singles = program.spreadSingles(ends: ends, space: space)
    require(
      program.widths.count <= Int(NORMA_MAX_VALUES)
        && space.outer.count <= Int(NORMA_MAX_DIMENSIONS),
      "\(program.widths.count) values in \(space.outer.count) dimensions are too many")
    var places = Places(widths: program.widths, block: space.tileRows * space.tileColumns)

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
    // One number for a whole row is computed when the row begins: no block may take its place.
    for instruction in program.instructions where singles.contains(instruction.result) {
      places.keep(instruction.result)
    }
    let made = Set(program.instructions.map(\.result))
    var written: Set<Int> = []
    for (index, output) in outputs.enumerated() {
      var operand = operand(
        program.inputs.count + index,
        base: output.storage.base + output.layout.offset * output.width,
        width: output.width, value: output.value)
      if isDirect(operand) && made.contains(output.value)
        && written.insert(output.value).inserted
      {
        operand.direct = 1
        places.leave(output.value)
      }
      self.outputs.append(operand)
    }
    instructions = program.instructions.enumerated().map { index, instruction in
      if singles.contains(instruction.result) {
        places.keepSingle(instruction.result)
      } else {
        places.assign(instruction, at: index, in: program, keeping: ends)
      }
      return norma_instruction(instruction, singles: singles)
    }
    offsets = places.offsets
    scratch = places.size
    self.sinks = sinks.map { sink in
      norma_sink(
        kind: Int32(sink.kind.rawValue), value: Int32(sink.value), type: sink.type.rawValue,
        loops: norma_find_reductions(sink.type.rawValue),
        result: sink.result?.base.assumingMemoryBound(to: CChar.self),
        m2: sink.squares?.base.assumingMemoryBound(to: Double.self),
        partial: nil, partial_m2: nil, local: 0, local_m2: 0)
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
      scratch += 2 * bytes
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

  /// Room for the results of chunks, where one output has several.
  private mutating func addPartials(_ program: inout norma_program) -> [Storage] {
    norma_program_measure(&program)
    guard program.chunk_count > 1, !isLocal else { return [] }
    let results = space.keptCount * (space.columnsKept ? space.columns.size : 1)
    var partials: [Storage] = []
    for index in sinks.indices {
      let bytes = results * Int(program.chunk_count) * 8
      let partial = Storage(byteCount: bytes)
      partials.append(partial)
      sinks[index].partial = partial.base.assumingMemoryBound(to: CChar.self)
      guard sinks[index].m2 != nil else { continue }
      let squares = Storage(byteCount: bytes)
      partials.append(squares)
      sinks[index].partial_m2 = squares.base.assumingMemoryBound(to: Double.self)
    }
    return partials
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

/// Where the values of a program lie in a thread's scratch memory.
private struct Places {
  var offsets: [Int]
  var size = 0
  private let widths: [Int]
  private let block: Int
  private var free: [Int: [Int]] = [:]
  private var kept: Set<Int> = []
  private var lastUse: [Int: Int]?

  init(widths: [Int], block: Int) {
    self.widths = widths
    self.block = block
    offsets = [Int](repeating: -1, count: widths.count)
  }

  /// A place of its own for as long as the program runs.
  mutating func keep(_ value: Int) {
    offsets[value] = take(widths[value])
    kept.insert(value)
  }

  /// The same for one number, which is computed once and read by many tiles.
  mutating func keepSingle(_ value: Int) {
    offsets[value] = size
    size += 64
    kept.insert(value)
  }

  /// No place: the value is written to memory.
  mutating func leave(_ value: Int) { kept.insert(value) }

  private mutating func take(_ width: Int) -> Int {
    if let place = free[width]?.popLast() { return place }
    let place = size
    size += (block * width + 63) & ~63
    return place
  }

  /// A place for the result of an instruction; operands that are not read again make room.
  mutating func assign(
    _ instruction: Program.Instruction, at index: Int, in program: Program, keeping ends: Set<Int>
  ) {
    let lastUse = self.lastUse ?? Places.lastUses(program)
    self.lastUse = lastUse
    var released: [Int] = []
    for operand in Set(instruction.operands)
    where lastUse[operand] == index && !ends.contains(operand) && !kept.contains(operand)
      && offsets[operand] >= 0
    {
      // In place only where elements are of one size: a wider result would overtake its operand.
      if widths[operand] == widths[instruction.result] {
        free[widths[operand], default: []].append(offsets[operand])
      } else {
        released.append(operand)
      }
    }
    if !kept.contains(instruction.result) {
      offsets[instruction.result] = take(widths[instruction.result])
    }
    for operand in released { free[widths[operand], default: []].append(offsets[operand]) }
  }

  private static func lastUses(_ program: Program) -> [Int: Int] {
    var lastUse: [Int: Int] = [:]
    for (index, instruction) in program.instructions.enumerated() {
      for operand in instruction.operands { lastUse[operand] = index }
    }
    return lastUse
  }
}

extension norma_instruction {
  fileprivate init(_ instruction: Program.Instruction, singles: Set<Int>) {
    self.init()
    let isSingle = instruction.operands.allSatisfy(singles.contains)
    var bits: UInt32 = 0
    if !isSingle {
      for (position, operand) in instruction.operands.enumerated() where singles.contains(operand) {
        bits |= 1 << UInt32(position)
      }
    }
    let found: norma_loop?
    switch instruction.loop {
    case .operation(let code, let type): found = norma_find_loop(code.loop, type.rawValue, bits)
    case .conversion(let from, let to): found = norma_find_conversion(from, to)
    case .rounding(let dtype): found = norma_find_rounding(dtype.stored)
    case .spread(let type):
      found = norma_find_loop(Int32(NORMA_SPREAD.rawValue), type.rawValue, 0)
    }
    require(found != nil, "no loop for \(instruction)")
    loop = found
    operand_count = Int32(instruction.operands.count)
    result = Int32(instruction.result)
    single = singles.contains(instruction.result) ? 1 : 0
    withUnsafeMutableBytes(of: &operands) { bytes in
      let values = bytes.bindMemory(to: Int32.self)
      for (position, operand) in instruction.operands.enumerated() {
        values[position] = Int32(operand)
      }
    }
  }
}

extension Program {
  /// The values that are one number for a whole tile; instructions whose loops cannot take one
  /// there get it spread over a block first.
  mutating func spreadSingles(ends: Set<Int>, space: Space) -> Set<Int> {
    var singles = Set(immediates.map(\.value))
    for (index, input) in inputs.enumerated() {
      let isFixed =
        space.columns.strides[index] == 0
        && (index >= space.splits.count || space.splits[index].isEmpty)
        && (space.rows.strides[index] == 0 || space.tileRows == 1)
        && space.tileRows * space.tileColumns > 1
      // What is stored or reduced as it is has to be a block.
      if isFixed && !ends.contains(input.value) { singles.insert(input.value) }
    }
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let isSingle = instruction.operands.allSatisfy(singles.contains)
      if isSingle && !ends.contains(instruction.result) {
        singles.insert(instruction.result)
      } else if case .operation(let code, let type) = instruction.loop {
        index += spreadOperands(of: index, code, type, singles: singles)
      } else if isSingle, case .conversion(let from, _) = instruction.loop {
        spread(operand: 0, of: index, BlockType(rawValue: from) ?? .float32)
        index += 1
      } else if isSingle {
        spread(operand: 0, of: index, .float32)
        index += 1
      }
      index += 1
    }
    return singles
  }

  /// Spreads what the loop of an instruction cannot take as one number; returns how many
  /// instructions came before it.
  private mutating func spreadOperands(
    of start: Int, _ code: Operation.Code, _ type: BlockType, singles: Set<Int>
  ) -> Int {
    let operands = instructions[start].operands
    var bits: UInt32 = 0
    for (position, operand) in operands.enumerated() where singles.contains(operand) {
      bits |= 1 << UInt32(position)
    }
    if bits == 0 || norma_find_loop(code.loop, type.rawValue, bits) != nil { return 0 }
    var added = 0
    for position in operands.indices where bits & (1 << UInt32(position)) != 0 {
      let isCondition = code == .select && position == 0
      spread(operand: position, of: start + added, isCondition ? .uint8 : type)
      added += 1
    }
    return added
  }
}
