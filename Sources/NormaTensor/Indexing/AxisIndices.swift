import NormaKernels
import NormaValues

/// The indices of the elements of a narrow tensor `[outer, count, inner]` along the middle axis of
/// a wide one, `[outer, size, inner]`. All gathering and scattering by index is reduced to this.
struct AxisIndices: Sendable {
  /// `int64`, in the shape in which they were given; without a history, so that gradient rules may
  /// hold it.
  private let given: Tensor
  fileprivate let indices: Tensor
  let size: Int
  private let wraps: Bool
  /// The call, the axis and the shape from the caller's point of view, for error messages.
  let call: String
  private let axis: Int, shape: [Int]

  /// - Parameters:
  ///   - indices: integers that broadcast to `narrow`, as the caller has checked.
  ///   - wraps: whether negative ones count from the end.
  init(
    _ indices: Tensor, narrow: [Int], size: Int, wraps: Bool, call: String, axis: Int, shape: [Int]
  ) {
    given = indices.detached().asPositions
    self.indices =
      given.shape == narrow
      ? given : Tensor(node: given.node, layout: given.layout.broadcast(to: narrow))
    (self.size, self.wraps) = (size, wraps)
    (self.call, self.axis, self.shape) = (call, axis, shape)
  }

  /// The shape of the narrow side.
  var narrow: [Int] { indices.shape }

  /// Where an element of the narrow side is the last one with its index; broadcasts to the narrow
  /// shape.
  func lastOnes() throws(TensorError) -> Tensor {
    let own = AxisIndices(
      given, narrow: given.shape, size: size, wraps: wraps, call: call, axis: axis, shape: shape)
    let numbers = Tensor.arange(given.count).reshaped(given.shape)
    let wide = Tensor(0).broadcast(to: [given.shape[0], size, given.shape[2]])
    return try wide.replaced(by: numbers, at: own).picked(own) .== numbers
  }

  /// The same indices without their memory.
  var kernel: IndexedAxis {
    IndexedAxis(
      outer: narrow[0], count: narrow[1], inner: narrow[2], size: size, wraps: wraps,
      index: indices.strides)
  }

  /// The same for a loop on other memory, which a recorder can keep.
  fileprivate func run(
    _ memory: [KernelMemory],
    _ loop: @escaping @Sendable (IndexedAxis, UnsafePointer<Int64>, KernelAddresses) -> Int?
  ) throws(TensorError) {
    let own = indices.memory()
    if own.storage.isMissing { throw .memory(indices.shape, .int64, call) }
    let kernel = kernel
    let isInside = KernelRecorder.run([own] + memory) { at in
      loop(kernel, UnsafePointer(at[0].assumingMemoryBound(to: Int64.self)), at + 1) == nil
    }
    // Names the index.
    if !isInside { try check() }
  }

  /// Throws if an index is out of range.
  func check() throws(TensorError) { try run { $0.check($1) } }

  /// Runs a loop, which returns an index that is out of range, if any.
  func run(
    _ loop: (IndexedAxis, UnsafePointer<Int64>) -> Int?
  ) throws(TensorError) {
    let kernel = kernel
    let found = indices.withAddress {
      loop(kernel, UnsafePointer($0.assumingMemoryBound(to: Int64.self)))
    }
    guard let found else { throw .memory(indices.shape, .int64, call) }
    guard let wrong = found else { return }
    throw TensorError(
      call,
      "index \(wrong) is out of range for axis \(axis) of shape \(shape); valid indices are "
        + "\(wraps ? -size : 0) ..< \(size)")
  }

  /// Throws unless indices are integers.
  static func integers(_ indices: Tensor, _ call: String) throws(TensorError) {
    try demand(indices.dtype.isInteger, call, "indices must be integers, got \(indices.dtype)")
  }
}

