import NormaKernels

extension Tensor {
  /// The logarithm of the softmax over an axis at one place of it; 0 where the place is negative.
  ///
  /// Nothing of this tensor's size is stored: of rows in memory one trip takes the results, and another the
  /// gradient. 1 - softmax at the place is the others' share, without cancellation.
  /// - Parameter places: integers below the axis' size, of this shape without the axis.
  package func logSoftmax(at places: Tensor, over axis: Int, call: String) -> Tensor {
    let places = places.detached().cast(to: .int64).contiguous()
    guard axis == rank - 1, let rows = RowPlaces(detached(), places) else {
      let safe = places.clamped(min: 0).unsqueezed(axis)
      let picked = logSoftmax(over: axis).gathered(safe, over: axis).squeezed(axis)
      return Tensor.where(places .< 0, 0, picked)
    }
    return rows.result.recorded(call, from: [self], saving: [self]) { rule in
      if rule.isRecording {
        let x = rule.saved[0]
        let isPlace = Tensor.arange(x.shape[axis]) .== places.unsqueezed(axis)
        let difference = isPlace.cast(to: x.dtype) - x.softmax(over: axis)
        let counts = (places .>= 0).cast(to: x.dtype)
        return [difference * (rule.upstream * counts).unsqueezed(axis)]
      }
      return [rows.gradient(rule.upstream.detached().contiguous())]
    }
  }
}

/// One place in each row of a tensor in memory, with what its gradient needs of the forward pass.
private struct RowPlaces: Sendable {
  let result: Tensor
  private let x: Tensor, places: Tensor
  private let highest: Tensor, sums: Tensor

  /// Nil where the tensor is not laid out so.
  init?(_ x: Tensor, _ places: Tensor) {
    guard x.areRowsInCache else { return nil }
    (self.x, self.places) = (x, places)
    let layout = Layout(contiguous: places.shape)
    guard let pack = Tensor.Pack(count: places.count, of: 2, dtype: .float32),
      let rest = Tensor.Pack(count: places.count, of: 1, dtype: .float64)
    else { return nil }
    let tensors = pack.tensors(like: layout)
    (result, highest) = (tensors[0], tensors[1])
    sums = rest.tensors(like: layout)[0]
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowSoftmax, ["log softmax at places"], over: x.shape,
        reads: x.touchedBytes + places.touchedBytes, writes: places.count * 16))
    withKernel { kernel, _ in
      kernel.log(into: pack.storage.base, threads: TensorThreads.count)
    }
  }

  func gradient(_ upstream: Tensor) -> Tensor {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .rowSoftmax, ["gradient of log softmax at places"], over: x.shape,
        reads: x.touchedBytes + places.touchedBytes + 4 * upstream.touchedBytes,
        writes: x.count * 4))
    return withKernel(upstream) { kernel, upstream in
      Tensor(shape: x.shape, dtype: .float32) { bytes in
        guard let into = bytes.baseAddress, let upstream else { return }
        kernel.gradient(
          upstream, into: into, isStreamed: bytes.count >= Limits.streamedBytes,
          threads: TensorThreads.count)
      }
    }
  }

  private func withKernel<R>(
    _ upstream: Tensor? = nil, _ body: (RowSoftmax.Places, UnsafeRawPointer?) -> R
  ) -> R {
    let tensors = [x, places, highest, sums] + (upstream.map { [$0] } ?? [])
    let storages = tensors.map { $0.node.materialize() }
    return withExtendedLifetime(storages) {
      let bases = zip(tensors, storages).map { tensor, storage in
        storage.base + tensor.layout.offset * tensor.dtype.byteCount
      }
      let columns = x.layout.shape.last ?? 1
      let kernel = RowSoftmax.Places(
        rows: x.count / columns, columns: columns, x: bases[0], places: bases[1],
        highest: bases[2], sums: bases[3])
      return body(kernel, bases.count > 4 ? UnsafeRawPointer(bases[4]) : nil)
    }
  }
}
