import CNormaLoops

/// A reduction with a large result that only one program needs: each strip of results goes through
/// the program while it is in cache, and is not stored.
struct FinishedReduction {
  let group: ReductionGroup
  private let result: ReductionGroup.Result

  /// - Returns: nil if results are few, or if other reductions share the same pass.
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

  /// The index of the result among those that stay in the thread's scratch memory: sums are first,
  /// then squares.
  var index: Int { result == .squares ? 1 : 0 }

  /// Runs the reduction, strip by strip, with the program of its results. False if memory ran out.
  func run(before program: Program, _ output: CompiledProgram.Output) -> Bool {
    let (evaluation, value) = Evaluation.source(group.source)
    if evaluation.program.readsMissing { return false }
    let isKept = { (axis: Int) in !group.axes.contains(axis) }
    let layouts = program.inputs.map(\.layout) + [output.layout]
    if let space = Space.reduction(
      of: group.source.layout, layouts: evaluation.program.inputs.map(\.layout), isKept: isKept),
      let finishing = space.finishing(program.shape, layouts: layouts)
    {
      let sink = CompiledProgram.Sink(
        value: value, type: BlockType(group.source.dtype), kind: result.kind)
      let first = CompiledProgram(evaluation.program, over: space, sinks: [sink])
      let second = CompiledProgram(program, over: finishing, outputs: [output])
      return first.run(by: .strips, before: second)
    }
    // An operand cannot be divided into strips: store the results instead.
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
  /// The same program, reading the results of the reduction from memory.
  func replacingLocals(by storage: Storage) -> Program {
    var program = self
    for index in inputs.indices where inputs[index].local != nil {
      (program.inputs[index].storage, program.inputs[index].local) = (storage, nil)
    }
    return program
  }
}

extension Space {
  /// Consecutive tiles that are reduced to one output or strip of outputs.
  var tilesPerOutput: Int {
    let reduced = outer.filter { !$0.isKept }.reduce(1) { $0 * $1.size }
    return reduced * ((rows.size + tileRows - 1) / tileRows)
  }
}
