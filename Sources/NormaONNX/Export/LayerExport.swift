import NormaNN
import NormaTensor

/// Adds the nodes of a layer that ONNX has an operator for, in place of the operations inside.
struct LayerExport {
  typealias Operand = ExportedGraph.Operand

  private let builder: ExportBuilder
  private let module: Module
  private let input: Tensor
  private let output: Tensor

  init(_ builder: ExportBuilder, _ module: Module, _ input: Tensor, _ output: Tensor) {
    (self.builder, self.module, self.input, self.output) = (builder, module, input, output)
  }

  /// Whether a layer has an operator.
  static func exists(for module: Module) -> Bool {
    switch module {
    case let norm as BatchNorm: norm.runningMean != nil && !norm.usesBatchStatistics
    case let layer as RecurrentLayer: layer.projSize == 0
    case let pool as AvgPool: pool.divisorOverride == nil
    case let linear as Linear: linear.weight.value.rank == 2
    default: false
    }
  }

  func add() {
    let value: Operand? =
      switch module {
      case let norm as BatchNorm: batchNorm(norm)
      case let linear as Linear: self.linear(linear)
      case let pool as AvgPool: averagePool(pool)
      case let layer as RecurrentLayer: recurrent(layer)
      default: nil
      }
    if let value { builder.keep(output, value) }
  }

  private func batchNorm(_ norm: BatchNorm) -> Operand? {
    guard let mean = norm.runningMean, let variance = norm.runningVar else { return nil }
    let type = mean.value.dtype
    let weight = norm.weight?.value ?? Tensor.ones([norm.features], dtype: type)
    let bias = norm.bias?.value ?? Tensor.zeros([norm.features], dtype: type)
    let state = [weight, bias, mean.value, variance.value].map { builder.operand($0) }
    return builder.add(
      "BatchNormalization", [builder.operand(input)] + state,
      [("epsilon", .float(norm.eps)), ("momentum", .float(1 - (norm.momentum.share ?? 0.1)))])
  }

  private func linear(_ linear: Linear) -> Operand {
    let x = builder.operand(input)
    let bias = linear.bias.map { builder.operand($0.value) }
    if input.rank == 2 {
      return builder.add(
        "Gemm", [x, builder.operand(linear.weight.value)] + (bias.map { [$0] } ?? []),
        [("transB", .int(1))])
    }
    let product = builder.add("MatMul", [x, builder.operand(linear.weight.value.transposed())])
    return bias.map { builder.add("Add", [product, $0]) } ?? product
  }

  private func averagePool(_ pool: AvgPool) -> Operand {
    let space = pool.spatialAxes
    func each(_ extents: Extents) -> [Int] {
      extents.values.count == 1
        ? [Int](repeating: extents.values[0], count: space) : extents.values
    }
    return builder.add(
      "AveragePool", [builder.operand(input)],
      [
        ("kernel_shape", .ints(each(pool.kernelSize))),
        ("strides", .ints(each(pool.stride ?? pool.kernelSize))),
        ("pads", .ints(each(pool.padding) + each(pool.padding))),
        ("ceil_mode", .int(pool.ceilMode ? 1 : 0)),
        ("count_include_pad", .int(pool.countIncludePad ? 1 : 0)),
      ])
  }

  // MARK: Recurrent layers

  /// The operator of a recurrent layer, and the positions of ONNX's gates in PyTorch's order.
  private func kind(_ layer: RecurrentLayer) -> (op: String, gates: [Int], activation: String?) {
    switch layer {
    case is LSTM: ("LSTM", [0, 3, 1, 2], nil)
    case is GRU: ("GRU", [1, 0, 2], nil)
    default: ("RNN", [0], (layer as? RNN)?.isRelu ?? false ? "Relu" : "Tanh")
    }
  }

  /// One node for each layer, both directions together; states begin with zeros.
  private func recurrent(_ layer: RecurrentLayer) -> Operand {
    let (op, gates, activation) = kind(layer)
    let both = layer.isBidirectional ? 2 : 1
    let isSingle = input.rank == 2
    let sequence =
      isSingle ? input.unsqueezed(1) : layer.batchFirst ? input.permuted(1, 0, 2) : input
    var value = builder.operand(sequence)
    let (steps, batch) = (sequence.shape[0], sequence.shape[1])
    let name = builder.name(of: layer)
    for index in 0..<layer.numLayers {
      let directions = layer.directions[index * both..<(index + 1) * both]
      func ordered(_ weight: Tensor) -> Tensor {
        let parts = weight.split(every: weight.shape[0] / gates.count)
        return Tensor.concatenated(gates.map { parts[$0] }, over: 0)
      }
      func stacked(_ suffix: String, _ part: (RecurrentParameters) -> Tensor?) -> Operand {
        let parts = directions.compactMap(part)
        if parts.isEmpty { return .value("") }
        let tensor = withoutGradients { Tensor.stacked(parts, over: 0).evaluated() }
        return builder.constant(tensor, named: "\(name).\(suffix)_l\(index)")
      }
      let weights = stacked("W") { ordered($0.weightIH.value) }
      let recurrence = stacked("R") { ordered($0.weightHH.value) }
      let bias = stacked("B") { parameters in
        guard let own = parameters.biasIH, let other = parameters.biasHH else { return nil }
        return Tensor.concatenated([ordered(own.value), ordered(other.value)], over: 0)
      }
      var attributes: [(name: String, value: ExportedGraph.Attribute)] = [
        ("hidden_size", .int(layer.hiddenSize)),
        ("direction", .string(both == 2 ? "bidirectional" : "forward")),
      ]
      if op == "GRU" { attributes.append(("linear_before_reset", .int(1))) }
      if let activation {
        attributes.append(("activations", .strings([String](repeating: activation, count: both))))
      }
      // [T, directions, N, H] to [T, N, directions H].
      let all = builder.add(op, [value, weights, recurrence, bias], attributes)
      let moved = builder.add("Transpose", [all], [("perm", .ints([0, 2, 1, 3]))])
      value = builder.add(
        "Reshape", [moved, .sizes([steps, batch, both * layer.hiddenSize])])
    }
    if isSingle { return builder.add("Reshape", [value, .sizes(output.shape)]) }
    return layer.batchFirst
      ? builder.add("Transpose", [value], [("perm", .ints([1, 0, 2]))]) : value
  }
}
