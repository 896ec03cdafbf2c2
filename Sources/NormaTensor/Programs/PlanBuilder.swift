import CNormaLoops

/// Lays out a program for the C runner, part by part; a ``Plan`` keeps the result.
struct PlanBuilder {
  private(set) var space: Space
  /// Whether the instructions run row by row.
  let isByRow: Bool

  private var program: Program
  /// The values that are stored or reduced.
  private let ends: ValueSet
  /// The values that are a single number per tile.
  private let singles: ValueSet
  private var slots: ScratchSlots
  /// The distance in bytes between rows of inputs that are read row by row.
  private var pitches: [Int: Int] = [:]
  private var inputs: [norma_operand] = []
  private var outputs: [norma_operand] = []
  private var steps: [norma_instruction] = []

  init(
    _ program: Program, over space: Space, outputs: [CompiledProgram.Output],
    sinks: [CompiledProgram.Sink]
  ) {
    var (program, space) = (program, space)
    ends = ValueSet(
      outputs.map(\.value) + sinks.flatMap(\.values), of: program.widths.count)
    isByRow = sinks.isEmpty && program.canRunByRow(ends: ends, space: space)
    if isByRow { space.tileRows = min(space.rowsByRow, space.rows.size) }
    let blocks = ValueSet(
      outputs.map(\.value) + sinks.flatMap { $0.blocks(columnsKept: space.columnsKept) },
      of: program.widths.count)
    singles = program.spreadSingles(blocks: blocks, space: space, byRow: isByRow)
    let isOneSmallLoop =
      sinks.isEmpty && program.instructions.count == 1 && space.rows.size == 1
      && space.columns.size <= Limits.smallProgram
      && !program.inputs.contains { $0.local != nil }
    // Nothing has to stay in the first-level cache, and there are no strips of a reduction.
    if isOneSmallLoop { space.tileColumns = space.columns.size }
    require(
      program.widths.count <= Int(NORMA_MAX_VALUES)
        && space.outer.count <= Int(NORMA_MAX_DIMENSIONS),
      "\(program.widths.count) values in \(space.outer.count) dimensions are too many")
    slots = ScratchSlots(program, block: space.tileRows * space.tileColumns)
    (self.program, self.space) = (program, space)
    addInputs()
    addImmediates()
    addOutputs(outputs)
    addSteps()
  }

  private mutating func addInputs() {
    for (index, input) in program.inputs.enumerated() {
      var operand = operand(index, width: input.dtype.byteCount, value: input.value)
      operand.single = singles.contains(input.value) ? 1 : 0
      operand.local = Int32(input.localCode)
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
      inputs.append(operand)
    }
  }

  private mutating func addImmediates() {
    for immediate in program.immediates {
      var operand = norma_operand()
      operand.width = Int32(program.widths[immediate.value])
      operand.value = Int32(immediate.value)
      operand.single = 1
      inputs.append(operand)
    }
  }

  private mutating func addOutputs(_ results: [CompiledProgram.Output]) {
    let computed = ValueSet(program.instructions.map(\.result), of: program.widths.count)
    var written = ValueSet([], of: program.widths.count)
    for (index, output) in results.enumerated() {
      var operand = operand(
        program.inputs.count + index, width: output.width, value: output.value)
      if output.isReused {
        // Copied from the thread's scratch memory: later instructions still read the old elements.
      } else if isDirect(operand) && output.storage.byteCount >= Limits.streamedBytes {
        operand.streamed = 1
      } else if isDirect(operand) && computed.contains(output.value)
        && !written.contains(output.value)
      {
        operand.direct = 1
        written.insert(output.value)
        slots.leave(output.value)
      }
      outputs.append(operand)
    }
  }

  private mutating func addSteps() {
    for (index, instruction) in program.instructions.enumerated() {
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
      steps.append(step)
    }
  }

