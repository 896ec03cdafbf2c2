import NormaValues

/// One evaluation: the program of a result, built from pending nodes, and whatever runs before it.
struct Evaluation {
  var program: Program
  /// The tensors whose values are in the program, newest last. Few enough for a linear search, and
  /// retained so that their addresses are not reused.
  var known: [Known] = []

  struct Known {
    let node: Node
    let layout: Layout
    let value: Int
  }
  /// What runs together with this program, so that its results are found in cache.
  var schedule = Schedule.whole

  enum Schedule {
    case whole
    /// Reductions, slice by slice.
    case slices(SlicedReductions)
    /// A reduction whose results are not stored, strip by strip.
    case strips(FinishedReduction)
    /// A convolution, a few images at a time, in the result's own memory.
    case images(PendingConvolution)

    var isWhole: Bool { if case .whole = self { true } else { false } }

    var slices: SlicedReductions? { if case .slices(let slices) = self { slices } else { nil } }
  }

  /// The destination of the single result, if it is stored.
  private let target: (storage: Storage, layout: Layout, dtype: DType)?

  /// The operands of the instruction that is being emitted.
  private var siblings: [Tensor] = []

  /// Only a program that stores its result can run part by part with others; not one that is
  /// reduced.
  var maySlice: Bool {
    if case .images = schedule { return false }
    return target != nil
  }

  /// Whether nothing has been chosen yet to run with this program.
  private var isFree: Bool { target != nil && schedule.isWhole }

  init(shape: [Int]) {
    program = Program(shape: shape)
    known.reserveCapacity(16)
    target = nil
  }

  /// The program of one result, which is stored in `storage`.
  init(of layout: Layout, _ dtype: DType, into storage: Storage) {
    program = Program(shape: layout.shape)
    known.reserveCapacity(16)
    target = (storage, layout, dtype)
  }

  /// The value of a pending instruction.
  mutating func emit(_ operation: Operation, _ operands: [Tensor]) -> Int {
    let outer = siblings
    siblings = operands
    var values = Operands()
    for operand in operands { values.append(value(of: operand)) }
    siblings = outer
    return apply(operation, values, operands)
  }

  /// An instruction on the values of its operands.
  mutating func apply(
    _ operation: Operation, _ values: Operands, _ operands: [Tensor]
  ) -> Int {
    var values = values
    let isPlain =
      operation.code != .convert && operation.code != .normalizeGradient
      && operands.allSatisfy { $0.dtype == operation.operands }
    guard let immediate = operation.immediate else {
      return isPlain
        ? program.apply(operation, values)
        : program.apply(operation, values, operands.map(\.dtype))
    }
    let value = program.immediate(immediate, BlockType(operation.operands))
    values.insert(value, at: immediate.position)
    if isPlain { return program.apply(operation, values) }
    var types = operands.map(\.dtype)
    types.insert(operation.operands, at: immediate.position)
    return program.apply(operation, values, types)
  }

  /// The value of a tensor of the program's shape: computed here, or read from memory.
  mutating func value(of tensor: Tensor) -> Int {
    // Most pending values occur once: only those that ran before may be known.
    let mayBeKnown = tensor.layout !== tensor.node.layout || tensor.node.mayHaveRun
    if mayBeKnown, let value = knownValue(tensor.node, tensor.layout) { return value }
    let value = makeValue(of: tensor)
    known.append(Known(node: tensor.node, layout: tensor.layout, value: value))
    return value
  }

  func knownValue(_ node: Node, _ layout: Layout) -> Int? {
    for index in known.indices.reversed()
    where known[index].node === node && known[index].layout === layout {
      return known[index].value
    }
    return nil
  }

  private mutating func makeValue(of tensor: Tensor) -> Int {
    let node = tensor.node
    guard case .pending(let work) = node.content else { return read(tensor) }
    if case .elementwise(let operation, let operands) = work {
      if tensor.layout === node.layout, program.widths.count < Limits.valueLimit, node.stream() {
        return emit(operation, operands)
      }
      if let value = sliced(tensor, operation, operands) { return value }
    }
    if case .reduction(let group, let result) = work, tensor.layout === node.layout, isFree,
      let new = FinishedReduction(group, result)
    {
      schedule = .strips(new)
      return program.localInput(new.index, tensor.layout, tensor.dtype)
    }
    if case .convolution(let work) = work, let value = convolved(tensor, work) { return value }
    return read(tensor)
  }

