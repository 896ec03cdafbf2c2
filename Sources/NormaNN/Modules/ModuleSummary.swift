import NormaTensor

/// The calls of a network's layers for an input, with shapes and costs.
public struct ModuleSummary: Sendable, CustomStringConvertible {
  /// One call of a layer.
  public struct Row: Sendable, Hashable {
    /// The layer's name: `blocks.0.conv1`.
    public let name: String
    /// Its class.
    public let kind: String
    /// The shape of its result.
    public let output: [Int]
    /// The number of elements of its own parameters.
    public let parameters: Int
    /// The number of multiply-adds.
    public let multiplyAdds: Int
  }

  /// The calls in order.
  public let rows: [Row]
  /// The number of elements of all parameters, each counted once.
  public let parameters: Int
  /// The number of those that are not frozen.
  public let trainable: Int

  /// The sum over all calls.
  public var multiplyAdds: Int { rows.reduce(0) { $0 + $1.multiplyAdds } }

  /// A table with one line for each call, and totals.
  public var description: String {
    let header = ["layer", "class", "output", "parameters", "multiply-adds"]
    let body = rows.map { row in
      [
        row.name, row.kind, "\(row.output)", row.parameters == 0 ? "" : "\(row.parameters)",
        row.multiplyAdds == 0 ? "" : "\(row.multiplyAdds)",
      ]
    }
    let sums = ["", "", "", "\(parameters)", "\(multiplyAdds)"]
    let lines = aligned([header] + body + [sums], leftColumns: 3)
    let rule = String(repeating: "─", count: lines[0].count)
    let end = trainable == parameters ? [] : ["\(parameters - trainable) parameters are frozen"]
    return ([lines[0], rule] + lines[1..<lines.count - 1] + [rule, lines[lines.count - 1]] + end)
      .joined(separator: "\n")
  }
}

/// The rows of a table as lines; the first `leftColumns` columns are aligned left, the others
/// right.
func aligned(_ rows: [[String]], leftColumns: Int) -> [String] {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { column, cell in
      let room = String(repeating: " ", count: widths[column] - cell.count)
      return column < leftColumns ? cell + room : room + cell
    }.joined(separator: "  ")
  }
}

/// The calls of a summary in progress, for the task that makes it.
final class CallRecorder: @unchecked Sendable {  // Used by the task that made it alone.
  @TaskLocal static var current: CallRecorder?
  var calls: [(module: Module, output: [Int])] = []
  /// The calls with their operand and result, if someone wants them.
  var seen: [ModuleCall]?
}

extension Tensor {
  /// Returns the same tensor. If it is an error of the call at this line with `x`, the error is
  /// attributed to the module, with its name in the network if known.
  func attributed(
    to module: Module, of x: Tensor, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    CallRecorder.current?.seen?.append(ModuleCall(module: module, input: x, output: self))
    if isPoisoned, !x.isPoisoned, let name = module.knownName {
      TensorError.name(layer: "\(name) (\(type(of: module)))", file: file, line: line)
    }
    return self
  }

  /// Returns the same tensor, attributed and observed.
  func observed(
    by module: Module, of x: Tensor, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    attributed(to: module, of: x, file, line).observed(by: module)
  }

  /// Returns the same tensor after reporting it, as a result of `module`, to the summary in
  /// progress and to the module's observers.
  func observed(by module: Module) -> Tensor {
    CallRecorder.current?.calls.append((module, shape))
    return module.watchers.reduce(self) { $1.look(at: $0) }
  }
}

extension Module {
  /// A table of layers, output shapes, parameters and multiply-adds for one call.
  ///
  /// `body` calls the module, in evaluation mode and without gradients; modes, running statistics
  /// and generators are restored afterwards. Only Norma's own layers are listed. PyTorch has no
  /// counterpart; `torchinfo` is a package for it.
  public func summary(_ body: () throws -> Void) rethrows -> ModuleSummary {
    let modules = namedModules
    let modes = modules.map { ($0.module, $0.module.isTraining) }
    eval()
    defer { for (module, isTraining) in modes { module.setOwnMode(isTraining) } }
    let recorder = CallRecorder()
    try CallRecorder.$current.withValue(recorder) {
      try withSeed(0) { try withoutGradients { try body() } }
    }
    let names = Dictionary(
      modules.map { (ObjectIdentifier($0.module), $0.name) }
    ) { first, _ in first }
    let rows = recorder.calls.map { module, output in
      ModuleSummary.Row(
        name: names[ObjectIdentifier(module)] ?? "?", kind: "\(type(of: module))", output: output,
        parameters: module.ownParameters.reduce(0) { $0 + $1.value.count },
        multiplyAdds: module.multiplyAdds(for: output))
    }
    return ModuleSummary(
      rows: rows, parameters: parameterCount,
      trainable: parameters.reduce(0) { $0 + ($1.isFrozen ? 0 : $1.value.count) })
  }

  /// The parameters of the module itself, without those of submodules.
  var ownParameters: [Parameter] {
    ownCells.compactMap { cell in
      if case .parameter(let parameter) = cell.value { return parameter }
      return nil
    }
  }
}

extension Module {
  /// For networks that are not a ``Layer``: the compiler explains how to make them one.
  @available(
    *, unavailable,
    message: "declare the network as `: Module, Layer`; callAsFunction(_ x: Tensor) is all it takes"
  )
  public func summary(inputShape: [Int], dtype: DType = .float32) -> ModuleSummary {
    summary {}
  }
}

extension Layer {
  /// The table for an input of zeros with this shape.
  public func summary(inputShape: [Int], dtype: DType = .float32) -> ModuleSummary {
    summary { _ = self(.zeros(inputShape, dtype: dtype), file: #fileID, line: #line) }
  }
}
