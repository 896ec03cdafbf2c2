import NormaKernels
import NormaValues

/// Where the elements of a narrow tensor `[outer, count, inner]` lie along the middle axis of a wide
/// one, `[outer, size, inner]`. All picking and putting by index comes down to this.
struct AxisPlaces: Sendable {
  /// `int64`, as they were given and in the narrow shape; without a history, so that rules may hold it.
  private let given: Tensor
  fileprivate let indices: Tensor
  let size: Int
  private let wraps: Bool
  /// The call, the axis and the shape as the caller knows them, for the text of a mistake.
  let call: String
  private let axis: Int, shape: [Int]

  /// - Parameters:
  ///   - indices: integers that broadcast to `narrow`, as the caller has seen to.
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

  /// Where the narrow side has the last of the elements that come to one place; broadcasts to it.
  func lastOnes() throws(TensorError) -> Tensor {
    let own = AxisPlaces(
      given, narrow: given.shape, size: size, wraps: wraps, call: call, axis: axis, shape: shape)
    let numbers = Tensor.arange(given.count).reshaped(given.shape)
    let wide = Tensor(0).broadcast(to: [given.shape[0], size, given.shape[2]])
    return try wide.replaced(by: numbers, at: own).picked(own) .== numbers
  }

  /// The same places without their memory.
  var kernel: PlacesAlongAxis {
    PlacesAlongAxis(
      outer: narrow[0], count: narrow[1], inner: narrow[2], size: size, wraps: wraps,
      index: indices.strides)
  }

  /// Throws if a place is not inside.
  func check() throws(TensorError) { try run { $0.check($1) } }

  /// Runs a loop, which returns a place that is not inside if there is one.
  func run(
    _ loop: (PlacesAlongAxis, UnsafePointer<Int64>) -> Int?
  ) throws(TensorError) {
    let storage = indices.node.materialize()
    if storage.isMissing { throw .memory(indices.shape, .int64, call) }
    let kernel = kernel
    let wrong = withExtendedLifetime(storage) {
      loop(
        kernel,
        UnsafePointer(storage.base.assumingMemoryBound(to: Int64.self))
          + indices.layout.offset)
    }
    guard let wrong else { return }
    throw TensorError(
      call,
      "index \(wrong) is out of range for axis \(axis) of shape \(shape); valid indices are "
        + "\(wraps ? -size : 0) ..< \(size)")
  }

  /// Integers, which indices must be.
  static func integers(_ indices: Tensor, _ call: String) throws(TensorError) {
    guard indices.dtype.isInteger else {
      throw TensorError(call, "indices hold \(indices.dtype), not integers")
    }
  }
}

extension Tensor {
  /// `[outer, count, inner]` of these `[outer, size, inner]`: the elements at places.
  func picked(_ places: AxisPlaces) throws(TensorError) -> Tensor {
    let storage = node.materialize()
    if storage.isMissing { return .poisoned }
    let layout = Layout(contiguous: places.narrow)
    let result = try Storage.room(layout, dtype, places.call)
    ExecutionLog.add(.gather, "gather", [self, places.indices], into: places.narrow, dtype)
    try places.run { kernel, index in
      withExtendedLifetime(storage) {
        kernel.gather(
          width: dtype.byteCount, index, from: storage.base + self.layout.offset * dtype.byteCount,
          strides: strides, to: result.base, threads: TensorThreads.count)
      }
    }
    let shape = shape
    return Tensor(node: Node(stored: result, dtype: dtype, layout: layout), layout: layout)
      .recorded(places.call, from: [self], runsAtOnce: true) { rule in
        let zeros = Tensor(0, dtype: rule.upstream.dtype).broadcast(to: shape)
        return [checked { () throws(TensorError) in try zeros.added(rule.upstream, at: places) }]
      }
  }

  /// A copy of these `[outer, size, inner]` with `part`, `[outer, count, inner]`, put at places; of
  /// several at one place the last stays.
  func replaced(by part: Tensor, at places: AxisPlaces) throws(TensorError) -> Tensor {
    let layout = Layout(contiguous: shape)
    let result = try Storage.room(layout, dtype, places.call)
    // What is stored as it will lie is copied by the part, the rest before.
    let start = layout.isSame(as: self.layout) && !node.isPending ? node.materialize() : nil
    if start == nil, count > 0 { write(into: result, layout, as: dtype) }
    try part.put(into: result, layout, onto: start, at: places)
    return Tensor(node: Node(stored: result, dtype: dtype, layout: layout), layout: layout)
      .recorded(places.call, from: [self, part], runsAtOnce: true) { rule in
        let zero = Tensor(0, dtype: rule.upstream.dtype).broadcast(to: places.narrow)
        return [
          rule.whenNeeded(0) {
            checked { () throws(TensorError) in try rule.upstream.replaced(by: zero, at: places) }
          },
          // Elements that others replaced have no part in the result.
          rule.whenNeeded(1) {
            checked { () throws(TensorError) in
              Tensor.where(try places.lastOnes(), try rule.upstream.picked(places), 0)
            }
          },
        ]
      }
  }

