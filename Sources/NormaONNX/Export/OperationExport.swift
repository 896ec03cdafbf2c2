import NormaKernels
import NormaTensor

/// Adds the nodes of one recorded operation.
struct OperationExport {
  typealias Operand = ExportedGraph.Operand

  let builder: ExportBuilder
  let operation: RecordedOperation

  init(_ builder: ExportBuilder, _ operation: RecordedOperation) {
    (self.builder, self.operation) = (builder, operation)
  }

  var result: Tensor { operation.result }
  var tensors: [Tensor] { operation.operands }

  /// An operand, in a type.
  func operand(_ index: Int, as dtype: DType? = nil) -> Operand {
    let tensor = tensors[index]
    return builder.cast(builder.operand(tensor), tensor.dtype, to: dtype ?? tensor.dtype)
  }

  func node(
    _ op: String, _ inputs: Operand...,
    attributes: [(name: String, value: ExportedGraph.Attribute)] = []
  ) -> Operand { builder.add(op, inputs, attributes) }

  func number(_ value: Double) -> Operand { builder.number(value, result.dtype) }

  /// Adds the nodes and notes their result.
  func add() {
    guard let value = value() else { return }
    builder.keep(result, value)
  }

  private func value() -> Operand? {
    switch operation.kind {
    case .elementwise(let name, let type, let number): elementwise(name, type, number)
    case .copy: operand(0)
    case .matmul: node("MatMul", operand(0), operand(1))
    case .reduction(let name, let axes, let keepsAxes, let divisor, let isRoot):
      reduction(name, axes, keepsAxes, divisor, isRoot)
    case .softmax(let axis, let isLog):
      node(
        isLog ? "LogSoftmax" : "Softmax", operand(0, as: result.dtype),
        attributes: [("axis", .int(axis))])
    case .logSumExp(let axes, let keepsAxes):
      node(
        "ReduceLogSumExp", operand(0, as: result.dtype), .sizes(axes),
        attributes: [("keepdims", .int(keepsAxes ? 1 : 0))])
    case .concatenation(let axis):
      builder.add(
        "Concat", tensors.indices.map { operand($0, as: result.dtype) }, [("axis", .int(axis))])
    case .gather: gather()
    case .padding(let start, let shape, let value):
      node(
        "Pad", operand(0),
        .sizes(start + start.indices.map { shape[$0] - start[$0] - tensors[0].shape[$0] }),
        number(value))
    case .convolution(let stride, let dilation, let before, let after, let groups):
      builder.add(
        "Conv", tensors.indices.map { operand($0) },
        [
          ("kernel_shape", .ints(Array(tensors[1].shape.dropFirst(2)))), ("strides", .ints(stride)),
          ("dilations", .ints(dilation)), ("pads", .ints(before + after)), ("group", .int(groups)),
        ])
    case .transposedConvolution(let stride, let dilation, let before, let groups, let space):
      transposedConvolution(stride, dilation, before, groups, space)
    case .maxPooling(let axes): maxPooling(axes)
    case .axisMap(let map, let axis): axisMap(map, axis)
    case .normalization(let axes, let isCentered, let eps, let hasWeight, let hasBias):
      normalization(axes, isCentered, eps, hasWeight, hasBias)
    case .givenNormalization(let eps, let hasWeight, let hasBias):
      givenNormalization(eps, hasWeight, hasBias)
    case .attention(let isCausal, let scale, let isGrouped): attention(isCausal, scale, isGrouped)
    case .other(let call): unsupported(call)
    }
  }

  func unsupported(_ what: String) -> Operand? {
    builder.report(what)
    return nil
  }

  // MARK: Reductions

  private func reduction(
    _ name: String, _ axes: [Int], _ keepsAxes: Bool, _ divisor: Double, _ isRoot: Bool
  ) -> Operand? {
    let type = result.dtype
    var value = operand(0, as: type)
    func reduce(_ op: String, _ value: Operand, keeps: Bool) -> Operand {
      axes.isEmpty
        ? value
        : node(op, value, .sizes(axes), attributes: [("keepdims", .int(keeps ? 1 : 0))])
    }
    let count = axes.reduce(1.0) { $0 * Double(tensors[0].shape[$1]) }
    var divisor = divisor
    switch name {
    case "sum":
      value = reduce(divisor == count ? "ReduceMean" : "ReduceSum", value, keeps: keepsAxes)
      if divisor == count { divisor = 1 }
    case "squares":
      let centered = node("Sub", value, reduce("ReduceMean", value, keeps: true))
      let op = divisor == count ? "ReduceMean" : "ReduceSum"
      value = reduce(op, node("Mul", centered, centered), keeps: keepsAxes)
      if divisor == count { divisor = 1 }
    case "minimum": value = reduce("ReduceMin", value, keeps: keepsAxes)
    case "maximum": value = reduce("ReduceMax", value, keeps: keepsAxes)
    case "product": value = reduce("ReduceProd", value, keeps: keepsAxes)
    default: return unsupported("the reduction \(name)")
    }
    if divisor != 1 { value = node("Div", value, number(divisor)) }
    return isRoot ? node("Sqrt", value) : value
  }

  // MARK: Elements by index

  /// Rows of a table if all others share the indices, otherwise element by element.
  private func gather() -> Operand? {
    let (table, indices) = (tensors[0], tensors[1])
    let isShared = [0, 2].allSatisfy { indices.shape[$0] == 1 || indices.strides[$0] == 0 }
    guard isShared, indices.count > 0 else {
      return node(
        "GatherElements", operand(0), operand(1), attributes: [("axis", .int(1))])
    }
    let row = indices.narrowed(over: 0, from: 0, count: 1).narrowed(over: 2, from: 0, count: 1)
      .reshaped([indices.shape[1]])
    let places = builder.operand(row)
    if table.shape[0] == 1 {
      let rows = builder.operand(table.squeezed(0))
      let taken = node("Gather", rows, places, attributes: [("axis", .int(0))])
      builder.keep(result.squeezed(0), taken)
      return nil
    }
    return node("Gather", operand(0), places, attributes: [("axis", .int(1))])
  }

  /// A product with the matrix of an axis map.
  private func axisMap(_ map: AxisMap, _ axis: Int) -> Operand? {
    var values = [Double](repeating: 0, count: map.inputs * map.outputs)
    for output in 0..<map.outputs {
      for tap in map.taps(of: output) { values[tap.index * map.outputs + output] += tap.weight }
    }
    let matrix = builder.constant(
      Tensor(values, shape: [map.inputs, map.outputs]).cast(to: result.dtype), named: "weights")
    let rank = result.rank
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    func moved(_ value: Operand) -> Operand {
      axis == rank - 1
        ? value : node("Transpose", value, attributes: [("perm", .ints(order))])
    }
    return moved(node("MatMul", moved(operand(0)), matrix))
  }
}