extension Tensor {
  /// The elements of this `[outer, size, inner]` at the indices, as `[outer, count, inner]`.
  func picked(_ axisIndices: AxisIndices) throws(TensorError) -> Tensor {
    let storage = node.materialize()
    if storage.isMissing { return .poisoned }
    let layout = Layout(contiguous: axisIndices.narrow)
    let result = try Storage.room(layout, dtype, axisIndices.call)
    ExecutionLog.add(
      .gather, "gather", [self, axisIndices.indices], into: axisIndices.narrow, dtype)
    let (width, strides, threads) = (dtype.byteCount, strides, TensorThreads.count)
    try axisIndices.run([.reads(self, in: storage), .writes(result)]) { kernel, index, at in
      kernel.gather(
        width: width, index, from: at[0], strides: strides, to: at[1], threads: threads)
    }
    let shape = shape
    return Tensor(stored: result, dtype, layout)
      .noted(.gather, [self, axisIndices.indices])
      .recorded(axisIndices.call, from: [self], runsAtOnce: true) { rule in
        let zeros = Tensor(0, dtype: rule.upstream.dtype).broadcast(to: shape)
        return [
          checked { () throws(TensorError) in try zeros.added(rule.upstream, at: axisIndices) }
        ]
      }
  }

  /// A copy of this `[outer, size, inner]` with the elements of `part`, `[outer, count, inner]`, at
  /// the indices; if an index occurs several times, the last one is kept.
  func replaced(by part: Tensor, at axisIndices: AxisIndices) throws(TensorError) -> Tensor {
    let layout = Layout(contiguous: shape)
    let result = try Storage.room(layout, dtype, axisIndices.call)
    // A stored tensor with the result's layout is copied together with the part, any other before
    // it.
    let start = layout.isSame(as: self.layout) && !node.isPending ? node.materialize() : nil
    if start == nil, count > 0 { write(into: result, layout, as: dtype) }
    try part.put(into: result, layout, onto: start, at: axisIndices)
    return Tensor(stored: result, dtype, layout)
      .recorded(axisIndices.call, from: [self, part], runsAtOnce: true) { rule in
        let zero = Tensor(0, dtype: rule.upstream.dtype).broadcast(to: axisIndices.narrow)
        return [
          rule.whenNeeded(0) { () throws(TensorError) in
            try rule.upstream.replaced(by: zero, at: axisIndices)
          },
          // Elements that were overwritten by others do not affect the result.
          rule.whenNeeded(1) { () throws(TensorError) in
            Tensor.where(try axisIndices.lastOnes(), try rule.upstream.picked(axisIndices), 0)
          },
        ]
      }
  }

  /// Writes this `[outer, count, inner]` at the indices into memory that holds, or first gets, the
  /// contents of `start`.
  func put(
    into target: Storage, _ layout: Layout, onto start: Storage? = nil, at axisIndices: AxisIndices
  ) throws(TensorError) {
    let source = node.materialize()
    if source.isMissing || start?.isMissing ?? false { return }
    let width = dtype.byteCount
    ExecutionLog.add(.scatter, "scatter", [self, axisIndices.indices], into: layout.shape, dtype)
    try axisIndices.run { kernel, index in
      withExtendedLifetime((source, start)) {
        kernel.scatter(
          width: width, index, from: source.base + self.layout.offset * width, strides: strides,
          onto: start.map { UnsafeRawPointer($0.base) }, to: target.base + layout.offset * width,
          strides: layout.strides, threads: TensorThreads.count)
      }
    }
  }

  /// This `[outer, size, inner]` with `part`, `[outer, count, inner]`, added at the indices.
  func added(_ part: Tensor, at axisIndices: AxisIndices) throws(TensorError) -> Tensor {
    try combined(.sum, with: part, at: axisIndices)
      .recorded(axisIndices.call, from: [self, part], runsAtOnce: true) { rule in
        [
          rule.upstream,
          rule.whenNeeded(1) { () throws(TensorError) in
            try rule.upstream.picked(axisIndices)
          },
        ]
      }
  }

