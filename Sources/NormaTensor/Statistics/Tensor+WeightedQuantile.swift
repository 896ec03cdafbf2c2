import NormaValues

extension Tensor {
  /// Quantiles of masked or weighted elements: rows are sorted, and ranks are looked up in the
  /// running sums of their weights.
  func weightedQuantile(
    _ q: [Double], _ axes: [Int], _ interpolation: QuantileInterpolation, _ mask: Tensor?,
    _ weights: Tensor?, _ keepDims: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    let front = try checkQuantile(q, axes, call)
    if isPoisoned || mask?.isPoisoned ?? false || weights?.isPoisoned ?? false { return .poisoned }
    let share = try share(mask: mask, weights: weights, call: call)
      .broadcast(to: shape).joinedLast(front)
    let rows = joinedLast(front)
    let last = rows.rank - 1
    // Elements that do not count may be NaN. They are moved to the end, beyond every rank.
    let counts = share .> 0.0
    let (values, order) = Tensor.where(counts, rows, Double.infinity).sorted(over: last)
    let sums = share.gathered(order, over: last).cumulativeSum(over: last).wholeWhereNearly
    let total = sums.narrowed(over: last, from: rows.shape[last] - 1, count: 1)
    let largest = (total - 1).clamped(min: 0.0)
    let ranks = (Tensor(q, dtype: .float64) * largest).wholeWhereNearly
    let (low, high, weight) = interpolation.neighbours(of: ranks)
    func element(_ rank: Tensor) -> Tensor {
      // The first element whose running sum exceeds the rank.
      let index = sums.searchSorted(rank, right: true)
      return values.gathered(index.clamped(max: rows.shape[last] - 1), over: last)
    }
    let result = Tensor.between(element(low), element(high), weight)
    let isNaN = ((rows .!= rows) * counts).any(over: last, keepDims: true) + (total .== 0.0)
    return Tensor.where(isNaN, Double.nan, result).cast(to: dtype)
      .withQuantilesFirst(shape, front, keepDims)
  }

  /// Rounded to integers where they differ only by rounding errors.
  fileprivate var wholeWhereNearly: Tensor {
    let near = rounded()
    return .where((self - near).abs() .<= self * 0x1p-48, near, self)
  }
}

extension QuantileInterpolation {
  /// The ranks on both sides of non-negative ranks, and the weight of the upper ones.
  fileprivate func neighbours(of ranks: Tensor) -> (low: Tensor, high: Tensor, weight: Tensor) {
    let low = ranks.floor()
    let high = Tensor.where(low .== ranks, low, low + 1)
    let rest = ranks - low
    switch self {
    case .linear: return (low, high, rest)
    case .lower: return (low, low, rest * 0)
    case .higher: return (high, high, rest * 0)
    case .midpoint: return (low, high, Tensor.where(rest .== 0.0, rest, 0.5))
    case .nearest:
      // Halfway between, the even rank is taken.
      let near = ranks.rounded()
      return (near, near, rest * 0)
    }
  }
}
