import NormaTensor

extension OperatorTable {
  /// Operators that run graphs in their attributes.
  static var control: Entries {
    [
      "If": { node in
        guard let yes = try node.graph("then_branch"), let no = try node.graph("else_branch") else {
          throw Unsupported("If without branches")
        }
        return { operands in
          guard let condition = operands.integers(0)?.first else {
            throw operands.failure("has no condition")
          }
          return try (condition != 0 ? yes : no).run([], operands)
        }
      },
      "Loop": { node in
        guard let body = try node.graph("body") else { throw Unsupported("Loop without a body") }
        let carried = max(node.inputCount - 2, 0)
        guard body.plan.outputs.count > carried, body.plan.inputs.count == carried + 2 else {
          throw Unsupported("Loop whose body has another number of values")
        }
        return { operands in
          let most = operands.integers(0)?.first ?? Int.max
          var goes = operands.integers(1)?.first ?? 1
          var state = try (0..<carried).map { try operands.value(2 + $0) }
          var lists = [[Tensor]](
            repeating: [], count: body.plan.outputs.count - 1 - carried)
          var step = 0
          while step < most && goes != 0 {
            let index = Value.host(HostIntegers([step], shape: []))
            let condition = Value.host(HostIntegers([goes], shape: [], dtype: .bool))
            let results = try body.run([index, condition] + state, operands)
            goes = results[0].integers.first ?? 0
            state = Array(results[1..<1 + carried])
            for (list, value) in results[(1 + carried)...].enumerated() {
              lists[list].append(value.tensor)
            }
            step += 1
          }
          return state
            + lists.map { list in
              .tensor(
                list.isEmpty ? Tensor.zeros([0]) : Tensor.stacked(list, over: 0))
            }
        }
      },
      "Scan": scan,
    ]
  }

  /// Slices of the inputs one after the other, with state; the newer form from version 9 on.
  private static func scan(_ node: NodeContext) throws -> GraphPlan.Run {
    guard let body = try node.graph("body"), let scanned = try node.int("num_scan_inputs") else {
      throw Unsupported("Scan without a body")
    }
    try node.require(node.opset >= 9, "a batch axis, before version 9")
    let carried = node.inputCount - scanned
    let made = node.outputCount - carried
    guard carried >= 0, made >= 0, scanned > 0, body.plan.outputs.count >= carried + made,
      body.plan.inputs.count == carried + scanned
    else { throw Unsupported("Scan whose body has another number of values") }
    let zeros = { [Int](repeating: 0, count: $0) }
    let inputAxes = try node.ints("scan_input_axes") ?? zeros(scanned)
    let inputDirections = try node.ints("scan_input_directions") ?? zeros(scanned)
    let outputAxes = try node.ints("scan_output_axes") ?? zeros(max(made, 0))
    let outputDirections = try node.ints("scan_output_directions") ?? zeros(max(made, 0))
    guard inputAxes.count == scanned, inputDirections.count == scanned, outputAxes.count >= made,
      outputDirections.count >= made
    else { throw Unsupported("Scan with lists of another length") }
    return { operands in
      var state = try (0..<carried).map { try operands.value($0) }
      let sources = try (0..<scanned).map { try operands.tensor(carried + $0) }
      let axes = try zip(sources, inputAxes).map { try $0.axis($1, operands) }
      guard let length = zip(sources, axes).map({ $0.shape[$1] }).first else {
        throw operands.failure("has nothing to scan")
      }
      var lists = [[Tensor]](repeating: [], count: max(made, 0))
      for step in 0..<length {
        let slices = sources.indices.map { index -> Value in
          let at = inputDirections[index] == 1 ? length - 1 - step : step
          return .tensor(sources[index].selected(over: axes[index], at: at))
        }
        let results = try body.run(state + slices, operands)
        state = Array(results[..<carried])
        for (list, value) in results[carried...].enumerated() where list < lists.count {
          lists[list].append(value.tensor)
        }
      }
      return state
        + lists.enumerated().map { index, list in
          if list.isEmpty { return .tensor(Tensor.zeros([0])) }
          let ordered = outputDirections[index] == 1 ? list.reversed() : list
          let axis = outputAxes[index]
          return .tensor(Tensor.stacked(ordered, over: axis))
        }
    }
  }
}
