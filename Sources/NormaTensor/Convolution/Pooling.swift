import NormaKernels
import NormaValues

/// What poolings over one to three axes share.
enum Pooling {
  /// The input as a batch, `[N, C, space...]`.
  static func batch(_ x: Tensor, _ space: Int, _ call: String) throws(TensorError) -> Tensor {
    let batch = try x.asBatch(space, call)
    try demand(x.dtype.isFloatingPoint, call, "\(x.dtype) is not real; cast(to: .float32) first")
    try Shape.space(Array(x.shape.suffix(space)), call: call)
    try demand(batch.shape[1] > 0, call, "shape \(x.shape) has no channels")
    return batch
  }

  /// Maxima over the windows of each axis, and if they are needed, here or for gradients, their
  /// indices among the spatial elements; -1 for windows without an element, whose maximum is -inf.
  static func max(
    _ x: Tensor, _ axes: [WindowAxis], needsIndices: Bool, _ call: String
  ) throws(TensorError) -> (values: Tensor, indices: Tensor?) {
    let space = Array(x.shape.dropFirst(2))
    let shape = Array(x.shape.prefix(2)) + axes.map(\.outputs)
    guard space.reduce(1, *) < Int(Int32.max) else {
      throw TensorError(call, "shape \(x.shape) has more spatial elements than int32 can index")
    }
    if shape.contains(0) {
      return (.zeros(shape, dtype: x.dtype), .zeros(shape, dtype: .int32))
    }
    let type: DType = x.dtype == .float64 ? .float64 : .float32
    let source = x.detached().cast(to: type).denseOverSpace
    let isLast = source.isChannelsLast
    let layout = isLast ? ConvolutionShape.layout(shape) : Layout(contiguous: shape)
    let values = try Storage.room(layout, type, call)
    let isRecorded = Tensor.isRecorded([x])
    let found = needsIndices || isRecorded ? try Storage.room(layout, .int32, call) : nil
    let read = source.memory()
    if read.storage.isMissing { return (.poisoned, .poisoned) }
    let kernel = MaxPooling(
      batch: isLast ? shape[0] : shape[0] * shape[1], channels: isLast ? shape[1] : 1, axes: axes)
    let threads = TensorThreads.count
    let memory = [read, .writes(values)] + (found.map { [.writes($0)] } ?? [])
    let hasIndices = found != nil
    _ = KernelRecorder.run(memory) { at in
      kernel.run(
        type, from: at[0], into: at[1],
        indices: hasIndices ? at[2].assumingMemoryBound(to: Int32.self) : nil, threads: threads)
      return true
    }
    ExecutionLog.add(.pooling, "max pooling", [source], into: shape, type)
    let indices = found.map { Tensor(stored: $0, .int32, layout) }
    // Windows entirely in the padding have index -1, and no gradient.
    let hasEmpty = axes.contains { $0.lengths.contains(0) }
    let result = Tensor(stored: values, type, layout).cast(to: x.dtype)
      .noted(.maxPooling(axes), [x])
      .recorded(call, from: [x], saving: indices.map { [$0] } ?? [], runsAtOnce: true) { rule in
        let indices = rule.saved[0]
        if !hasEmpty { return [rule.upstream.scatteredOverSpace(space, at: indices, call: call)] }
        let upstream = Tensor.where(indices .>= 0, rule.upstream, 0)
        let inside = indices.clamped(min: 0).evaluated()
        if inside.isPoisoned { return [inside] }
        return [upstream.scatteredOverSpace(space, at: inside, call: call)]
      }
    return (result, indices)
  }

  /// Means over windows.
  static func mean(_ x: Tensor, _ maps: [AxisMap], _ call: String) -> Tensor {
    let shape = Array(x.shape.prefix(2)) + maps.map(\.outputs)
    if shape.contains(0) { return x.emptyResult(shape, call) }
    return x.mapped(
      maps.enumerated().map { MappedAxis(axis: $0.offset + 2, map: $0.element) }, call: call)
  }
}

extension Tensor {
  /// Zeros (possibly none) that depend on these values, with gradient 0.
  func emptyResult(_ result: [Int], _ call: String) -> Tensor {
    let (shape, dtype) = (shape, dtype)
    return Tensor.zeros(result, dtype: dtype)
      .recorded(call, from: [self]) { _ in [.zeros(shape, dtype: dtype)] }
  }

  /// Zeros of spatial size `space` with each value added at its index; `indices` has the shape of
  /// self.
  func scatteredOverSpace(_ space: [Int], at indices: Tensor, call: String) -> Tensor {
    let target = Array(shape.prefix(2)) + space
    if count == 0 { return emptyResult(target, call) }
    let type: DType = dtype == .float64 ? .float64 : .float32
    let isLast = indices.isChannelsLast
    let few = inOrder(of: indices, type)
    let layout = isLast ? ConvolutionShape.layout(target) : Layout(contiguous: target)
    ExecutionLog.add(.scatter, "scatter", [few, indices], into: layout.shape, type)
    let elements = IndexedElements(indices, wide: space, isLast)
    let (byteCount, threads) = (layout.count * type.byteCount, TensorThreads.count)
    return Tensor.computed(type, layout, from: [few, indices], call) { at, result in
      result.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      elements.scatter(
        type, from: at[0], into: result, indices: at[1].assumingMemoryBound(to: Int32.self),
        threads: threads)
    }.cast(to: dtype)
      .recorded(call, from: [self], saving: [indices], runsAtOnce: true) { rule in
        [rule.upstream.gatheredFromSpace(at: rule.saved[0], call: call)]
      }
  }

  /// The spatial values at `indices`, whose shape the result has.
  func gatheredFromSpace(at indices: Tensor, call: String) -> Tensor {
    let type: DType = dtype == .float64 ? .float64 : .float32
    let many = inOrder(of: indices, type)
    let space = Array(shape.dropFirst(2))
    ExecutionLog.add(.gather, "gather", [many, indices], into: indices.shape, type)
    let elements = IndexedElements(indices, wide: space, indices.isChannelsLast)
    let threads = TensorThreads.count
    return Tensor.computed(type, indices.layout, from: [many, indices], call) { at, result in
      elements.gather(
        type, from: at[0], into: result, indices: at[1].assumingMemoryBound(to: Int32.self),
        threads: threads)
    }.cast(to: dtype)
      .recorded(call, from: [self], saving: [indices], runsAtOnce: true) { rule in
        [rule.upstream.scatteredOverSpace(space, at: rule.saved[0], call: call)]
      }
  }

  /// These values, dense in the memory order of `indices`.
  private func inOrder(of indices: Tensor, _ type: DType) -> Tensor {
    let source = detached().cast(to: type)
    return indices.isChannelsLast ? source.channelsLastDense : source.contiguous()
  }
}

extension IndexedElements {
  /// The indices of a tensor `[N, C, space...]`, in row-major order or with channels last.
  fileprivate init(_ indices: Tensor, wide: [Int], _ isLast: Bool) {
    let (batch, channels) = (indices.shape[0], indices.shape[1])
    self.init(
      batch: isLast ? batch : batch * channels, channels: isLast ? channels : 1,
      wide: wide.reduce(1, *), narrow: indices.shape.dropFirst(2).reduce(1, *))
  }
}
