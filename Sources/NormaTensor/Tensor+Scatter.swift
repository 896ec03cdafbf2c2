import NormaKernels

// Elements picked and put along an axis by a tensor of places of the same number of axes. They run
// at once, in row-major order, so that sums do not depend on anything else.

extension Tensor {
  /// y[i, j, k] = x[i, indices[i, j, k], k] for axis 1, and likewise for others.
  ///
  /// `indices` has as many axes, and no axis but `axis` is longer than the tensor's. Cost: one read
  /// and one write of what is picked. PyTorch: `torch.gather`.
  public func gathered(
    over axis: Int, _ indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || indices.isPoisoned { return .poisoned }
      let call = "gathered(over:_:)"
      let plan = try ScatterPlan(shape, axis, indices, call)
      return gathered(plan)
    }
  }

  /// The tensor with `source` put at `indices` along an axis; of several at one place the last stays.
  ///
  /// The gradient reaches `source` and what was not replaced. PyTorch: `torch.scatter`.
  public func scattered(
    over axis: Int, _ indices: Tensor, _ source: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || indices.isPoisoned || source.isPoisoned { return .poisoned }
      let call = "scattered(over:_:_:)"
      let plan = try ScatterPlan(shape, axis, indices, call)
      let part = try plan.part(of: source, dtype, call)
      return put(plan, part.detached(), adds: false)
        .recorded(call, from: [self, part], runsAtOnce: true) { rule in
          let zeros = Tensor.zeros(plan.indexShape, dtype: rule.upstream.dtype)
          return [
            rule.whenNeeded(0) { rule.upstream.put(plan, zeros, adds: false) },
            rule.whenNeeded(1) { rule.upstream.gathered(plan) },
          ]
        }
    }
  }

  /// The tensor with `source` added at `indices` along an axis, sums in `float64`.
  ///
  /// PyTorch: `torch.scatter_add`.
  public func scatteredAdding(
    over axis: Int, _ indices: Tensor, _ source: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || indices.isPoisoned || source.isPoisoned { return .poisoned }
      let call = "scatteredAdding(over:_:_:)"
      let plan = try ScatterPlan(shape, axis, indices, call)
      return added(plan, try plan.part(of: source, dtype, call))
    }
  }

  private func gathered(_ plan: ScatterPlan) -> Tensor {
    let source = detached().contiguous()
    let storage = source.node.materialize()
    let base = storage.base + source.layout.offset * dtype.byteCount
    let result = withExtendedLifetime(storage) {
      Tensor(shape: plan.indexShape, dtype: dtype) { bytes in
        plan.copyElements(width: dtype.byteCount, from: base, to: bytes.baseAddress)
      }
    }
    let shape = shape
    return result.recorded("gathered(over:_:)", from: [self], runsAtOnce: true) {
      [Tensor.zeros(shape, dtype: $0.upstream.dtype).added(plan, $0.upstream)]
    }
  }

  private func added(_ plan: ScatterPlan, _ part: Tensor) -> Tensor {
    let wide: DType = dtype.isFloatingPoint ? .float64 : .int64
    let sum = detached().cast(to: wide)
      .put(plan, part.detached().cast(to: wide), adds: true).cast(to: dtype)
    return sum.recorded("scatteredAdding(over:_:_:)", from: [self, part], runsAtOnce: true) {
      [$0.upstream, $0.needs(1) ? $0.upstream.gathered(plan) : nil]
    }
  }

  /// A copy with the elements of `part` at the plan's places; wide types add.
  private func put(_ plan: ScatterPlan, _ part: Tensor, adds: Bool) -> Tensor {
    let target = contiguous()
    let source = part.contiguous()
    let (old, new) = (target.node.materialize(), source.node.materialize())
    let width = dtype.byteCount
    return withExtendedLifetime((old, new)) {
      Tensor(shape: shape, dtype: dtype) { bytes in
        guard let to = bytes.baseAddress else { return }
        to.copyMemory(from: old.base + target.layout.offset * width, byteCount: bytes.count)
        let from = new.base + source.layout.offset * width
        if !adds {
          plan.putElements(width: width, from: from, to: to)
        } else if dtype == .float64 {
          plan.addElements(
            from.assumingMemoryBound(to: Double.self), to.assumingMemoryBound(to: Double.self), +)
        } else {
          plan.addElements(
            from.assumingMemoryBound(to: Int64.self), to.assumingMemoryBound(to: Int64.self), &+)
        }
      }
    }
  }
}

