import CNormaLoops

/// A reduction that only one program waits for, with about as many results as would fill memory
/// again: each strip of results goes through the program while it is in cache, and is not stored.
struct FinishedReduction {
  let group: ReductionGroup
  private let result: ReductionGroup.Result

  /// - Returns: nil where results are few, or somebody else waits for the same trip.
  init?(_ group: ReductionGroup, _ result: ReductionGroup.Result) {
    let source = group.source
    guard group.layout.count >= Limits.fewestInStrips, source.count > 0,
      result.isOfSource, group.pendingNodes().map(\.0) == [result]
    else { return nil }
    let space = Space.reduction(
      of: source.layout, layouts: [source.layout], isKept: { !group.axes.contains($0) })
    // One chunk: the strip is complete when its tiles have run.
    guard let space, space.columnsKept, space.tilesPerOutput <= CompiledProgram.chunk else {
      return nil
    }
    self.group = group
    self.result = result
  }

  /// Which of the results that stay with a thread: sums come first, squares beside them.
  var number: Int { result == .squares ? 1 : 0 }

  private var sink: (Int) -> CompiledProgram.Sink {
    let kind = result.kind
    let type = BlockType(group.source.dtype)
    return { CompiledProgram.Sink(value: $0, type: type, kind: kind, result: nil, squares: nil) }
  }

  /// Runs the reduction, strip by strip, with the program of its results.
  /// False where memory was missing.
  func run(before program: Program, _ output: CompiledProgram.Output) -> Bool {
    let (evaluation, value) = Evaluation.source(group.source)
    if evaluation.program.readsMissing { return false }
    let isKept = { (axis: Int) in !group.axes.contains(axis) }
    let layouts = program.inputs.map(\.layout) + [output.layout]
    if let space = Space.reduction(
      of: group.source.layout, layouts: evaluation.program.inputs.map(\.layout), isKept: isKept),
      let finishing = space.finishing(program.shape, layouts: layouts)
    {
      let first = CompiledProgram(evaluation.program, over: space, sinks: [sink(value)])
      let second = CompiledProgram(program, over: finishing, outputs: [output])
      return first.run(by: .strips, before: second)
    }
    // Some operand cannot be cut into strips: store the results after all.
    let stored = group.tensor(result)
    let storage = stored.node.materialize()
    if storage.isMissing { return false }
    let space = Space.elementwise(
      output.layout.shape, order: Layout.order(output.layout.shape, output.layout.strides),
      layouts: layouts)
    let compiled = CompiledProgram(
      program.replacingLocals(by: storage), over: space, outputs: [output])
    return compiled.run()
  }
}

extension Program {
  /// The same program with the results of a reduction in memory.
  func replacingLocals(by storage: Storage) -> Program {
    var program = self
    program.inputs = inputs.map { input in
      input.local == nil
        ? input
        : Input(storage: storage, layout: input.layout, dtype: input.dtype, value: input.value)
    }
    return program
  }
}

extension Space {
  /// Tiles in sequence that are reduced to one output or strip of outputs.
  var tilesPerOutput: Int {
    let reduced = outer.filter { !$0.isKept }.reduce(1) { $0 * $1.size }
    return reduced * ((rows.size + tileRows - 1) / tileRows)
  }
}