  /// The sums (or products, ...) of this `[outer, size, inner]` and `part` at the indices, in
  /// order, in `float64` or `int64`, then rounded to this type. Without a history.
  func combined(
    _ reduction: IndexedAxis.Reduction, with part: Tensor, at axisIndices: AxisIndices
  ) throws(TensorError) -> Tensor {
    guard dtype == .float32, part.dtype == .float32, axisIndices.kernel.takesFloats else {
      return try reduced(reduction, with: part, at: axisIndices).cast(to: dtype).evaluated()
    }
    let (start, source) = (node.materialize(), part.node.materialize())
    let layout = Layout(contiguous: shape)
    if start.isMissing || source.isMissing { return .poisoned }
    let result = try Storage.room(layout, dtype, axisIndices.call)
    ExecutionLog.add(
      .scatter, "scatter \(reduction)", [self, part, axisIndices.indices], into: shape, dtype)
    try axisIndices.run { kernel, index in
      withExtendedLifetime((start, source)) {
        kernel.reduceFloats(
          reduction, index,
          from: source.base.assumingMemoryBound(to: Float.self) + part.layout.offset,
          strides: part.strides,
          onto: start.base.assumingMemoryBound(to: Float.self) + self.layout.offset,
          strides: strides, to: result.base.assumingMemoryBound(to: Float.self),
          threads: TensorThreads.count)
      }
    }
    return Tensor(stored: result, dtype, layout)
  }

  /// The sums (or products, ...) of this `[outer, size, inner]` and `part` at the indices, in
  /// order, in `float64` or `int64`. Without a history.
  func reduced(
    _ reduction: IndexedAxis.Reduction, with part: Tensor, at axisIndices: AxisIndices
  ) throws(TensorError) -> Tensor {
    if dtype == .uint64, reduction == .minimum || reduction == .maximum {
      return try inKernelType.reduced(reduction, with: part.inKernelType, at: axisIndices)
        .outOfKernelType(to: dtype)
    }
    let wide: DType = dtype.isFloatingPoint ? .float64 : .int64
    let layout = Layout(contiguous: shape)
    let result = try Storage.room(layout, wide, axisIndices.call)
    if count > 0 { write(into: result, layout, as: wide) }
    let type: DType = dtype == .float32 || dtype.isHalf ? .float32 : wide
    let source = part.detached().cast(to: type)
    let storage = source.node.materialize()
    if storage.isMissing { return .poisoned }
    ExecutionLog.add(
      .scatter, "scatter \(reduction)", [source, axisIndices.indices], into: shape, wide)
    try axisIndices.run { kernel, index in
      withExtendedLifetime(storage) {
        kernel.reduce(
          reduction, type, index, from: storage.base + source.layout.offset * type.byteCount,
          strides: source.strides, to: result.base, threads: TensorThreads.count)
      }
    }
    return Tensor(stored: result, wide, layout)
  }
}

/// A tensor as `[outer, size, inner]` around an axis, in its memory order if it is dense.
struct AxisFrame {
  /// The axes from the slowest in memory to the fastest; nil if that is their own order.
  private let order: [Int]?
  private let axis: Int
  private let place: Int

  init(_ x: Tensor, _ axis: Int) {
    self.axis = axis
    if x.layout.isContiguous || !x.layout.isDense {
      (order, place) = (nil, axis)
    } else {
      let order = Layout.order(x.shape, x.strides)
      (self.order, place) = (order, order.firstIndex(of: axis) ?? 0)
    }
  }

  /// A flattened tensor that may differ from the frame's along the axis only.
  func flat(_ x: Tensor) -> Tensor {
    let x = order.map { x.permuted($0) } ?? x
    let shape = x.shape
    return x.reshaped(
      shape[..<place].reduce(1, *), shape[place], shape[(place + 1)...].reduce(1, *))
  }

  /// The inverse, for a result with `shape` except for the size of the axis.
  func restored(_ x: Tensor, like shape: [Int]) -> Tensor {
    guard let order else {
      var sizes = shape
      sizes[axis] = x.shape[1]
      return x.reshaped(sizes)
    }
    var sizes = order.map { shape[$0] }
    sizes[place] = x.shape[1]
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return x.reshaped(sizes).permuted(back)
  }
}