/// Where each element of an index tensor points to in a tensor without gaps.
struct ScatterPlan: Sendable {
  let indexShape: [Int]
  private let places: [Int]

  init(_ shape: [Int], _ axis: Int, _ indices: Tensor, _ call: String) throws(TensorError) {
    guard indices.dtype.isInteger, indices.dtype != .bool else {
      throw TensorError(call, "indices hold \(indices.dtype), not integers")
    }
    // A number without an axis counts as a vector of one.
    let own = shape.isEmpty ? [1] : shape
    let given = indices.shape.isEmpty ? [1] : indices.shape
    indexShape = indices.shape
    let front = try Shape.axis(axis, of: own, call: call)
    if indices.count == 0 {
      places = []
      return
    }
    guard given.count == own.count,
      own.indices.allSatisfy({ $0 == front || given[$0] <= own[$0] })
    else {
      throw TensorError(
        call,
        "indices of shape \(indices.shape) do not fit shape \(shape): only axis \(axis) may be "
          + "longer")
    }
    let strides = Layout(contiguous: own).strides
    let numbers = indices.array(of: Int64.self)
    var places: [Int] = []
    places.reserveCapacity(numbers.count)
    var position = [Int](repeating: 0, count: given.count)
    for number in numbers {
      var index = Int(number)
      guard index >= -own[front] && index < own[front] else {
        throw TensorError(
          call,
          "index \(index) is out of range for axis \(axis) of shape \(shape); valid indices are "
            + "\(-own[front]) ..< \(own[front])")
      }
      if index < 0 { index += own[front] }
      var place = 0
      for k in own.indices { place += (k == front ? index : position[k]) * strides[k] }
      places.append(place)
      for k in position.indices.reversed() {
        position[k] += 1
        if position[k] < given[k] { break }
        position[k] = 0
      }
    }
    self.places = places
  }

  /// As much of `source` as there are indices.
  func part(of source: Tensor, _ dtype: DType, _ call: String) throws(TensorError) -> Tensor {
    guard source.dtype == dtype else {
      throw TensorError(
        call, "the source holds \(source.dtype), the tensor \(dtype); cast one of them")
    }
    guard source.rank == indexShape.count,
      zip(source.shape, indexShape).allSatisfy({ $0 >= $1 })
    else {
      throw TensorError(
        call, "a source of shape \(source.shape) is too small for indices of \(indexShape)")
    }
    return source.shape == indexShape ? source : source.taking(indexShape.map { Slice(to: $0) })
  }

  func copyElements(
    width: Int, from: UnsafeMutableRawPointer, to: UnsafeMutableRawPointer?
  ) {
    guard let to else { return }
    for (k, place) in places.enumerated() {
      (to + k * width).copyMemory(from: from + place * width, byteCount: width)
    }
  }

  func putElements(width: Int, from: UnsafeMutableRawPointer, to: UnsafeMutableRawPointer) {
    for (k, place) in places.enumerated() {
      (to + place * width).copyMemory(from: from + k * width, byteCount: width)
    }
  }

  func addElements<T>(
    _ from: UnsafeMutablePointer<T>, _ to: UnsafeMutablePointer<T>, _ add: (T, T) -> T
  ) {
    for (k, place) in places.enumerated() { to[place] = add(to[place], from[k]) }
  }
}
