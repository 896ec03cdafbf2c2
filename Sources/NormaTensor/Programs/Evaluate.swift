import CNormaLoops
import NormaKernels

extension Node {
  /// The node's elements; runs its work first if they are not there yet.
  func materialize() -> Storage {
    let (content, correction) = work
    switch content {
    case .stored(let storage): return storage
    case .pending(.elementwise(let operation, let operands)):
      guard let storage = try? Storage.room(layout, dtype, "") else { return lose() }
      if layout.count > 0 && !runAtOnce(operation, operands, into: storage) {
        var evaluation = Evaluation(shape: layout.shape, maySlice: true)
        let value = evaluation.emit(operation, operands)
        if evaluation.program.readsMissing { return loseQuietly() }
        evaluation.run(value, dtype, into: storage, layout)
      }
      correction?(storage)
      store(storage)
      return storage
    case .pending(.reduction(let group, let result)):
      group.run()
      // Another thread may have stored it, or run it for a sister; then it is there.
      guard case .stored(let storage) = self.content else {
        fatalError("a reduction left no \(result)")
      }
      return storage
    }
  }
}

extension Node {
  /// Runs the pending elementwise work of nodes of one shape as one program with several results.
  ///
  /// - Parameter targets: memory for some of the results, which the program may read while it writes; taken
  ///   where each element is read only for the result that is written over it.
  static func materialize(together nodes: [Node], into targets: [ObjectIdentifier: Storage] = [:]) {
    var evaluation = Evaluation(shape: nodes[0].layout.shape)
    var values: [(node: Node, value: Int)] = []
    for node in nodes {
      if !node.isPlain {
        _ = node.materialize()
        continue
      }
      guard case .pending(.elementwise(let operation, let operands)) = node.content else {
        continue
      }
      values.append((node, evaluation.add(node, operation, operands)))
    }
    var results: [Evaluation.Stored] = []
    for (node, value) in values {
      let target = targets[ObjectIdentifier(node)].flatMap { target in
        let isReadElsewhere = evaluation.program.inputs.contains {
          $0.storage === target && !$0.layout.isSame(as: node.layout)
        }
        return isReadElsewhere ? nil : target
      }
      guard let storage = target ?? (try? Storage.room(node.layout, node.dtype, "")) else {
        _ = node.lose()
        continue
      }
      results.append(
        Evaluation.Stored(node: node, value: value, storage: storage, isReused: target != nil))
    }
    if evaluation.program.readsMissing {
      for result in results { _ = result.node.loseQuietly() }
      return
    }
    evaluation.run(results)
    for result in results { result.node.store(result.storage) }
  }
}

extension Tensor {
  /// Evaluates several tensors of one shape and order of memory in one trip over what they share;
  /// others one by one.
  ///
  /// - Parameter spent: for some of the tensors one of the same layout that nobody reads any more
  ///   after this; its memory then takes the result, element by element, and is not fetched twice.
  package static func evaluate(together tensors: [Tensor], reusing spent: [Tensor?] = []) {
    let first = tensors[0].node
    let nodes = tensors.map(\.node).filter(\.isPendingElementwise)
    let isOneProgram = nodes.allSatisfy { $0.layout.isSame(as: first.layout) }
    if nodes.count > 1 && isOneProgram && first.layout.count > 0 {
      var targets: [ObjectIdentifier: Storage] = [:]
      for (tensor, old) in zip(tensors, spent) {
        guard let old, old.dtype == tensor.dtype, old.node.layout.isSame(as: tensor.node.layout),
          case .stored(let storage) = old.node.content,
          storage.byteCount == tensor.node.layout.count * tensor.dtype.byteCount
        else { continue }
        targets[ObjectIdentifier(tensor.node)] = storage
      }
      Node.materialize(together: nodes, into: targets)
    } else {
      for tensor in tensors { tensor.evaluated() }
    }
  }

  /// Whether the values are yet to be computed.
  package var isPending: Bool { node.isPending }

  /// Whether both stand on one piece of work or memory.
  package func shares(with other: Tensor) -> Bool { node === other.node }

