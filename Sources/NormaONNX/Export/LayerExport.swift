import NormaNN
import NormaTensor

/// Adds the nodes of a layer that ONNX has an operator for, in place of the operations inside.
struct LayerExport {
  typealias Operand = ExportedGraph.Operand

  private let builder: ExportBuilder
  private let call: ModuleCall
  private var module: Module { call.module }
  private var input: Tensor { call.input }
  private var output: Tensor { call.output }

  init(_ builder: ExportBuilder, _ call: ModuleCall) {
    (self.builder, self.call) = (builder, call)
  }

  /// Whether a layer has an operator.
  static func exists(for module: Module) -> Bool {
    switch module {
    case let norm as BatchNorm: norm.runningMean != nil && !norm.usesBatchStatistics
    case is RecurrentLayer: true
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
      case let layer as RecurrentLayer: RecurrentExport(builder, layer, call).add()
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
}