  /// Puts these `[outer, count, inner]` at places of memory that holds, or becomes, what is in `start`.
  func put(
    into target: Storage, _ layout: Layout, onto start: Storage? = nil, at places: AxisPlaces
  ) throws(TensorError) {
    let source = node.materialize()
    if source.isMissing || start?.isMissing ?? false { return }
    let width = dtype.byteCount
    ExecutionLog.add(.scatter, "scatter", [self, places.indices], into: layout.shape, dtype)
    try places.run { kernel, index in
      withExtendedLifetime((source, start)) {
        kernel.scatter(
          width: width, index, from: source.base + self.layout.offset * width, strides: strides,
          onto: start.map { UnsafeRawPointer($0.base) }, to: target.base + layout.offset * width,
          strides: layout.strides, threads: TensorThreads.count)
      }
    }
  }

  /// These `[outer, size, inner]` with `part`, `[outer, count, inner]`, added at places.
  func added(_ part: Tensor, at places: AxisPlaces) throws(TensorError) -> Tensor {
    try combined(.sum, with: part, at: places)
      .recorded(places.call, from: [self, part], runsAtOnce: true) { rule in
        [
          rule.upstream,
          rule.whenNeeded(1) {
            checked { () throws(TensorError) in try rule.upstream.picked(places) }
          },
        ]
      }
  }

  /// The sums (or products, ...) of these `[outer, size, inner]` and `part` at places, in order, in
  /// `float64` or `int64`, then rounded to this type. Without a history.
  func combined(
    _ reduction: PlacesAlongAxis.Reduction, with part: Tensor, at places: AxisPlaces
  ) throws(TensorError) -> Tensor {
    guard dtype == .float32, part.dtype == .float32, places.kernel.takesFloats else {
      return try reduced(reduction, with: part, at: places).cast(to: dtype).evaluated()
    }
    let (start, source) = (node.materialize(), part.node.materialize())
    let layout = Layout(contiguous: shape)
    if start.isMissing || source.isMissing { return .poisoned }
    let result = try Storage.room(layout, dtype, places.call)
    ExecutionLog.add(
      .scatter, "scatter \(reduction)", [self, part, places.indices], into: shape, dtype)
    try places.run { kernel, index in
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
    return Tensor(node: Node(stored: result, dtype: dtype, layout: layout), layout: layout)
  }

  /// The sums (or products, ...) of these `[outer, size, inner]` and `part` at places, in order, in
  /// `float64` or `int64`. Without a history.
  func reduced(
    _ reduction: PlacesAlongAxis.Reduction, with part: Tensor, at places: AxisPlaces
  ) throws(TensorError) -> Tensor {
    if dtype == .uint64, reduction == .minimum || reduction == .maximum {
      return try inKernelType.reduced(reduction, with: part.inKernelType, at: places)
        .outOfKernelType(to: dtype)
    }
    let wide: DType = dtype.isFloatingPoint ? .float64 : .int64
    let layout = Layout(contiguous: shape)
    let result = try Storage.room(layout, wide, places.call)
    if count > 0 { write(into: result, layout, as: wide) }
    let type: DType = dtype == .float32 || dtype.isHalf ? .float32 : wide
    let source = part.detached().cast(to: type)
    let storage = source.node.materialize()
    if storage.isMissing { return .poisoned }
    ExecutionLog.add(
      .scatter, "scatter \(reduction)", [source, places.indices], into: shape, wide)
    try places.run { kernel, index in
      withExtendedLifetime(storage) {
        kernel.reduce(
          reduction, type, index, from: storage.base + source.layout.offset * type.byteCount,
          strides: source.strides, to: result.base, threads: TensorThreads.count)
      }
    }
    return Tensor(node: Node(stored: result, dtype: wide, layout: layout), layout: layout)
  }
}

/// A tensor seen as `[outer, size, inner]` around an axis, in its order of memory where that has no
/// gaps.
struct AxisFrame {
  /// The axes from the slowest in memory on; nil where that is their own order.
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

  /// A tensor that differs from the frame's along the axis at most.
  func flat(_ x: Tensor) -> Tensor {
    let x = order.map { x.permuted($0) } ?? x
    let shape = x.shape
    return x.reshaped(
      shape[..<place].reduce(1, *), shape[place], shape[(place + 1)...].reduce(1, *))
  }

  /// The way back, for what has `shape` but for the size of the axis.
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