  /// Evaluates several tensors; small ones of one shape as one program.
  package static func evaluate(_ tensors: [Tensor]) {
    let first = tensors[0].node
    let isOneProgram = tensors.allSatisfy {
      $0.node.isPendingElementwise && $0.node.layout.shape == first.layout.shape
    }
    if isOneProgram && first.layout.count > 0 && first.layout.count <= Evaluation.fewElements {
      Node.materialize(together: tensors.map(\.node))
    } else {
      for tensor in tensors { tensor.evaluated() }
    }
  }
}

/// One evaluation: the program of a result, built from pending nodes, and what it waits for.
struct Evaluation {
  private(set) var program: Program
  /// The tensors whose values are in the program, the latest last. Few enough to be searched, and
  /// held so that no other object takes the place of one in memory.
  private var known: [Known] = []

  private struct Known {
    let node: Node
    let layout: Layout
    let value: Int
  }
  /// The reductions that run slice by slice with this program, instead of before it.
  private var slices: SlicedReductions?
  /// The reduction whose results go through this program strip by strip, without being stored.
  private var finished: FinishedReduction?

  /// The operands of the instruction that is being emitted.
  private var siblings: [Tensor] = []

  /// Small tensors that one instruction waits for are made by one program, up to this size.
  static let fewElements = 4096

  /// Only a program that stores its result can run slice by slice; not one that is reduced.
  private let maySlice: Bool

  init(shape: [Int], maySlice: Bool = false) {
    program = Program(shape: shape)
    known.reserveCapacity(16)
    self.maySlice = maySlice
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
  private mutating func apply(
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
    // Most pending values are met once: only those that ran before may be known.
    let mayBeKnown = tensor.layout !== tensor.node.layout || tensor.node.mayHaveRun
    if mayBeKnown, let value = knownValue(tensor.node, tensor.layout) { return value }
    let value = makeValue(of: tensor)
    known.append(Known(node: tensor.node, layout: tensor.layout, value: value))
    return value
  }

  private func knownValue(_ node: Node, _ layout: Layout) -> Int? {
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
      if tensor.layout === node.layout, program.widths.count < Program.valueLimit, node.stream() {
        return emit(operation, operands)
      }
      if let value = sliced(tensor, operation, operands) { return value }
    }
    if case .reduction(let group, let result) = work, tensor.layout === node.layout, maySlice,
      finished == nil, slices == nil, let new = FinishedReduction(group, result)
    {
      finished = new
      return program.localInput(new.number, tensor.layout, tensor.dtype)
    }
    return read(tensor)
  }

  /// The value of a pending node that is a result of the program.
  fileprivate mutating func add(_ node: Node, _ operation: Operation, _ operands: [Tensor]) -> Int {
    let value = emit(operation, operands)
    _ = node.stream()
    known.append(Known(node: node, layout: node.layout, value: value))
    return value
  }

  private mutating func read(_ tensor: Tensor) -> Int {
    materializeSiblings(of: tensor)
    return program.input(tensor.node.materialize(), tensor.layout, tensor.dtype)
  }

