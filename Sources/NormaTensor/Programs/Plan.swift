import CNormaLoops

/// A program laid out for the C runner: with its loops, strides in bytes, and slots for its values.
///
/// It refers to no tensor memory, so it serves every program of the same structure on any thread.
final class Plan: @unchecked Sendable {
  let space: Space
  /// The instructions it was made from.
  let instructions: [Program.Instruction]
  /// Whether the instructions run row by row.
  let isByRow: Bool
  /// The elements of the space times the instructions.
  let work: Int
  /// What the C runner reads; it points into memory of the plan. Written only by `init`.
  private let memory: UnsafeMutablePointer<norma_program>
  var form: norma_program { memory.pointee }

  /// Whether some result bypasses the caches.
  var isStreamed: Bool {
    (0..<Int(memory.pointee.output_count)).contains { memory.pointee.outputs[$0].streamed == 1 }
  }

  /// Whether elements are only copied.
  var isCopy: Bool { memory.pointee.instruction_count == 0 && memory.pointee.sink_count == 0 }

  /// `space` has the program's inputs as its operands, then the outputs.
  init(
    _ program: Program, over space: Space, outputs: [CompiledProgram.Output],
    sinks: [CompiledProgram.Sink]
  ) {
    instructions = program.instructions
    memory = .allocate(capacity: 1)
    // Broadcasting can make the number of elements overflow.
    let (work, isEndless) = program.shape.reduce(1, *)
      .multipliedReportingOverflow(by: max(program.instructions.count, 1))
    self.work = isEndless ? Int.max : work
    var sources: [norma_operand] = []
    var targets: [norma_operand] = []
    var program = program
    let ends = ValueSet(
      outputs.map(\.value) + sinks.flatMap(\.values), of: program.widths.count)
    var space = space
    isByRow = sinks.isEmpty && program.canRunByRow(ends: ends, space: space)
    if isByRow { space.tileRows = min(space.rowsByRow, space.rows.size) }
    let singles = program.spreadSingles(ends: ends, space: space, byRow: isByRow)
    if sinks.isEmpty, program.instructions.count == 1, space.rows.size == 1,
      space.columns.size <= Limits.smallProgram,
      !program.inputs.contains(where: { $0.local != nil })
    {
      // Nothing has to stay in the first-level cache, and there are no strips of a reduction.
      space.tileColumns = space.columns.size
    }
    self.space = space
    // The distance in bytes between rows of operands that are read row by row.
    var pitches: [Int: Int] = [:]
    require(
      program.widths.count <= Int(NORMA_MAX_VALUES)
        && space.outer.count <= Int(NORMA_MAX_DIMENSIONS),
      "\(program.widths.count) values in \(space.outer.count) dimensions are too many")
    var slots = ScratchSlots(program, block: space.tileRows * space.tileColumns)

    for (index, input) in program.inputs.enumerated() {
      var operand = operand(index, width: input.dtype.byteCount, value: input.value)
      operand.single = singles.contains(input.value) ? 1 : 0
      operand.local = Int32(input.local ?? 0)
      if isByRow && !isDirect(operand) && (operand.row != 0 || operand.column != 0) {
        operand.by_row = 1
        pitches[input.value] = operand.row
      }
      let feedsOnlySinks =
        space.columnsKept && operand.split_count == 0 && ends.contains(input.value)
        && operand.column == Int(operand.width)
        && !program.instructions.contains { $0.operands.contains(input.value) }
      operand.pitched = feedsOnlySinks ? 1 : 0
      if operand.single == 0 && operand.pitched == 0 && operand.local == 0 && operand.by_row == 0
        && !isDirect(operand)
      {
        slots.keep(input.value)
      }
      sources.append(operand)
    }
    for immediate in program.immediates {
      var operand = norma_operand()
      operand.width = Int32(program.widths[immediate.value])
      operand.value = Int32(immediate.value)
      operand.single = 1
      sources.append(operand)
    }
    let made = ValueSet(program.instructions.map(\.result), of: program.widths.count)
    var written = ValueSet([], of: program.widths.count)
    for (index, output) in outputs.enumerated() {
      var operand = operand(
        program.inputs.count + index, width: output.width, value: output.value)
      if output.isReused {
        // Copied from the thread's scratch memory: later instructions still read the old elements.
      } else if isDirect(operand) && output.storage.byteCount >= Limits.streamedBytes {
        operand.streamed = 1
      } else if isDirect(operand) && made.contains(output.value)
        && !written.contains(output.value)
      {
        operand.direct = 1
        written.insert(output.value)
        slots.leave(output.value)
      }
      targets.append(operand)
    }
    let steps = program.instructions.enumerated().map { index, instruction in
      if singles.contains(instruction.result) {
        slots.keepSingle(instruction.result)
      } else {
        slots.assign(instruction, at: index, keeping: ends)
      }
      var step = norma_instruction(instruction, singles: singles)
      if step.single == 0 && instruction.operands.contains(where: { pitches[$0] != nil }) {
        step.goByRow(instruction, singles: singles) { value in
          pitches[value]
            ?? (singles.contains(value) ? 0 : space.columns.size * program.widths[value])
        }
      }
      return step
    }
    var scratch = slots.size
    var results = sinks.map { sink in
      norma_sink(
        kind: Int32(sink.kind.rawValue), value: Int32(sink.value),
        companion: Int32(sink.companion ?? 0), center: Int32(sink.center ?? 0),
        type: sink.type.rawValue, loops: norma_find_reductions(sink.type.rawValue), result: nil,
        m2: nil, lost: nil,
        partial: nil, partial_m2: nil, partial_lost: nil, local: 0, local_m2: 0, local_lost: 0)
    }
    let isLocal = !sinks.isEmpty && sinks.allSatisfy { $0.result == nil }
    if isLocal {
      // Scratch memory after the values, for results that stay with the thread.
      let bytes = (space.tileColumns * 8 + 63) & ~63
      for index in results.indices {
        results[index].local = scratch
        results[index].local_m2 = scratch + bytes
        results[index].local_lost = scratch + 2 * bytes
        scratch += 3 * bytes
      }
    }
    var form = norma_program()
    form.space = norma_space(space)
    form.singles_by_row =
      !isByRow && sources.contains { $0.single == 1 && $0.row != 0 } ? 1 : 0
    form.prefetched = sources.prefix(32).enumerated().reduce(0) { bits, source in
      let (index, input) = source
      let isAsked = input.single == 0 && input.local == 0 && isDirect(input)
      return isAsked ? bits | 1 << UInt32(index) : bits
    }
    form.locals = isLocal ? 1 : 0
    form.columns_kept = space.columnsKept ? 1 : 0
    form.chunk = CompiledProgram.chunk
    form.scratch = scratch
    form.input_count = Int32(sources.count)
    form.output_count = Int32(targets.count)
    form.instruction_count = Int32(steps.count)
    form.sink_count = Int32(results.count)
    form.value_count = Int32(slots.offsets.count)
    form.inputs = UnsafePointer(Plan.stable(sources))
    form.outputs = UnsafePointer(Plan.stable(targets))
    form.instructions = UnsafePointer(Plan.stable(Array(steps)))
    form.sinks = UnsafePointer(Plan.stable(results))
    form.offsets = UnsafePointer(Plan.stable(slots.offsets))
    if sinks.isEmpty { norma_program_measure(&form) }
    memory.initialize(to: form)
    let isInPlace =
      sources.allSatisfy { $0.single == 1 || $0.by_row == 0 && $0.local == 0 && isDirect($0) }
      && targets.allSatisfy { $0.direct == 1 }
    if isInPlace && sinks.isEmpty && form.unit_count == 1 && !steps.isEmpty
      && slots.offsets.count <= Int(NORMA_SMALL_VALUES) && scratch <= Int(NORMA_SMALL_SCRATCH)
      && steps.allSatisfy({ $0.by_row == 0 })
    {
      memory.pointee.alone = 1
    }
  }

