import NormaKernels

extension Tensor {
  /// The log-softmax over an axis at one index of it; 0 if the index is negative.
  ///
  /// Nothing of this tensor's size is stored: for rows in memory, the results take one pass and the
  /// gradient another. 1 - softmax at the index is computed as the share of the others, without
  /// cancellation.
  /// - Parameter indices: integers below the axis' size, of this shape without the axis.
  package func logSoftmax(at indices: Tensor, over axis: Int, call: String) -> Tensor {
    let indices = indices.detached().cast(to: .int64).contiguous()
    guard axis == rank - 1, let rows = RowIndices(detached(), indices) else {
      let safe = indices.clamped(min: 0).unsqueezed(axis)
      let picked = logSoftmax(over: axis).gathered(safe, over: axis).squeezed(axis)
      return Tensor.where(indices .< 0, 0, picked)
    }
    return rows.result.recorded(call, from: [self], saving: [self]) { rule in
      if rule.isRecording {
        let x = rule.saved[0]
        let isPlace = Tensor.arange(x.shape[axis]) .== indices.unsqueezed(axis)
        let difference = isPlace.cast(to: x.dtype) - x.softmax(over: axis)
        let counts = (indices .>= 0).cast(to: x.dtype)
        return [difference * (rule.upstream * counts).unsqueezed(axis)]
      }
      return [rows.gradient(rule.upstream.detached().contiguous())]
    }
  }
}

/// One index for each row of a tensor in memory, with what its gradient needs of the forward pass.
private struct RowIndices: Sendable {
  let result: Tensor
  private let x: Tensor, indices: Tensor
  private let highest: Tensor, sums: Tensor

  /// Nil if the tensor does not have such a layout.
  init?(_ x: Tensor, _ indices: Tensor) {
    guard x.areRowsInCache else { return nil }
    (self.x, self.indices) = (x, indices)
    let layout = Layout(contiguous: indices.shape)
    guard let pack = Tensor.Pack(count: indices.count, of: 2, dtype: .float32),
      let rest = Tensor.Pack(count: indices.count, of: 1, dtype: .float64)
    else { return nil }
    let tensors = pack.tensors(like: layout)
    (result, highest) = (tensors[0], tensors[1])
    sums = rest.tensors(like: layout)[0]
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowSoftmax, ["log softmax at indices"], over: x.shape,
        reads: x.touchedBytes + indices.touchedBytes, writes: indices.count * 16))
    let (count, columns) = (indices.count, x.layout.shape.last ?? 1)
    let (rows, threads) = (x.count / columns, TensorThreads.count)
    let memory = [x.memory(), indices.memory(), .writes(pack.storage), .writes(rest.storage)]
    _ = KernelRecorder.run(memory) { at in
      RowSoftmax.Indices(
        rows: rows, columns: columns, x: at[0], indices: at[1], highest: at[2] + 4 * count,
        sums: at[3]
      ).log(into: at[2], threads: threads)
      return true
    }
  }

  func gradient(_ upstream: Tensor) -> Tensor {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowSoftmax, ["gradient of log softmax at indices"], over: x.shape,
        reads: x.touchedBytes + indices.touchedBytes + 4 * upstream.touchedBytes,
        writes: x.count * 4))
    let columns = x.layout.shape.last ?? 1
    let (rows, threads) = (x.count / columns, TensorThreads.count)
    let (layout, isStreamed) = (
      Layout(contiguous: x.shape), 4 * x.count >= Limits.streamedBytes
    )
    return .computed(.float32, layout, from: [x, indices, highest, sums, upstream]) { at, into in
      RowSoftmax.Indices(
        rows: rows, columns: columns, x: at[0], indices: at[1], highest: at[2], sums: at[3]
      ).gradient(at[4], into: into, isStreamed: isStreamed, threads: threads)
    }
  }
}
