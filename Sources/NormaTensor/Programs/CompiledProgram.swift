import CNormaLoops

/// A program with its plan, the memory it works on, and its immediates: ready to run.
struct CompiledProgram: Sendable {
  /// Elements that a program writes.
  struct Output: Sendable {
    let value: Int
    var storage: Storage
    var layout: Layout
    let width: Int
    /// Whether inputs may be in the same memory: then it is written only after a tile has run.
    var isReused = false
  }

  /// A reduction at the end of a program. Results are dense, in the order of the space.
  struct Sink: Sendable {
    let value: Int
    let type: BlockType
    let kind: norma_reduction_kind
    /// Nil if results stay in the thread's scratch memory.
    var result: Storage?
    var squares: Storage?
    /// For a centered sum: the factor, and the mean to subtract. For weighted moments: the weights.
    var companion: Int?
    var center: Int?
    /// For weighted moments: the destination of the sums of weights.
    var weights: Storage?

    /// The values that must be available when a tile has run.
    var values: [Int] { [value, companion, center].compactMap { $0 } }

    /// Those of which whole tiles are read: a center is one number unless each column has a result.
    func blocks(columnsKept: Bool) -> [Int] {
      columnsKept ? values : [value, companion].compactMap { $0 }
    }
  }

  /// The number of tiles that are merged one after the other, before chunks are merged.
  static let chunk = 64

  let plan: Plan
  // The program that the plan was made for, or one of the same structure.
  private var program: Program
  private var outputs: [Output]
  private var sinks: [Sink]
  private var isSliced = false
  /// Whether the plan was made for this program, rather than found in the cache.
  private let isNew: Bool
  /// Whether reductions may process their source in any order.
  private var isUnordered = false

  /// `space` has the program's inputs as its operands, then the outputs. The plan is cached if it
  /// has a key.
  init(
    _ program: Program, over space: Space, outputs: [Output] = [], sinks: [Sink] = [],
    keptAs key: PlanKey? = nil
  ) {
    self.program = program
    self.outputs = outputs
    self.sinks = sinks
    plan = Plan(program, over: space, outputs: outputs, sinks: sinks)
    if let key { PlanCache.shared.keep(plan, as: key) }
    isNew = true
  }

