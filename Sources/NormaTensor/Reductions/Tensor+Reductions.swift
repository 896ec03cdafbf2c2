import NormaKernels

// Reductions over no, one, several or all axes. Of few elements they run at once; otherwise they are pending,
// and sisters over the same tensor and axes share one trip over memory. Sums are carried in `float64` or `int64`, and their order
// follows from the shape and layout alone.

extension Tensor {
  /// The sum over `axes`, or over all axes if none are named; 0 of nothing.
  ///
  /// Real numbers are added in `float64` (those of `float64` with what each addition loses) and
  /// rounded once to the tensor's type; integers and truth values give `int64`, `uint64` itself, which
  /// wrap. NaN where there is one. Cost: one trip, shared with other reductions over the same axes. PyTorch:
  /// `torch.sum`.
  public func sum(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try reducedSum(axes, keepDims)
    }
  }

  /// `sum` over the listed axes, or over all if there are none.
  public func sum(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    sum(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The arithmetic mean over `axes`, or over all axes if none are named; NaN of nothing.
  ///
  /// mean = Σ x / n, in `float64`, rounded once to the tensor's type. Integers are refused; cast
  /// them first. Cost: one trip, shared with other reductions over the same axes. PyTorch:
  /// `torch.mean`.
  ///
  /// With a `mask`, nonzero where a value counts, or `weights`, how often it does, both of which
  /// broadcast to the shape: Σ w x / Σ w, in three trips. What does not count has no influence, NaN
  /// among it. Weights are not negative and get no gradient.
  public func mean(
    over axes: [Int], mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedMean(axes, keepDims)
        : try weightedMean(axes, mask, weights, keepDims, "mean(over:)")
    }
  }

  /// `mean` over the listed axes, or over all if there are none.
  public func mean(
    over axes: Int..., mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    mean(
      over: named(axes), mask: mask, weights: weights, keepDims: keepDims, file: file, line: line)
  }

  /// The variance over `axes`, or over all axes if none are named.
  ///
  /// variance = Σ (x - mean)² / (n - correction), with n the number of elements and the mean of the
  /// same elements. The default divides by n - 1, as PyTorch does; NumPy, Keras and Flax divide by
  /// n: `correction: 0`. Where n <= correction it is NaN if all values are equal (one value, by
  /// default) and infinite if not. A constant gives exactly 0. Accuracy: mean first, then centred
  /// squares, merged in `float64`. At any distance from zero at most 6 ulp in `float32`, 0.51 in
  /// half types, 12 in `float64`. Cost: one trip, shared with `mean`. PyTorch:
  /// `torch.var`.
  ///
  /// With a `mask` or `weights`, as in `mean`, n is the sum of weights, which count as repetitions.
  public func variance(
    over axes: [Int], correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedVariance(axes, correction, keepDims)
        : try weightedVariance(axes, correction, mask, weights, keepDims, "variance(over:)")
    }
  }

  /// `variance` over the listed axes, or over all if there are none.
  public func variance(
    over axes: Int..., correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    variance(
      over: named(axes), correction: correction, mask: mask, weights: weights, keepDims: keepDims,
      file: file, line: line)
  }

  /// The standard deviation over `axes`, or over all axes if none are named.
  ///
  /// std = √(Σ (x - mean)² / (n - correction)), with n the number of elements and the mean of the
  /// same elements. The default divides by n - 1, as PyTorch does; NumPy, Keras and Flax divide by
  /// n: `correction: 0`. Where n <= correction it is NaN if all values are equal (one value, by
  /// default) and infinite if not. A constant gives exactly 0. Accuracy: mean first, then centred
  /// squares, merged in `float64`. At any distance from zero at most 6 ulp in `float32`, 0.51 in
  /// half types, 12 in `float64`. Cost: one trip, shared with `mean`. PyTorch:
  /// `torch.std`.
  ///
  /// With a `mask` or `weights`, as in `mean`, n is the sum of weights, which count as repetitions.
  public func std(
    over axes: [Int], correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedStd(axes, correction, keepDims)
        : try weightedStd(axes, correction, mask, weights, keepDims, "std(over:)")
    }
  }

  /// `std` over the listed axes, or over all if there are none.
  public func std(
    over axes: Int..., correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    std(
      over: named(axes), correction: correction, mask: mask, weights: weights, keepDims: keepDims,
      file: file, line: line)
  }

  /// The smallest element over `axes`, or over all axes if none are named; NaN if there is one.
  ///
  /// Exact, in the tensor's type. Nothing has no smallest element and is refused. Cost: one trip,
  /// shared with other reductions over the same axes. PyTorch: `torch.amin`.
  public func min(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try reducedMin(axes, keepDims)
    }
  }

  /// `min` over the listed axes, or over all if there are none.
  public func min(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    min(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The largest element over `axes`, or over all axes if none are named; NaN if there is one.
  ///
  /// Exact, in the tensor's type. Nothing has no largest element and is refused. Cost: one trip,
  /// shared with other reductions over the same axes. PyTorch: `torch.amax`.
  public func max(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try reducedMax(axes, keepDims)
    }
  }

  /// `max` over the listed axes, or over all if there are none.
  public func max(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    max(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  // MARK: - Rules

  /// The reduction `result` over axes from the front, divided and with its root taken in `float64` if
  /// it is one of real numbers, then rounded to `type`. Of few elements at once, otherwise pending.
  func reduced(
    _ result: ReductionGroup.Result, over axes: [Int], keepDims: Bool, to type: DType,
    divisor: Double = 1, isRoot: Bool = false
  ) -> Tensor {
    let few = reducedAtOnce(
      result, over: axes, keepDims: keepDims, to: type, divisor: divisor, isRoot: isRoot)
    if let few {
      return isRoot ? few.correctedRoot(of: self, over: axes, divisor: divisor) : few
    }
    var wide = node.group(of: self, over: axes).tensor(result)
    if divisor != 1 { wide = wide / divisor }
    if isRoot { wide = wide.sqrt().correctedRoot(of: self, over: axes, divisor: divisor) }
    let finished = wide.cast(to: type)
    return keepDims ? finished : finished.dropping(axes)
  }

  /// The same elements without axes of size 1, in front of which `axes` are counted.
  private func dropping(_ axes: [Int]) -> Tensor {
    let left = layout.shape.indices.filter { !axes.contains($0) }
    return Tensor(
      node: node,
      layout: Layout(
        shape: left.map { layout.shape[$0] }, strides: left.map { layout.strides[$0] }, offset: 0))
  }

  /// How many elements a reduction over axes from the front takes to each result.
  func countPerResult(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * layout.shape[$1] } }

  /// The gradient of a reduction's result in the shape it has with reduced axes kept.
  static func kept(_ upstream: Tensor, _ shape: [Int], _ axes: [Int]) -> Tensor {
    upstream.reshaped(Shape.reduced(shape, over: axes, keepDims: true))
  }

  private func reducedSum(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let reduced = try Shape.axes(axes, of: shape, call: "sum(over:)")
    let sum = self.reduced(
      .sum, over: reduced, keepDims: keepDims, to: dtype.sumType)
    guard isRecording else { return sum }
    let shape = shape
    return sum.recorded("sum(over:)", from: [self]) {
      [Tensor.kept($0.upstream, shape, reduced).broadcast(to: shape)]
    }
  }

  private func reducedMean(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    try requireReal("mean(over:)")
    let reduced = try Shape.axes(axes, of: shape, call: "mean(over:)")
    let count = Double(countPerResult(reduced))
    let mean = self.reduced(
      .sum, over: reduced, keepDims: keepDims, to: dtype, divisor: count)
    guard isRecording else { return mean }
    let shape = shape
    return mean.recorded("mean(over:)", from: [self]) {
      [(Tensor.kept($0.upstream, shape, reduced) / count).broadcast(to: shape)]
    }
  }

  /// d variance / dx = 2 (x - mean) / (n - correction).
  private func reducedVariance(
    _ axes: [Int], _ correction: Double, _ keepDims: Bool
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let call = "variance(over:)"
    try requireReal(call)
    let reduced = try Shape.axes(axes, of: shape, call: call)
    let degrees = degrees(reduced, correction)
    let variance = self.reduced(
      .squares, over: reduced, keepDims: keepDims, to: dtype, divisor: degrees)
    guard isRecording else { return variance }
    let shape = shape
    return variance.recorded(call, from: [self], saving: [self]) { rule in
      // In `float64`, as large counts and small distances are nothing in half types.
      let scale = Tensor.kept(rule.upstream, shape, reduced).wide * (2 / degrees)
      return [rule.saved[0].singleOrWide.centered(over: reduced) * scale]
    }
  }

  /// d std / dx = (x - mean) / ((n - correction) std), and zero where all values are equal.
  private func reducedStd(
    _ axes: [Int], _ correction: Double, _ keepDims: Bool
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let call = "std(over:)"
    try requireReal(call)
    let reduced = try Shape.axes(axes, of: shape, call: call)
    let degrees = degrees(reduced, correction)
    let std = self.reduced(
      .squares, over: reduced, keepDims: keepDims, to: dtype, divisor: degrees, isRoot: true)
    guard isRecording else { return std }
    let shape = shape
    return std.recorded(call, from: [self], saving: [self], savesResult: true) { rule in
      let std = Tensor.kept(rule.result, shape, reduced).wide
      let quotient = Tensor.kept(rule.upstream, shape, reduced).wide / (std * degrees)
      return [
        rule.saved[0].singleOrWide.centered(over: reduced) * Tensor.where(std .== 0, 0, quotient)
      ]
    }
  }

  /// What squared distances are divided by.
  private func degrees(_ axes: [Int], _ correction: Double) -> Double {
    Swift.max(Double(countPerResult(axes)) - correction, 0)
  }

  /// x - mean over the axes, which come from the front; the mean in two numbers, as in a
  /// normalization.
  func centered(over axes: [Int]) -> Tensor {
    if axes.isEmpty { return self * 0 }
    return checked { () throws(TensorError) in
      let mean = detached().normalizationStatistics(over: axes).mean
      return try detached().centered(at: mean, call: "centered")
        .recorded("centered", from: [self]) { [$0.upstream.centered(over: axes)] }
    }
  }

  private func reducedMin(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
    try extreme(.minimum, axes, keepDims, "min(over:)")
  }

  private func reducedMax(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
    try extreme(.maximum, axes, keepDims, "max(over:)")
  }

  private func extreme(
    _ result: ReductionGroup.Result, _ axes: [Int], _ keepDims: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let front = try Shape.axes(axes, of: shape, call: call)
    if countPerResult(front) == 0 {
      throw TensorError(call, "shape \(shape) has no elements over axes \(front) to choose from")
    }
    let extreme = reduced(result, over: front, keepDims: keepDims, to: dtype)
    return isRecording ? extreme.sharedEvenly(from: self, over: front, call: call) : extreme
  }

  /// This result of a reduction of `source`, with a gradient that is shared evenly by all elements
  /// which equal it; where it is NaN, by those that are.
  func sharedEvenly(from source: Tensor, over axes: [Int], call: String) -> Tensor {
    let shape = source.shape
    return recorded(call, from: [source], saving: [source], savesResult: true) { rule in
      // The result of a slice with NaN is NaN.
      let isResult =
        (rule.saved[0] .== Tensor.kept(rule.result, shape, axes)) .| rule.saved[0].isNaN()
      let count = isResult.sum(over: axes, keepDims: true)
      let share = Tensor.kept(rule.upstream, shape, axes) / count
      return [Tensor.where(isResult, share, 0)]
    }
  }

  func requireReal(_ call: String) throws(TensorError) {
    guard dtype.isFloatingPoint else {
      throw TensorError(call, "\(dtype) has no mean of its own type; cast(to: .float32) first")
    }
  }
}