  /// The value of a convolution that writes to the memory of the result, if nothing else needs it.
  private mutating func convolved(_ tensor: Tensor, _ work: PendingConvolution) -> Int? {
    guard isFree, let target, target.dtype == tensor.dtype,
      tensor.layout === tensor.node.layout, tensor.layout.isSame(as: target.layout),
      tensor.node.stream()
    else { return nil }
    schedule = .images(work)
    return program.input(target.storage, tensor.layout, tensor.dtype)
  }

  /// The value of a pending node that is a result of the program.
  mutating func add(_ node: Node, _ operation: Operation, _ operands: [Tensor]) -> Int {
    let value = emit(operation, operands)
    _ = node.stream()
    known.append(Known(node: node, layout: node.layout, value: value))
    return value
  }

  private mutating func read(_ tensor: Tensor) -> Int {
    materializeSiblings(of: tensor)
    return program.input(tensor.node.materialize(), tensor.layout, tensor.dtype)
  }

  /// Evaluates small operands that are broadcast to the program's shape, such as the mean, scale
  /// and shift of a normalization, together.
  private func materializeSiblings(of tensor: Tensor) {
    let shape = tensor.node.layout.shape
    guard schedule.slices == nil, tensor.layout !== tensor.node.layout,
      tensor.node.isPendingElementwise,
      tensor.node.layout.count > 0, tensor.node.layout.count <= Limits.smallSiblings
    else { return }
    // Operands that depend on a reduction may still run slice by slice with it.
    let group = SlicedReductions.group(below: tensor.node)
    var nodes: [Node] = []
    for sibling in siblings
    where sibling.layout !== sibling.node.layout && sibling.node.layout.shape == shape
      && sibling.node.isPendingElementwise && !nodes.contains(where: { $0 === sibling.node })
      && (!maySlice || SlicedReductions.group(below: sibling.node) === group)
    {
      nodes.append(sibling.node)
    }
    if nodes.count > 1 { Node.materialize(together: nodes) }
  }

  /// The program for a reduction: only the source.
  static func source(_ tensor: Tensor) -> (Evaluation, value: Int) {
    var evaluation = Evaluation(shape: tensor.shape)
    let value = evaluation.value(of: tensor)
    return (evaluation, value)
  }

  /// A result of the program's shape, and its destination.
  struct Stored {
    let node: Node
    let value: Int
    let storage: Storage
    /// Whether the program may read the previous contents.
    let isReused: Bool
  }

  /// Stores several results of the program's shape. False if memory ran out.
  func run(_ results: [Stored]) -> Bool {
    guard let first = results.first?.node.layout else { return true }
    var program = program
    let outputs = results.map { result in
      CompiledProgram.Output(
        value: program.stored(result.value, as: result.node.dtype), storage: result.storage,
        layout: result.node.layout, width: result.node.dtype.byteCount, isReused: result.isReused)
    }
    let compiled = CompiledProgram(program, by: .elementwise(first), outputs: outputs) {
      Space.elementwise(
        first.shape, order: Layout.order(first.shape, first.strides),
        layouts: program.inputs.map(\.layout) + outputs.map(\.layout))
    }
    return compiled?.run() ?? true
  }

  /// Stores one result, and caches the plan for traces of the same work. False if memory ran out.
  func run(
    _ value: Int, _ dtype: DType, into storage: Storage, _ layout: Layout, for trace: Trace?
  ) -> Bool {
    var program = program
    let output = CompiledProgram.Output(
      value: program.stored(value, as: dtype), storage: storage, layout: layout,
      width: dtype.byteCount)
    switch schedule {
    case .whole: break
    case .slices(let slices): return slices.run(before: program, output)
    case .strips(let strips): return strips.run(before: program, output)
    case .images(let convolution): return convolution.run(before: program, output)
    }
    let space = {
      Space.elementwise(
        layout.shape, order: Layout.order(layout.shape, layout.strides),
        layouts: program.inputs.map(\.layout) + [layout])
    }
    if let trace, trace.isOf(program) {
      return CompiledProgram(program, over: space(), outputs: [output], keptAs: trace.key).run()
    }
    return CompiledProgram(program, by: .elementwise(layout), outputs: [output], space: space)?
      .run() ?? true
  }
}
