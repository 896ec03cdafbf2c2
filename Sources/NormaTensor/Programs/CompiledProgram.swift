import CNormaLoops

/// A program with its plan, the memory it works on, and the numbers written in it: ready to run.
struct CompiledProgram {
  /// Elements that a program writes.
  struct Output {
    let value: Int
    let storage: Storage
    let layout: Layout
    let width: Int
    /// Whether inputs may lie there, too: then it is written when a tile has run.
    var isReused = false
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

  private let plan: Plan
  // What the plan was made for, or a program of the same structure.
  private let program: Program
  private let outputs: [Output]
  private let sinks: [Sink]
  private var isSliced = false
  /// Whether the plan was made for this program, and not kept from an earlier one.
  private let isNew: Bool
  /// Whether reductions may go through their source in any order.
  private var isUnordered = false

  /// `space` has the program's inputs as its operands, then the outputs.
  init(_ program: Program, over space: Space, outputs: [Output] = [], sinks: [Sink] = []) {
    self.program = program
    self.outputs = outputs
    self.sinks = sinks
    plan = Plan(program, over: space, outputs: outputs, sinks: sinks, key: PlanKey())
    isNew = true
  }

  /// The same with the plan that a program of this structure left, or with a new one.
  /// - Returns: nil if there is no such space.
  init?(
    _ program: Program, by rule: PlanRule, outputs: [Output] = [], sinks: [Sink] = [],
    space: () -> Space?
  ) {
    self.program = program
    self.outputs = outputs
    self.sinks = sinks
    if case .reduction(_, let dependsOnOrder) = rule { isUnordered = !dependsOnOrder }
    var key = PlanKey()
    key.append(program)
    for output in outputs {
      key.append(output.value << 9 | output.width << 1 | (output.isReused ? 1 : 0))
      key.append(output.layout, in: program.shape)
    }
    for sink in sinks {
      let kind = sink.value << 16 | Int(sink.type.rawValue) << 8 | Int(sink.kind.rawValue) << 2
      key.append(kind | (sink.result == nil ? 1 : 0))
      key.append((sink.companion ?? -1) << 32 | (sink.center ?? -1) & 0xffff_ffff)
    }
    rule.append(to: &key, in: program.shape)
    if let plan = PlanCache.shared.plan(key) {
      (self.plan, isNew) = (plan, false)
      return
    }
    guard let space = space() else { return nil }
    plan = Plan(program, over: space, outputs: outputs, sinks: sinks, key: key)
    PlanCache.shared.keep(plan)
    isNew = true
  }

  /// Lends the C form, on this program's memory, to `body`.
  ///
  /// - Returns: false, and a mistake of the scope's, where there is no memory to work in.
  private func withProgram(_ body: (UnsafePointer<norma_program>) -> Bool) -> Bool {
    var form = plan.form
    let (inputCount, immediateCount) = (program.inputs.count, program.immediates.count)
    return withUnsafeTemporaryAllocation(
      of: UnsafeMutablePointer<CChar>?.self,
      capacity: inputCount + 2 * immediateCount + outputs.count
    ) { bases in
      guard let first = bases.baseAddress else { return false }
      for (index, input) in program.inputs.enumerated() {
        let base = input.storage.map { $0.base + input.layout.offset * input.dtype.byteCount }
        (first + index).initialize(to: base?.assumingMemoryBound(to: CChar.self))
      }
      let outputBases = first + inputCount + immediateCount
      for (index, output) in outputs.enumerated() {
        let base = output.storage.base + output.layout.offset * output.width
        (outputBases + index).initialize(to: base.assumingMemoryBound(to: CChar.self))
      }
      // The numbers lie behind the bases.
      let numbers = UnsafeMutableRawPointer(outputBases + outputs.count)
      for (index, immediate) in program.immediates.enumerated() {
        let place = numbers + 8 * index
        place.storeBytes(of: immediate.bits, as: UInt64.self)
        (first + inputCount + index).initialize(to: place.assumingMemoryBound(to: CChar.self))
      }
      form.input_bases = UnsafePointer(first)
      form.output_bases = UnsafePointer(outputBases)
      return withExtendedLifetime((program, outputs, plan)) {
        if !sinks.isEmpty { return withSinks(&form, body) }
        norma_program_measure(&form)
        return body(&form)
      }
    }
  }

  /// Places the results of reductions, with room for those of chunks.
  private func withSinks(
    _ form: inout norma_program, _ body: (UnsafePointer<norma_program>) -> Bool
  ) -> Bool {
    form.interleave = interleave(Int(threads))
    norma_program_measure(&form)
    var placed = sinks.indices.map { index in
      var sink = plan.form.sinks[index]
      sink.result = sinks[index].result?.base.assumingMemoryBound(to: CChar.self)
      sink.m2 = sinks[index].squares?.base.assumingMemoryBound(to: Double.self)
      return sink
    }
    guard let rooms = form.locals == 0 ? addRooms(&placed, chunks: Int(form.chunk_count)) : []
    else { return false }
    return placed.withUnsafeBufferPointer { placed in
      form.sinks = placed.baseAddress
      return withExtendedLifetime((sinks, rooms)) { body(&form) }
    }
  }

