import NormaValues

extension Tensor {
  /// Count, mean and sum of squared distances over `axes`, or over all axes if none are named, in
  /// `Double`: a value that can be merged with the moments of other data.
  ///
  /// The groups are the kept axes in row-major order. Integers are not allowed; cast them first.
  /// Runs eagerly.
  ///
  /// - Parameters:
  ///   - axes: the axes to reduce, counted from the front or, if negative, from the end; all if
  ///     none are named.
  ///   - mask: nonzero where a value counts; other values, even NaN, have no influence. Broadcasts
  ///     to the shape.
  ///   - weights: how many times each value counts, not negative: `n = Σ w`. Broadcasts to the
  ///     shape.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: a group without values has count 0, mean NaN and m2 0.
  /// - Accuracy: the mean to the last bits of a `Double`; m2 of `float32` to 6 ulp of `float32`, at
  ///   any distance from zero. With a mask or weights everything is computed in `Double`.
  /// - Cost: one pass. PyTorch has `torch.var_mean`, whose results cannot be merged, and which
  ///   takes neither mask nor weights.
  public func moments(
    over axes: Int..., mask: Tensor? = nil, weights: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Moments {
    moments(over: named(axes), mask: mask, weights: weights, file: file, line: line)
  }

  /// ``moments(over:mask:weights:file:line:)-(Int...,_,_,_,_)`` with the axes in an array.
  public func moments(
    over axes: [Int], mask: Tensor? = nil, weights: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Moments {
    // One empty group, so that reading the first does not end the process.
    let nothing = Moments(count: [0], mean: [.nan], m2: [0], shape: [])
    let call = "moments(over:)"
    return checked(file: file, line: line, call: call, else: nothing) { () throws(TensorError) in
      if isPoisoned || mask?.isPoisoned ?? false || weights?.isPoisoned ?? false { return nothing }
      try demand(dtype.isFloatingPoint, call, "\(dtype) is not real; cast(to: .float32) first")
      let front = try Shape.axes(axes, of: shape, call: call)
      let kept = Shape.reduced(shape, over: front, keepDims: false)
      guard mask == nil && weights == nil else {
        let statistics = try detached().weightedStatistics(
          over: front, mask: mask, weights: weights, call: call)
        return Moments(
          count: statistics.count.array(), mean: statistics.mean.array(),
          m2: statistics.squares.array(), shape: kept)
      }
      let count = Double(countPerResult(front))
      let (means, squares) = meansAndSquares(over: front, count: count)
      return Moments(count: means.map { _ in count }, mean: means, m2: squares, shape: kept)
    }
  }

  private func meansAndSquares(
    over axes: [Int], count: Double
  ) -> (means: [Double], squares: [Double]) {
    let group = node.group(of: self, over: axes)
    let (squares, sum) = (group.tensor(.squares), group.tensor(.sum))
    var results = ((sum / count).array(of: Double.self), squares.array(of: Double.self))
    // A `float64` sum may be infinite although the mean is not; the moments of values scaled to
    // about 1 show that.
    guard dtype == .float64, count > 1, !results.0.allSatisfy(\.isFinite),
      let scales = scalesToOne(
        over: axes, for: results.0, isCentered: false, unless: \.isFinite)
    else { return results }
    let scale = Tensor(scales, shape: Shape.reduced(shape, over: axes, keepDims: true))
    let (means, distances) = (detached() * scale).meansAndSquares(over: axes, count: count)
    for index in scales.indices where !results.0[index].isFinite {
      results.0[index] = means[index] / scales[index]
      results.1[index] = distances[index] / scales[index] / scales[index]
    }
    return results
  }

  /// The statistics of masked or weighted values, in `float64`; reduced axes have size 1. Masked
  /// values have no influence, whatever they are.
  package func weightedStatistics(
    over axes: [Int], mask: Tensor?, weights: Tensor?, call: String
  ) throws(TensorError) -> (count: Tensor, mean: Tensor, squares: Tensor) {
    let share = try share(mask: mask, weights: weights, call: call)
    if node.depth >= Limits.depthLimit { evaluated() }
    let group = ReductionGroup(source: detached(), companion: share, axes: axes)
    let count = group.tensor(.weightedCount)
    let mean = group.tensor(.weightedMean).recorded(call, from: [self], saving: [share, count]) {
      rule in
      let (share, count) = (rule.saved[0], rule.saved[1])
      return [Tensor.where(share .> 0.0, rule.upstream * share / count, 0.0)]
    }
    let squares = group.tensor(.weightedSquares)
      .recorded(call, from: [self], saving: [self, share, mean]) { rule in
        let (share, distance) = (rule.saved[1], rule.saved[0].cast(to: .float64) - rule.saved[2])
        return [Tensor.where(share .> 0.0, rule.upstream * share * distance * 2, 0.0)]
      }
    return (count, mean, squares)
  }

  /// The weight of each element, in `float64` and this shape.
  func share(mask: Tensor?, weights: Tensor?, call: String) throws(TensorError) -> Tensor {
    for (name, tensor) in [("mask", mask), ("weights", weights)] {
      if let tensor, !tensor.stretches(to: shape) {
        throw TensorError(call, "\(name) of shape \(tensor.shape) does not broadcast to \(shape)")
      }
    }
    // Broadcast first: masks are then read directly, and never stored in `float64`.
    var factor = mask.map {
      $0.detached().cast(to: .bool).broadcast(to: shape).cast(to: .float64)
    }
    if let weights = weights?.detached() {
      guard weights.dtype != .bool else {
        throw TensorError(call, "weights must be numbers, got bool; pass Booleans as mask:")
      }
      if weights.count > 0, !(weights.cast(to: .float64).min().item() >= 0) {
        throw TensorError(call, "weights must not be negative or NaN")
      }
      factor = factor.map { $0 * weights.cast(to: .float64) } ?? weights.cast(to: .float64)
    }
    // A view would be stored before a program reads it.
    if let factor, factor.shape == shape { return factor }
    return (factor ?? .ones([], dtype: .float64)).broadcast(to: shape)
  }

  /// Whether the tensor broadcasts to a shape without making it larger.
  package func stretches(to target: [Int]) -> Bool {
    let shift = target.count - rank
    return shift >= 0
      && shape.indices.allSatisfy { shape[$0] == 1 || shape[$0] == target[$0 + shift] }
  }
}
