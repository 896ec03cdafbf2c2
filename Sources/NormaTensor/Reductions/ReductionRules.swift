import NormaValues

// The checks and records of reductions, with their gradients.

extension Tensor {
  /// The reduction `result` over axes from the front; for real numbers, divided in `float64` and,
  /// if wanted, with its root taken, then rounded to `type`. Eager for few elements, otherwise
  /// pending.
  @inline(never)
  func reduced(
    _ result: ReductionGroup.Result, over axes: [Int], keepDims: Bool, to type: DType,
    divisor: Double = 1, isRoot: Bool = false
  ) -> Tensor {
    let few = reducedAtOnce(
      result, over: axes, keepDims: keepDims, to: type, divisor: divisor, isRoot: isRoot)
    func noted(_ value: Tensor) -> Tensor {
      value.noted(
        .reduction(
          "\(result)", axes: axes, keepsAxes: keepDims, divisor: divisor, isRoot: isRoot), [self])
    }
    if let few {
      return noted(isRoot ? few.correctedRoot(of: self, over: axes, divisor: divisor) : few)
    }
    var wide = node.group(of: self, over: axes).tensor(result)
    if divisor != 1 { wide = wide / divisor }
    if isRoot { wide = wide.sqrt().correctedRoot(of: self, over: axes, divisor: divisor) }
    let finished = wide.cast(to: type)
    return noted(keepDims ? finished : finished.dropping(axes))
  }

  /// The same elements without axes of size 1, which are counted from the front.
  private func dropping(_ axes: [Int]) -> Tensor {
    let left = layout.shape.indices.filter { !axes.contains($0) }
    return Tensor(
      node: node,
      layout: Layout(
        shape: left.map { layout.shape[$0] }, strides: left.map { layout.strides[$0] }, offset: 0))
  }

  /// The number of elements per result of a reduction over axes from the front.
  func countPerResult(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * layout.shape[$1] } }

  /// The gradient of a reduction's result, in the shape with reduced axes kept.
  static func kept(_ upstream: Tensor, _ shape: [Int], _ axes: [Int]) -> Tensor {
    upstream.reshaped(Shape.reduced(shape, over: axes, keepDims: true))
  }

  func reducedSum(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
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

  func reducedMean(_ axes: [Int], _ keepDims: Bool) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    try requireReal("mean(over:)")
    let reduced = try Shape.axes(axes, of: shape, call: "mean(over:)")
    let count = Double(countPerResult(reduced))
    let mean = self.reduced(
      .sum, over: reduced, keepDims: keepDims, to: dtype, divisor: count
    ).correctedMean(of: self, over: reduced, count: count)
    guard isRecording else { return mean }
    let shape = shape
    return mean.recorded("mean(over:)", from: [self]) {
      [(Tensor.kept($0.upstream, shape, reduced) / count).broadcast(to: shape)]
    }
  }

  /// The variance, with d variance / dx = 2 (x - mean) / (n - correction); or its root, with
  /// d std / dx = (x - mean) / ((n - correction) std), and zero where all values are equal.
  func reducedVariance(
    _ axes: [Int], _ correction: Double, _ keepDims: Bool, isRoot: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    try requireReal(call)
    let reduced = try Shape.axes(axes, of: shape, call: call)
    let degrees = Swift.max(Double(countPerResult(reduced)) - correction, 0)
    let result = self.reduced(
      .squares, over: reduced, keepDims: keepDims, to: dtype, divisor: degrees, isRoot: isRoot)
    guard isRecording else { return result }
    let shape = shape
    return result.recorded(call, from: [self], saving: [self], savesResult: isRoot) { rule in
      // In `float64`, because half types cannot hold large counts and small distances.
      let upstream = Tensor.kept(rule.upstream, shape, reduced).wide
      let distance = rule.saved[0].singleOrWide.centered(over: reduced)
      if !isRoot { return [distance * (upstream * (2 / degrees))] }
      let std = Tensor.kept(rule.result, shape, reduced).wide
      return [distance * Tensor.where(std .== 0, 0, upstream / (std * degrees))]
    }
  }

  /// x - mean over the axes, which are counted from the front; the mean is carried in two numbers,
  /// as in a normalization.
  func centered(over axes: [Int]) -> Tensor {
    if axes.isEmpty { return self * 0 }
    return checked { () throws(TensorError) in
      let mean = detached().normalizationStatistics(over: axes).mean
      return try detached().centered(at: mean, call: "centered")
        .recorded("centered", from: [self]) { [$0.upstream.centered(over: axes)] }
    }
  }

  /// The minimum or maximum.
  @inline(never)
  func extreme(
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
  /// that equal it; if it is NaN, by those that are NaN.
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
