import NormaTensor

extension ProcessGroup {
  /// The tensors of all processes, combined element by element.
  ///
  /// Cost: two passes over memory besides the transport. PyTorch: `all_reduce`.
  public func allReduce(
    _ x: Tensor, _ operation: ReduceOperation = .sum, file: StaticString = #fileID,
    line: UInt = #line
  ) throws(ProcessGroupError) -> Tensor {
    let call = "allReduce(_:_:)"
    guard accepts(x, operation, call, file, line) else { return .poisoned }
    return try reduced(x, operation, .allReduce(operation), call)
  }

  /// This process's part of the combined tensors: the first axis is divided into as many equal
  /// parts as there are processes. PyTorch: `reduce_scatter_tensor`.
  public func reduceScatter(
    _ x: Tensor, _ operation: ReduceOperation = .sum, file: StaticString = #fileID,
    line: UInt = #line
  ) throws(ProcessGroupError) -> Tensor {
    let call = "reduceScatter(_:_:)"
    guard accepts(x, operation, call, file, line) else { return .poisoned }
    guard let size = x.shape.first, size % count == 0 else {
      report(
        TensorError(call, "axis 0 of shape \(x.shape) does not divide into \(count) equal parts"),
        file: file, line: line)
      return .poisoned
    }
    if count == 1 { return x }
    return try reduced(x, operation, .reduceScatter(operation), call)
  }

  /// The tensors of all processes, in the order of ranks. PyTorch: `all_gather`.
  public func allGather(_ x: Tensor) throws(ProcessGroupError) -> [Tensor] {
    if x.isPoisoned { return [x] }
    let parts = try run(.allGather, x.carried, "allGather(_:)")
    return parts.map { $0.cast(to: x.dtype) }
  }

  /// The tensor of process `root`; its shape and type are those of the tensors that the others
  /// pass. PyTorch: `broadcast`.
  public func broadcast(
    _ x: Tensor, from root: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) throws(ProcessGroupError) -> Tensor {
    let call = "broadcast(_:from:)"
    guard 0..<count ~= root else {
      report(
        TensorError(call, "rank \(root) is out of range for \(count) processes"), file: file,
        line: line)
      return .poisoned
    }
    if x.isPoisoned { return x }
    return try run(.broadcast(root: root), x.carried, call)[0].cast(to: x.dtype)
  }

  /// Waits until all processes have come here. PyTorch: `barrier`.
  public func barrier() throws(ProcessGroupError) {
    _ = try run(.barrier, Tensor(0), "barrier()")
  }

  /// Starts to combine tensors and returns: the result is read when it is needed, and the transport
  /// works meanwhile. These calls have an order of their own, the same in all processes.
  /// PyTorch: `all_reduce(async_op=True)`.
  public func startAllReduce(
    _ x: Tensor, _ operation: ReduceOperation = .sum, file: StaticString = #fileID,
    line: UInt = #line
  ) -> PendingTensor {
    let call = "startAllReduce(_:_:)"
    guard accepts(x, operation, call, file, line) else { return PendingTensor(done: .poisoned) }
    if count == 1 { return PendingTensor(done: x) }
    let work = Collective(
      kind: .allReduce(operation), tensor: x.addable.carried, call: call, timeout: timeout,
      isBackground: true)
    let (dtype, count, background) = (x.dtype, count, background)
    return PendingTensor(on: queue) { () throws(ProcessGroupError) in
      try background.run(work)[0].finished(operation, count, dtype).evaluated()
    }
  }

  private func accepts(
    _ x: Tensor, _ operation: ReduceOperation, _ call: String, _ file: StaticString, _ line: UInt
  ) -> Bool {
    if operation == .mean && !x.dtype.isFloatingPoint {
      report(
        TensorError(call, "\(x.dtype) has no mean; cast(to: .float32) first"), file: file,
        line: line)
      return false
    }
    return !x.isPoisoned
  }

  private func reduced(
    _ x: Tensor, _ operation: ReduceOperation, _ kind: Collective.Kind, _ call: String
  ) throws(ProcessGroupError) -> Tensor {
    if count == 1 { return x }
    return try run(kind, x.addable.carried, call)[0].finished(operation, count, x.dtype)
  }

  func run(
    _ kind: Collective.Kind, _ x: Tensor, _ call: String
  ) throws(ProcessGroupError) -> [Tensor] {
    try transport.run(Collective(kind: kind, tensor: x, call: call, timeout: timeout))
  }
}

extension Tensor {
  /// In a type in which every transport adds: half types in `float32`.
  fileprivate var addable: Tensor {
    dtype == .float16 || dtype == .bfloat16 ? detached().cast(to: .float32) : self
  }

  /// As it travels: evaluated; Boolean values as `uint8`.
  fileprivate var carried: Tensor {
    (dtype == .bool ? detached().cast(to: .uint8) : detached()).evaluated()
  }

  /// A combined tensor in the type that was passed.
  fileprivate func finished(_ operation: ReduceOperation, _ count: Int, _ dtype: DType) -> Tensor {
    (operation == .mean ? self / Double(count) : self).cast(to: dtype)
  }
}