  /// The reductions, and the size of scratch memory with their results, if these stay there.
  private func results(of sinks: [CompiledProgram.Sink]) -> (results: [norma_sink], scratch: Int) {
    var scratch = slots.size
    var results = sinks.map { sink in
      norma_sink(
        kind: Int32(sink.kind.rawValue), value: Int32(sink.value),
        companion: Int32(sink.companion ?? 0), center: Int32(sink.center ?? 0),
        type: sink.type.rawValue, loops: norma_find_reductions(sink.type.rawValue), result: nil,
        m2: nil, lost: nil,
        partial: nil, partial_m2: nil, partial_lost: nil, local: 0, local_m2: 0, local_lost: 0)
    }
    guard PlanBuilder.areLocal(sinks) else { return (results, scratch) }
    let bytes = (space.tileColumns * 8 + 63) & ~63
    for index in results.indices {
      results[index].local = scratch
      results[index].local_m2 = scratch + bytes
      results[index].local_lost = scratch + 2 * bytes
      scratch += 3 * bytes
    }
    return (results, scratch)
  }

  /// Whether the results of reductions stay in the thread's scratch memory.
  private static func areLocal(_ sinks: [CompiledProgram.Sink]) -> Bool {
    !sinks.isEmpty && sinks.allSatisfy { $0.result == nil }
  }

  /// The program as the C runner reads it. The caller frees the arrays that it points to.
  func form(sinks: [CompiledProgram.Sink]) -> norma_program {
    let (results, scratch) = results(of: sinks)
    var form = norma_program()
    form.space = norma_space(space)
    form.singles_by_row =
      !isByRow && inputs.contains { $0.single == 1 && $0.row != 0 } ? 1 : 0
    form.prefetched = inputs.prefix(32).enumerated().reduce(0) { bits, entry in
      let (index, input) = entry
      let isPrefetched = input.single == 0 && input.local == 0 && isDirect(input)
      return isPrefetched ? bits | 1 << UInt32(index) : bits
    }
    form.locals = PlanBuilder.areLocal(sinks) ? 1 : 0
    form.columns_kept = space.columnsKept ? 1 : 0
    form.chunk = CompiledProgram.chunk
    form.scratch = scratch
    form.input_count = Int32(inputs.count)
    form.output_count = Int32(outputs.count)
    form.instruction_count = Int32(steps.count)
    form.sink_count = Int32(results.count)
    form.value_count = Int32(slots.offsets.count)
    form.inputs = PlanBuilder.stable(inputs)
    form.outputs = PlanBuilder.stable(outputs)
    form.instructions = PlanBuilder.stable(steps)
    form.sinks = PlanBuilder.stable(results)
    form.offsets = PlanBuilder.stable(slots.offsets)
    if sinks.isEmpty {
      norma_program_measure(&form)
      if runsAlone(form) { form.alone = 1 }
    }
    return form
  }

  /// Whether a program without reductions is a single tile, with all operands read and written
  /// directly in memory.
  private func runsAlone(_ form: norma_program) -> Bool {
    let isInPlace =
      inputs.allSatisfy { $0.single == 1 || $0.by_row == 0 && $0.local == 0 && isDirect($0) }
      && outputs.allSatisfy { $0.direct == 1 }
    return isInPlace && form.unit_count == 1 && !steps.isEmpty
      && slots.offsets.count <= Int(NORMA_SMALL_VALUES) && form.scratch <= Int(NORMA_SMALL_SCRATCH)
      && steps.allSatisfy { $0.by_row == 0 }
  }

  private static func stable<T>(_ values: [T]) -> UnsafePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return UnsafePointer(memory)
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
      copy(splits.map(\.size), to: &operand.split_size)
      copy(splits.map { $0.stride * width }, to: &operand.split_stride)
    }
    copy(space.outer.map { $0.strides[index] * width }, to: &operand.outer)
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
    copy(space.outer.map(\.size), to: &size)
  }
}
