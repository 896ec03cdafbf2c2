import NormaKernels
import NormaValues

/// A map along one axis of a tensor.
struct MappedAxis: Sendable {
  let axis: Int
  let map: AxisMap
}

extension Tensor {
  /// These values after weighted sums along axes, one axis after the other, at once.
  ///
  /// A linear operation: its gradient is made of the transposed maps. Each map is summed in double
  /// and rounded once. The order of memory stays as it is where there are no gaps. Cost: one read and
  /// one write for each map.
  func mapped(_ maps: [MappedAxis], call: String) -> Tensor {
    let type: DType = dtype == .float32 || dtype.isHalf ? .float32 : .float64
    var result = detached().cast(to: type)
    for step in maps where !step.map.isIdentity { result = result.mapped(step, call) }
    return result.cast(to: dtype).recorded(call, from: [self], runsAtOnce: true) { rule in
      [
        rule.upstream.mapped(
          maps.reversed().map { MappedAxis(axis: $0.axis, map: $0.map.transposed) }, call: call)
      ]
    }
  }

  private func mapped(_ step: MappedAxis, _ call: String) -> Tensor {
    if isPoisoned { return self }
    let source = layout.isDense ? self : contiguous()
    let order = source.memoryOrder
    let place = order.firstIndex(of: step.axis) ?? 0
    var target = shape
    target[step.axis] = step.map.outputs
    let layout = Layout.dense(target, order: order)
    guard let result = Storage.roomOrReport(layout, dtype, call) else { return .poisoned }
    let storage = source.node.materialize()
    if storage.isMissing { return .poisoned }
    ExecutionLog.add(.axisMap, "weighted sums", [source], into: target, dtype)
    step.map.run(
      dtype, outer: order[..<place].reduce(1) { $0 * shape[$1] },
      inner: order[(place + 1)...].reduce(1) { $0 * shape[$1] },
      from: storage.base + source.layout.offset * dtype.byteCount, into: result.base,
      threads: TensorThreads.count)
    withExtendedLifetime(storage) {}
    return Tensor(node: Node(stored: result, dtype: dtype, layout: layout), layout: layout)
  }

  /// The axes of a tensor without gaps from the slowest in memory to the fastest.
  ///
  /// Axes of size 1 fit everywhere; they stand where a tensor of larger ones would have them.
  var memoryOrder: [Int] {
    if layout.isContiguous { return Array(shape.indices) }
    if isChannelsLast { return [0] + Array(2..<rank) + [1] }
    return Layout.order(shape, strides)
  }

  /// Whether channels (axis 1) are the fastest axis of memory, without gaps, and not only because
  /// there is one channel or one element of space.
  var isChannelsLast: Bool {
    guard rank >= 3, !layout.isContiguous else { return false }
    let wanted = ConvolutionShape.layout(shape)
    return shape.indices.allSatisfy { shape[$0] == 1 || strides[$0] == wanted.strides[$0] }
  }

  /// Without gaps: channels last if they are so already, else in row-major order.
  var denseOverSpace: Tensor { isChannelsLast ? self : contiguous() }
}
