import CNormaLoops
import NormaValues

/// Pending elementwise work as the key of its plan, together with the memory and the immediates
/// that it reads: all found by one walk, without allocating memory.
///
/// A step of a training loop records the same work again, and finds the plan of the previous step.
/// A `Program` is built only if there is none. If more than the work itself determines how it runs
/// (slices, strips, convolutions), an `Evaluation` decides.
struct Trace {
  // Each of these fills at most 1 KiB of the stack. Nothing here is reference-counted: the work
  // that was found retains what it reads.
  private static let (mostValues, mostBases, mostHeld) = (40, 64, 32)

  private struct Value {
    let node: Unmanaged<Node>
    let layout: Unmanaged<Layout>
    /// Whether it is computed within the program.
    var isInside = false
  }

  private let layout: Unmanaged<Layout>
  private var words: KeyWords
  /// The tensors found so far.
  private let values: UnsafeMutablePointer<Value>
  private var valueCount = 0
  /// The operands of inlined work: meanwhile, another task may store its node and release them.
  private let held: UnsafeMutablePointer<[Tensor]>
  private var heldCount = 0
  /// The addresses of inputs, followed by those of immediates, and the result.
  private let bases: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private var inputCount = 0
  private let numbers: UnsafeMutablePointer<UInt64>
  private var numberCount = 0

  /// Runs an instruction, and the pending ones that are inlined into it, with their cached plan.
  ///
  /// - Parameter evaluate: runs them if there is no plan; caches a new plan for the trace, if it
  ///   makes one.
  static func run(
    _ operation: Operation, _ operands: [Tensor], of layout: Layout, into storage: Storage,
    otherwise evaluate: (Trace?) -> Bool
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: KeyWords.most) { words in
      withUnsafeTemporaryAllocation(of: Value.self, capacity: mostValues) { values in
        withUnsafeTemporaryAllocation(of: [Tensor].self, capacity: mostHeld) { held in
          withUnsafeTemporaryAllocation(
            of: UnsafeMutablePointer<CChar>?.self, capacity: mostBases
          ) { bases in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: mostBases) { numbers in
              guard let words = words.baseAddress, let values = values.baseAddress,
                let held = held.baseAddress, let bases = bases.baseAddress,
                let numbers = numbers.baseAddress
              else { return evaluate(nil) }
              var trace = Trace(
                layout: .passUnretained(layout), words: KeyWords(words), values: values, held: held,
                bases: bases, numbers: numbers)
              defer { held.deinitialize(count: trace.heldCount) }
              let isWhole = trace.words.append(layout) && trace.add(operation, operands)
              if isWhole, let plan = trace.words.plan {
                trace.run(plan, layout, into: storage)
                return true
              }
              trace.forget()
              return evaluate(isWhole ? trace : nil)
            }
          }
        }
      }
    }
  }

  /// The key, valid as long as the trace.
  var key: PlanKey { words.key }

  /// Whether a program reads the same memory and as many immediates: work that another task stores
  /// in the meantime is computed by the one and read by the other.
  func isOf(_ program: Program) -> Bool {
    program.inputs.count == inputCount && program.immediates.count == numberCount
      && program.inputs.indices.allSatisfy { program.inputs[$0].base == bases[$0] }
  }

  private func run(_ plan: Plan, _ layout: Layout, into storage: Storage) {
    for index in 0..<numberCount {
      bases[inputCount + index] = UnsafeMutableRawPointer(numbers + index)
        .assumingMemoryBound(to: CChar.self)
    }
    let target = bases + inputCount + numberCount
    target.pointee = storage.address.assumingMemoryBound(to: CChar.self)
    if KernelRecorder.isAnyOpen { keep(plan, into: storage) }
    ExecutionLog.add(
      ExecutionPlan.Step(
        plan.isCopy ? .copy : .program,
        plan.isCopy ? ["copy"] : plan.instructions.operationNames, over: layout.shape,
        reads: readBytes, writes: storage.byteCount, plan.traits))
    plan.run(bases, target)
  }

  /// Keeps the program for a recorder.
  private func keep(_ plan: Plan, into storage: Storage) {
    var memory: [KernelMemory] = []
    for index in 0..<valueCount where !values[index].isInside {
      let node = values[index].node.takeUnretainedValue()
      let layout = values[index].layout.takeUnretainedValue()
      guard let storage = node.storage else { continue }
      memory.append(.reads(storage, at: layout.offset * node.dtype.byteCount))
    }
    memory.append(.writes(storage))
    let immediates = (0..<numberCount).map { numbers[$0] }
    let inputs = memory.count - 1
    KernelRecorder.keep(memory) { plan.run($0, inputs: inputs, immediates: immediates) }
  }

  /// Undoes counting that the nodes ran inside a program.
  private func forget() {
    for index in 0..<valueCount where values[index].isInside {
      values[index].node.takeUnretainedValue().forgetStream()
    }
  }

  /// Bytes of the inputs, each block of memory counted once.
  private var readBytes: Int {
    var bytes: [ObjectIdentifier: Int] = [:]
    for index in 0..<valueCount where !values[index].isInside {
      let node = values[index].node.takeUnretainedValue()
      guard let storage = node.storage else { continue }
      let touched = values[index].layout.takeUnretainedValue().touchedCount * node.dtype.byteCount
      let key = ObjectIdentifier(storage)
      bytes[key] = max(bytes[key] ?? 0, min(touched, storage.byteCount))
    }
    return bytes.values.reduce(0, +)
  }
}

