import NormaKernels
import NormaValues

/// A map along one axis of a tensor.
struct MappedAxis: Sendable {
  let axis: Int
  let map: AxisMap
}

extension Tensor {
  /// Applies weighted sums along axes, one axis after the other, eagerly.
  ///
  /// A linear operation: its gradient applies the transposed maps. Each map is summed in double and
  /// rounded once. The memory order is preserved if there are no gaps. Cost: one read and one write
  /// for each map.
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
    let index = order.firstIndex(of: step.axis) ?? 0
    var target = shape
    target[step.axis] = step.map.outputs
    let layout = Layout.dense(target, order: order)
    guard let result = Storage.roomOrReport(layout, dtype, call) else { return .poisoned }
    let storage = source.node.materialize()
    if storage.isMissing { return .poisoned }
    ExecutionLog.add(.axisMap, "weighted sums", [source], into: target, dtype)
    step.map.run(
      dtype, outer: order[..<index].reduce(1) { $0 * shape[$1] },
      inner: order[(index + 1)...].reduce(1) { $0 * shape[$1] },
      from: storage.base + source.layout.offset * dtype.byteCount, into: result.base,
      threads: TensorThreads.count)
    withExtendedLifetime(storage) {}
    return Tensor(node: Node(stored: result, dtype: dtype, layout: layout), layout: layout)
      .noted(.axisMap(step.map, axis: step.axis), [self])
  }
}
