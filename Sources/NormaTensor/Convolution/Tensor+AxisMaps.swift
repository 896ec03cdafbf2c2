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
    ExecutionLog.add(.axisMap, "weighted sums", [source], into: target, dtype)
    let (dtype, threads) = (dtype, TensorThreads.count)
    let outer = order[..<index].reduce(1) { $0 * shape[$1] }
    let inner = order[(index + 1)...].reduce(1) { $0 * shape[$1] }
    return Tensor.computed(dtype, layout, from: [source], call) { at, result in
      step.map.run(
        dtype, outer: outer, inner: inner, from: at[0], into: result, threads: threads)
    }.noted(.axisMap(step.map, axis: step.axis), [self])
  }
}