  /// Work of fewer element instructions is not worth a second thread.
  var threads: Int32 { work < Limits.leastToShare ? 1 : Int32(TensorThreads.count) }

  /// Runs a plan without reductions on memory at these addresses: inputs, then immediates; outputs.
  func run(
    _ bases: UnsafePointer<UnsafeMutablePointer<CChar>?>,
    _ targets: UnsafePointer<UnsafeMutablePointer<CChar>?>
  ) {
    if norma_program_run_alone(memory, bases, targets) != 0 { return }
    var form = form
    form.input_bases = bases
    form.output_bases = targets
    norma_program_run(&form, nil, threads)
  }

  deinit {
    let form = form
    memory.deallocate()
    form.inputs.deallocate()
    form.outputs.deallocate()
    form.instructions.deallocate()
    form.sinks.deallocate()
    form.offsets.deallocate()
  }

  private static func stable<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return memory
  }

  /// Whether tiles of this operand are contiguous, so that loops work directly on memory.
  private func isDirect(_ operand: norma_operand) -> Bool {
    let width = Int(operand.width)
    let isOneRow = space.tileRows == 1 || space.rows.size == 1
    return operand.split_count == 0 && (operand.column == width || space.columns.size == 1)
      && (isOneRow
        || space.tileColumns == space.columns.size && operand.row == space.columns.size * width)
  }

  private func operand(_ index: Int, width: Int, value: Int) -> norma_operand {
    var operand = norma_operand()
    operand.width = Int32(width)
    operand.value = Int32(value)
    operand.row = space.rows.strides[index] * width
    // In a space with one column, the next column is the adjacent element.
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
}

extension norma_space {
  init(_ space: Space) {
    self.init()
    rank = Int32(space.outer.count)
    kept_rank = Int32(space.outer.count { $0.isKept })
    rows = space.rows.size
    columns = space.columns.size
    tile_rows = space.tileRows
    tile_columns = space.tileColumns
    withUnsafeMutableBytes(of: &size) { bytes in
      let sizes = bytes.bindMemory(to: Int.self)
      for (d, dimension) in space.outer.enumerated() { sizes[d] = dimension.size }
    }
  }
}