  /// Small operands that are stretched over the program's shape, such as the mean, scale and shift
  /// of a normalization, are waited for together.
  private func materializeSiblings(of tensor: Tensor) {
    let shape = tensor.node.layout.shape
    guard slices == nil, tensor.layout !== tensor.node.layout, tensor.node.isPendingElementwise,
      tensor.node.layout.count > 0, tensor.node.layout.count <= Evaluation.fewElements
    else { return }
    // Those that wait for a reduction may yet run slice by slice with it.
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

  /// The program for a reduction: just the source.
  static func source(_ tensor: Tensor) -> (Evaluation, value: Int) {
    var evaluation = Evaluation(shape: tensor.shape)
    let value = evaluation.value(of: tensor)
    return (evaluation, value)
  }

  /// A result of the program's shape, and where it goes.
  fileprivate struct Stored {
    let node: Node
    let value: Int
    let storage: Storage
    /// Whether the program may read what was there before.
    let isReused: Bool
  }

  /// Stores several results of the program's shape.
  fileprivate func run(_ results: [Stored]) {
    guard let first = results.first?.node.layout else { return }
    var program = program
    let outputs = results.map { result in
      CompiledProgram.Output(
        value: program.stored(result.value, as: result.node.dtype), storage: result.storage,
        layout: result.node.layout, width: result.node.dtype.byteCount, isReused: result.isReused)
    }
    CompiledProgram(program, by: .elementwise(first), outputs: outputs) {
      Space.elementwise(
        first.shape, order: Layout.order(first.shape, first.strides),
        layouts: program.inputs.map(\.layout) + outputs.map(\.layout))
    }?.run()
  }

  func run(_ value: Int, _ dtype: DType, into storage: Storage, _ layout: Layout) {
    var program = program
    let output = CompiledProgram.Output(
      value: program.stored(value, as: dtype), storage: storage, layout: layout,
      width: dtype.byteCount)
    if let finished {
      finished.run(before: program, output)
      return
    }
    guard let slices else {
      CompiledProgram(program, by: .elementwise(layout), outputs: [output]) {
        Space.elementwise(
          layout.shape, order: Layout.order(layout.shape, layout.strides),
          layouts: program.inputs.map(\.layout) + [layout])
      }?.run()
      return
    }
    slices.run(before: program, output)
  }
}

// MARK: - Slices

extension Evaluation {
  /// Takes a small tensor that is stretched over the program's shape into the program itself, if
  /// all that it waits for are reductions that can run slice by slice just before.
  private mutating func sliced(
    _ tensor: Tensor, _ operation: Operation, _ operands: [Tensor]
  ) -> Int? {
    guard maySlice, finished == nil, tensor.layout.count > 4 * tensor.node.layout.count,
      tensor.layout.isStretch(of: tensor.node.layout),
      let group = SlicedReductions.group(below: tensor.node), group.cost <= 8,
      slices.map({ $0.group === group }) ?? true
    else { return nil }
    if slices == nil {
      guard let new = SlicedReductions(group, for: program.shape) else { return nil }
      slices = new
    }
    return inline(tensor.node, stretchedBy: tensor.layout)
  }

  /// The value of a small node whose elements are seen through `stretch`.
  private mutating func inline(_ node: Node, stretchedBy stretch: Layout) -> Int {
    if let value = knownValue(node, node.layout) { return value }
    let value = makeInline(node, stretchedBy: stretch)
    known.append(Known(node: node, layout: node.layout, value: value))
    return value
  }

  private mutating func makeInline(_ node: Node, stretchedBy stretch: Layout) -> Int {
    switch node.content {
    case .pending(.elementwise(let operation, let operands)):
      var values = Operands()
      for operand in operands {
        if operand.layout === operand.node.layout {
          values.append(inline(operand.node, stretchedBy: stretch))
        } else {
          let layout = operand.layout.stretched(like: stretch)
          values.append(program.input(operand.node.materialize(), layout, operand.dtype))
        }
      }
      return apply(operation, values, operands)
    case .pending(.reduction(_, let result)):
      let storage = slices?.storage(result) ?? node.materialize()
      return program.input(storage, node.layout.stretched(like: stretch), node.dtype)
    case .stored(let storage):
      return program.input(storage, node.layout.stretched(like: stretch), node.dtype)
    }
  }
}

extension Layout {
  /// Whether this layout repeats a smaller one along new axes in front and axes of size 1, and
  /// does nothing else: no view of it, whose axes would mean something different.
  func isStretch(of small: Layout) -> Bool {
    let shift = shape.count - small.shape.count
    guard shift >= 0, offset == small.offset else { return false }
    return shape.indices.allSatisfy { axis in
      let own = axis < shift ? 1 : small.shape[axis - shift]
      if own == 1 { return strides[axis] == 0 || shape[axis] == 1 }
      return own == shape[axis] && strides[axis] == small.strides[axis - shift]
    }
  }

  /// This small layout over the shape of `stretch`, which repeats a small one along new axes.
  func stretched(like stretch: Layout) -> Layout {
    let shift = stretch.shape.count - shape.count
    let strides = stretch.shape.indices.map { axis in
      axis < shift || shape[axis - shift] == 1 ? 0 : self.strides[axis - shift]
    }
    return Layout(shape: stretch.shape, strides: strides, offset: offset)
  }
}