  /// The same with the plan cached for programs of this structure, or with a new one.
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
    plan = Plan(program, over: space, outputs: outputs, sinks: sinks)
    PlanCache.shared.keep(plan, as: key)
    isNew = true
  }

  /// Whether an input has no memory.
  var readsMissing: Bool { program.readsMissing }

  /// The memory of inputs, outputs and results of reductions, in this order, as far as they have
  /// some.
  private var memory: [KernelMemory] {
    program.inputs.compactMap(\.memory)
      + outputs.map { .writes($0.storage, at: $0.layout.offset * $0.width) }
      + sinks.flatMap { [$0.result, $0.squares, $0.weights] }.compactMap { $0.map { .writes($0) } }
  }

  /// The same program for memory that is given when it runs.
  private var withoutMemory: CompiledProgram {
    var copy = self
    copy.program = program.withoutMemory
    for index in outputs.indices { copy.outputs[index].storage = .placeholder }
    for (index, sink) in sinks.enumerated() {
      copy.sinks[index].result = sink.result.map { _ in .placeholder }
      copy.sinks[index].squares = sink.squares.map { _ in .placeholder }
      copy.sinks[index].weights = sink.weights.map { _ in .placeholder }
    }
    return copy
  }

  /// Calls `body` with the C form.
  ///
  /// - Parameter addresses: those of ``memory``; the program's own if nil.
  /// - Returns: false, with a mistake recorded in the scope, if there is no memory to work in.
  private func withProgram(
    at addresses: KernelAddresses?, _ body: (UnsafePointer<norma_program>) -> Bool
  ) -> Bool {
    var form = plan.form
    let (inputCount, immediateCount) = (program.inputs.count, program.immediates.count)
    var next = addresses
    func place(_ memory: KernelMemory) -> UnsafeMutableRawPointer {
      guard let given = next else { return memory.address }
      next = given + 1
      return given.pointee
    }
    return withUnsafeTemporaryAllocation(
      of: UnsafeMutablePointer<CChar>?.self,
      capacity: inputCount + 2 * immediateCount + outputs.count
    ) { bases in
      guard let first = bases.baseAddress else { return false }
      for (index, input) in program.inputs.enumerated() {
        let base = input.memory.map(place)
        (first + index).initialize(to: base?.assumingMemoryBound(to: CChar.self))
      }
      let outputBases = first + inputCount + immediateCount
      for (index, output) in outputs.enumerated() {
        let base = place(.writes(output.storage, at: output.layout.offset * output.width))
        (outputBases + index).initialize(to: base.assumingMemoryBound(to: CChar.self))
      }
      // The immediates follow the base addresses.
      let numbers = UnsafeMutableRawPointer(outputBases + outputs.count)
      for (index, immediate) in program.immediates.enumerated() {
        let address = numbers + 8 * index
        address.storeBytes(of: immediate.bits, as: UInt64.self)
        (first + inputCount + index).initialize(to: address.assumingMemoryBound(to: CChar.self))
      }
      form.input_bases = UnsafePointer(first)
      form.output_bases = UnsafePointer(outputBases)
      return withExtendedLifetime((program, outputs, plan)) {
        if sinks.isEmpty { return body(&form) }
        return plan.withSinks(
          &form, over: program.shape, isSliced: isSliced,
          place: { index, placed in
            let sink = sinks[index]
            placed.result = sink.result.map {
              place(.writes($0)).assumingMemoryBound(to: CChar.self)
            }
            placed.m2 = sink.squares.map {
              place(.writes($0)).assumingMemoryBound(to: Double.self)
            }
            placed.lost = sink.weights.map {
              place(.writes($0)).assumingMemoryBound(to: Double.self)
            }
          }, body)
      }
    }
  }

  /// Runs the program.
  ///
  /// - Parameter notes: whether to add a step to the execution log.
  /// - Returns: false, with a mistake recorded in the scope, if there is no memory to work in.
  func run(notes: Bool = true) -> Bool {
    if notes { note(sinks.isEmpty ? plan.isCopy ? .copy : .program : .reduction) }
    if KernelRecorder.isOpen {
      let copy = withoutMemory
      KernelRecorder.keep(memory) { copy.run(at: $0) }
    }
    return run(at: nil)
  }

  private func run(at addresses: KernelAddresses?) -> Bool {
    let threads = plan.threads
    return withProgram(at: addresses) {
      norma_program_run($0, nil, threads)
      return true
    }
  }

  /// Runs this program's reductions, and `second` on their results while they are in cache: by
  /// `slices` or `strips`.
  func run(by path: ExecutionPlan.Path, before second: CompiledProgram) -> Bool {
    var own = self
    own.isSliced = path == .slices
    own.note(path, then: second)
    if KernelRecorder.isOpen {
      let (first, after, count) = (own.withoutMemory, second.withoutMemory, own.memory.count)
      KernelRecorder.keep(own.memory + second.memory) {
        first.run(before: after, at: $0, and: $0 + count)
      }
    }
    return own.run(before: second, at: nil, and: nil)
  }

  private func run(
    before second: CompiledProgram, at addresses: KernelAddresses?, and others: KernelAddresses?
  ) -> Bool {
    let threads = max(plan.threads, second.plan.threads)
    return withProgram(at: addresses) { first in
      second.withProgram(at: others) {
        norma_program_run(first, $0, threads)
        return true
      }
    }
  }

  /// Logs this program, and the one that runs with it.
  private func note(_ path: ExecutionPlan.Path, then second: CompiledProgram? = nil) {
    guard ExecutionLog.isOpen else { return }
    let own = Set(program.inputs.compactMap { $0.storage.map { ObjectIdentifier($0) } })
    // What the first program has read is in cache, and so is what it stored only for the second.
    let results = sinks.flatMap { [$0.result, $0.squares, $0.weights].compactMap { $0 } }
    let known = own.union(results.map { ObjectIdentifier($0) })
    var traits: Set<ExecutionPlan.Trait> = []
    if isNew || second?.isNew == true { traits.insert(.planned) }
    if !sinks.isEmpty && plan.interleave(isSliced: isSliced) > 0 { traits.insert(.interleaved) }
    if isUnordered { traits.insert(.unordered) }
    for one in [self, second].compactMap({ $0 }) {
      traits.formUnion(one.plan.traits)
    }
    func written(_ program: CompiledProgram?) -> Int {
      program?.outputs.reduce(0) { $0 + $1.layout.touchedCount * $1.width } ?? 0
    }
    let stored = results.reduce(0) { $0 + $1.byteCount }
    ExecutionLog.add(
      ExecutionPlan.Step(
        path,
        (path == .copy ? ["copy"] : program.instructions.operationNames)
          + sinks.map(\.operationName)
          + (second?.program.instructions.operationNames ?? []),
        over: program.shape,
        reads: program.readBytes() + (second?.program.readBytes(except: known) ?? 0),
        writes: written(self) + written(second) + stored, traits))
  }
}