// MARK: - The walk

extension Trace {
  /// False if there is too much work, or some that a trace does not support.
  private mutating func add(_ operation: Operation, _ operands: [Tensor]) -> Bool {
    guard words.hasRoom(1) else { return false }
    let types = Int(operation.operands.stored) << 12 | Int(operation.result.stored) << 20
    let number = (operation.immediate?.position ?? -1) + 1
    words.append(
      3 | Int(operation.code.rawValue) << 3 | types | number << 28 | operands.count << 32)
    let isWhole = operands.withUnsafeBufferPointer { operands in
      for index in 0..<operands.count {
        guard add(operands[index].node, operands[index].layout, beside: operands.count) else {
          return false
        }
      }
      return true
    }
    if let immediate = operation.immediate {
      guard inputCount + numberCount + 2 < Trace.mostBases else { return false }
      numbers[numberCount] = immediate.bits
      numberCount += 1
    }
    return isWhole
  }

  private mutating func add(_ node: Node, _ layout: Layout, beside operandCount: Int) -> Bool {
    let value = Value(node: .passUnretained(node), layout: .passUnretained(layout))
    var index = valueCount
    while index > 0 {
      index -= 1
      if values[index].node.toOpaque() == value.node.toOpaque()
        && values[index].layout.toOpaque() == value.layout.toOpaque()
      {
        guard words.hasRoom(1) else { return false }
        words.append(2 | index << 3)
        return true
      }
    }
    guard valueCount < Trace.mostValues, inputCount + numberCount + 2 < Trace.mostBases,
      words.hasRoom(1 + layout.strides.count)
    else { return false }
    (values + valueCount).initialize(to: value)
    valueCount += 1
    if let storage = node.storage { return input(storage, layout, node.dtype) }
    let isOwn = layout === node.layout
    if isOwn, heldCount < Trace.mostHeld, let (operation, operands) = node.workInside() {
      values[valueCount - 1].isInside = true
      (held + heldCount).initialize(to: operands)
      heldCount += 1
      return add(operation, operands)
    }
    guard canStore(node, isOwn: isOwn, beside: operandCount) else { return false }
    return input(node.materialize(), layout, node.dtype)
  }

  /// Whether a pending operand is stored first, whatever else an evaluation might choose.
  private func canStore(_ node: Node, isOwn: Bool, beside operandCount: Int) -> Bool {
    switch node.content {
    case .stored: true
    case .pending(.elementwise):
      // Of small tensors, only the few that are broadcast to larger ones are stored.
      isOwn
        || layout.takeUnretainedValue().count <= Limits.smallProgram && operandCount <= 3
    case .pending(.reduction): node.layout.count < Limits.fewestInStrips
    case .pending(.convolution): false
    }
  }

  private mutating func input(_ storage: Storage, _ own: Layout, _ dtype: DType) -> Bool {
    if storage.isMissing { return false }
    bases[inputCount] = (storage.address + own.offset * dtype.byteCount)
      .assumingMemoryBound(to: CChar.self)
    inputCount += 1
    let word = 1 | Int(dtype.stored) << 8
    // All have the same shape.
    if own.isContiguous && own.strides.last != 0 {
      let result = layout.takeUnretainedValue()
      if own === result || result.isContiguous {
        words.append(word | 1 << 3)
        return true
      }
    }
    words.append(word | (own.isContiguous ? 1 << 4 : 0))
    for stride in own.strides { words.append(stride) }
    return true
  }
}