  /// How many outputs are reduced side by side, in the order of memory: enough for 64 KiB at a
  /// time, and the same for every thread.
  private func interleave(_ threads: Int) -> Int {
    let space = plan.space
    guard !sinks.isEmpty, space.hasScatteredRows, !isSliced else { return 0 }
    let kept = space.keptCount
    let bytes = kept * space.columns.size * 4
    let groups = max(bytes >> 16, 1)
    let units = (groups + threads - 1) / threads * threads
    return kept >= threads ? (kept + units - 1) / units : 0
  }

  /// Room for the results of chunks, where one output has several, and for what sums of `float64`
  /// have lost.
  ///
  /// - Returns: nil, and a mistake of the scope's, where there is none.
  private func addRooms(_ sinks: inout [norma_sink], chunks: Int) -> [Storage]? {
    let space = plan.space
    let results = space.keptCount * (space.columnsKept ? space.columns.size : 1)
    var rooms: [Storage] = []
    func room(_ count: Int) -> UnsafeMutableRawPointer? {
      let storage = Storage.scratchOrReport(byteCount: count * 8, of: program.shape)
      if let storage { rooms.append(storage) }
      return storage?.base
    }
    for index in sinks.indices {
      let isWide = sinks[index].type == BlockType.float64.rawValue && sinks[index].m2 != nil
      if isWide {
        guard let lost = room(results) else { return nil }
        sinks[index].lost = lost.assumingMemoryBound(to: Double.self)
      }
      guard chunks > 1 else { continue }
      guard let partial = room(results * chunks) else { return nil }
      sinks[index].partial = partial.assumingMemoryBound(to: CChar.self)
      guard sinks[index].m2 != nil else { continue }
      guard let squares = room(results * chunks) else { return nil }
      sinks[index].partial_m2 = squares.assumingMemoryBound(to: Double.self)
      if isWide {
        guard let lost = room(results * chunks) else { return nil }
        sinks[index].partial_lost = lost.assumingMemoryBound(to: Double.self)
      }
    }
    return rooms
  }

  /// Work of fewer element instructions than this is not worth a second thread.
  private var threads: Int32 { plan.work < 32768 ? 1 : Int32(TensorThreads.count) }

  /// Runs the program.
  ///
  /// - Parameter notes: whether it leaves a mark of its own.
  /// - Returns: false, and a mistake of the scope's, where there is no memory to work in.
  func run(notes: Bool = true) -> Bool {
    let threads = threads
    if notes { note(sinks.isEmpty ? plan.isCopy ? .copy : .program : .reduction) }
    return withProgram {
      norma_program_run($0, threads)
      return true
    }
  }

  /// Runs this program's reductions, whose results stay with the thread, and `second` on them.
  func run(finishedBy second: CompiledProgram) -> Bool {
    let threads = threads
    note(.strips, then: second)
    return withProgram { first in
      second.withProgram {
        norma_program_run_finished(first, $0, threads)
        return true
      }
    }
  }

  /// Runs this program's reductions and `second` slice by slice.
  func run(before second: CompiledProgram) -> Bool {
    let threads = max(threads, second.threads)
    var sliced = self
    sliced.isSliced = true
    sliced.note(.slices, then: second)
    return sliced.withProgram { first in
      second.withProgram {
        norma_program_run_slices(first, $0, threads)
        return true
      }
    }
  }

  /// Leaves the mark of this program, and of one that runs with it.
  private func note(_ path: ExecutionPlan.Path, then second: CompiledProgram? = nil) {
    guard ExecutionLog.isOpen else { return }
    let own = Set(program.inputs.compactMap { $0.storage.map { ObjectIdentifier($0) } })
    // What the first has read is in cache, and what it stored for the second alone, too.
    let results = sinks.flatMap { [$0.result, $0.squares].compactMap { $0 } }
    let known = own.union(results.map { ObjectIdentifier($0) })
    var traits: Set<ExecutionPlan.Trait> = []
    if isNew || second?.isNew == true { traits.insert(.planned) }
    if interleave(Int(threads)) > 0 { traits.insert(.interleaved) }
    if isUnordered { traits.insert(.unordered) }
    for one in [self, second].compactMap({ $0 }) {
      if one.plan.isByRow { traits.insert(.byRow) }
      if one.plan.isStreamed { traits.insert(.streamed) }
    }
    func written(_ program: CompiledProgram?) -> Int {
      program?.outputs.reduce(0) { $0 + $1.layout.touchedCount * $1.width } ?? 0
    }
    let stored = results.reduce(0) { $0 + $1.byteCount }
    ExecutionLog.add(
      ExecutionPlan.Step(
        path,
        (path == .copy ? ["copy"] : program.operationNames) + sinks.map(\.operationName)
          + (second?.program.operationNames ?? []),
        over: program.shape,
        reads: program.readBytes() + (second?.program.readBytes(except: known) ?? 0),
        writes: written(self) + written(second) + stored, traits))
  }
}
