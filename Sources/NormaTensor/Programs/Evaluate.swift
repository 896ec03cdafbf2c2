extension Node {
  /// The node's elements; runs its work first if they are not stored yet.
  func materialize() -> Storage {
    if let storage { return storage }
    switch content {
    case .stored(let storage): return storage
    case .pending(.elementwise(let operation, let operands)):
      return filled { layout.count == 0 || run(operation, operands, into: $0) }
    case .pending(.reduction(let group, let result)):
      group.run()
      // Another thread, or the run of a sibling, may have stored it already.
      guard let storage else { fatalError("a reduction left no \(result)") }
      return storage
    case .pending(.convolution(let convolution)):
      return filled { convolution.run(into: $0) }
    }
  }

  @inline(__always)
  private func filled(by work: (Storage) -> Bool) -> Storage {
    guard let storage = try? Storage.room(layout, dtype, "") else { return lose() }
    guard work(storage) else { return loseQuietly() }
    correction?(storage)
    store(storage)
    return storage
  }

  /// Runs an instruction and the pending operands that it needs. False if memory ran out.
  private func run(_ operation: Operation, _ operands: [Tensor], into storage: Storage) -> Bool {
    Trace.run(operation, operands, of: layout, into: storage) { trace in
      var evaluation = Evaluation(of: layout, dtype, into: storage)
      let value = evaluation.emit(operation, operands)
      return !evaluation.program.readsMissing
        && evaluation.run(value, dtype, into: storage, layout, for: trace)
    }
  }

  /// Runs the pending elementwise work of nodes with the same shape as one program with several
  /// results.
  ///
  /// - Parameter targets: memory for some of the results, which the program may read while it
  ///   writes; used if each element is read only for the result that overwrites it.
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
    guard !evaluation.program.readsMissing, evaluation.run(results) else {
      for result in results { _ = result.node.loseQuietly() }
      return
    }
    for result in results { result.node.store(result.storage) }
  }
}

extension Tensor {
  /// Evaluates several tensors of the same shape and memory order in one pass over shared operands;
  /// others one by one.
  ///
  /// - Parameter spent: for some of the tensors, a tensor of the same layout that is not read
  ///   afterwards; its memory is then reused for the result, element by element.
  package static func evaluate(together tensors: [Tensor], reusing spent: [Tensor?] = []) {
    let first = tensors[0].node
    let nodes = tensors.map(\.node).filter(\.isPendingElementwise)
    let isOneProgram = nodes.allSatisfy { $0.layout.isSame(as: first.layout) }
    if nodes.count > 1 && isOneProgram && first.layout.count > 0 {
      var targets: [ObjectIdentifier: Storage] = [:]
      for (tensor, old) in zip(tensors, spent) {
        guard let old, old.dtype == tensor.dtype, old.node.layout.isSame(as: tensor.node.layout),
          let storage = old.node.storage,
          storage.byteCount == tensor.node.layout.count * tensor.dtype.byteCount
        else { continue }
        storage.forgetPacked()
        targets[ObjectIdentifier(tensor.node)] = storage
      }
      Node.materialize(together: nodes, into: targets)
    } else {
      for tensor in tensors { tensor.evaluated() }
    }
  }

  /// Whether the values are not computed yet.
  package var isPending: Bool { node.isPending }

  /// Whether both share the same pending work or memory.
  package func shares(with other: Tensor) -> Bool { node === other.node }

  /// Evaluates several tensors; small ones of one shape as one program.
  package static func evaluate(_ tensors: [Tensor]) {
    let first = tensors[0].node
    let isOneProgram = tensors.allSatisfy {
      $0.node.isPendingElementwise && $0.node.layout.shape == first.layout.shape
    }
    if isOneProgram && first.layout.count > 0 && first.layout.count <= Limits.smallSiblings {
      Node.materialize(together: tensors.map(\.node))
    } else {
      for tensor in tensors { tensor.evaluated() }
    }
  }
}
