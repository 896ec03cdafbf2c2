import NormaNN
import NormaTensor

/// Adds the nodes of a recurrent layer: one for each of its layers, both directions together.
///
/// ONNX has no projection. As R h = (R P) o for the projected state h = P o, a layer with one is a
/// layer of the states o with the weights R P, whose results are projected afterwards. Its initial
/// state is P⁺ h with the pseudoinverse P⁺, since P P⁺ is 1.
struct RecurrentExport {
  typealias Operand = ExportedGraph.Operand

  private let builder: ExportBuilder
  private let layer: RecurrentLayer
  private let call: ModuleCall
  private let name: String
  private var both: Int { layer.isBidirectional ? 2 : 1 }

  init(_ builder: ExportBuilder, _ layer: RecurrentLayer, _ call: ModuleCall) {
    (self.builder, self.layer, self.call) = (builder, layer, call)
    name = builder.name(of: layer)
  }

  /// The operator of the layer, and the positions of ONNX's gates in PyTorch's order.
  private var kind: (op: String, gates: [Int], activation: String?) {
    switch layer {
    case is LSTM: ("LSTM", [0, 3, 1, 2], nil)
    case is GRU: ("GRU", [1, 0, 2], nil)
    default: ("RNN", [0], (layer as? RNN)?.isRelu ?? false ? "Relu" : "Tanh")
    }
  }

  /// Adds the nodes, notes the last states, and returns the output.
  func add() -> Operand {
    let isSingle = call.input.rank == 2
    let sequence =
      isSingle
      ? call.input.unsqueezed(1) : layer.batchFirst ? call.input.permuted(1, 0, 2) : call.input
    let outputs = layer.projSize > 0 ? layer.projSize : layer.hiddenSize
    let states = call.states.map { isSingle ? $0.unsqueezed(1) : $0 }
    var value = builder.operand(sequence)
    var last: [[Operand]] = [[], []]
    for index in 0..<layer.numLayers {
      let results = node(index, value, states)
      for (position, state) in results.dropFirst().enumerated() { last[position].append(state) }
      // [T, directions, N, H] to [T, N, directions H].
      let moved = builder.add("Transpose", [results[0]], [("perm", .ints([0, 2, 1, 3]))])
      value = builder.add(
        "Reshape", [moved, .sizes([sequence.shape[0], sequence.shape[1], both * outputs])])
    }
    for (tensor, parts) in zip(call.lastStates, last) where !parts.isEmpty {
      let whole = parts.count == 1 ? parts[0] : builder.add("Concat", parts, [("axis", .int(0))])
      builder.keep(isSingle ? tensor.unsqueezed(1) : tensor, whole)
    }
    if isSingle { return builder.add("Reshape", [value, .sizes(call.output.shape)]) }
    return layer.batchFirst
      ? builder.add("Transpose", [value], [("perm", .ints([1, 0, 2]))]) : value
  }

  /// The results of one layer: all outputs, and the last states.
  private func node(_ index: Int, _ value: Operand, _ states: [Tensor]) -> [Operand] {
    let (op, gates, activation) = kind
    let directions = layer.directions[index * both..<(index + 1) * both]
    func ordered(_ weight: Tensor) -> Tensor {
      let parts = weight.split(every: weight.shape[0] / gates.count)
      return Tensor.concatenated(gates.map { parts[$0] }, over: 0)
    }
    func stacked(_ suffix: String, _ part: (RecurrentParameters) -> Tensor?) -> Operand {
      let parts = withoutGradients { directions.compactMap(part) }
      if parts.isEmpty { return .value("") }
      let tensor = Tensor.stacked(parts.map { $0.detached() }, over: 0).evaluated()
      return builder.constant(tensor, named: "\(name).\(suffix)_l\(index)")
    }
    var inputs = [
      value, stacked("W") { ordered($0.weightIH.value) },
      stacked("R") { parameters in
        guard let projection = parameters.weightHR?.value else {
          return ordered(parameters.weightHH.value)
        }
        return ordered(product(parameters.weightHH.value, projection))
      },
      stacked("B") { parameters in
        guard let own = parameters.biasIH, let other = parameters.biasHH else { return nil }
        return Tensor.concatenated([ordered(own.value), ordered(other.value)], over: 0)
      },
    ]
    if !states.isEmpty {
      inputs.append(.value(""))
      for (position, state) in states.enumerated() {
        var part = builder.operand(state.narrowed(over: 0, from: index * both, count: both))
        if position == 0, layer.projSize > 0 {
          part = builder.add("MatMul", [part, stacked("P+") { inverse($0.weightHR?.value) }])
        }
        inputs.append(part)
      }
    }
    var attributes: [(name: String, value: ExportedGraph.Attribute)] = [
      ("hidden_size", .int(layer.hiddenSize)),
      ("direction", .string(both == 2 ? "bidirectional" : "forward")),
    ]
    if op == "GRU" { attributes.append(("linear_before_reset", .int(1))) }
    if let activation {
      attributes.append(("activations", .strings([String](repeating: activation, count: both))))
    }
    var results = builder.add(op, inputs, results: op == "LSTM" ? 3 : 2, attributes)
    if layer.projSize > 0 {
      let projection = stacked("P") { $0.weightHR?.value.transposed() }
      for position in 0..<2 {
        results[position] = builder.add("MatMul", [results[position], projection])
      }
    }
    return results
  }

  private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.cast(to: .float64).matmul(b.cast(to: .float64)).cast(to: a.dtype)
  }

  /// The transposed pseudoinverse (P Pᵀ)⁻¹ P of a projection `[outputs, hidden]`, by Gauss'
  /// elimination with pivots; its rows are linearly independent.
  private func inverse(_ projection: Tensor?) -> Tensor? {
    guard let projection else { return nil }
    let (n, width) = (projection.shape[0], projection.shape[1])
    let p = projection.cast(to: .float64)
    var rows = Tensor.concatenated([p.matmul(p.transposed()), p], over: 1)
      .array(of: Double.self).chunked(n + width)
    for column in 0..<n {
      let pivot = (column..<n).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, pivot)
      let head = rows[column][column]
      guard head != 0, head.isFinite else {
        builder.report("initial states of \(name), whose projection has dependent rows")
        return projection
      }
      rows[column] = rows[column].map { $0 / head }
      for row in 0..<n where row != column {
        let factor = rows[row][column]
        rows[row] = zip(rows[row], rows[column]).map { $0 - factor * $1 }
      }
    }
    return Tensor(rows.map { Array($0.dropFirst(n)) }).cast(to: projection.dtype)
  }
}

extension [Double] {
  fileprivate func chunked(_ length: Int) -> [[Double]] {
    stride(from: 0, to: count, by: length).map { Array(self[$0..<Swift.min($0 + length, count)]) }
  }
}
