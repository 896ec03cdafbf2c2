import NormaKernels
import NormaValues

// Quantiles: elements by rank, selected without sorting long rows, with interpolation.

extension Tensor {
  /// The quantile `q` over `axes`, or over all axes if none are named.
  ///
  /// The element of rank q (n - 1) among the n elements in ascending order, counted from 0; between
  /// two elements as `interpolation` says.
  ///
  /// - Parameters:
  ///   - q: from 0, the smallest, to 1, the largest; 0.5 is the median.
  ///   - axes: the axes to reduce; all if none are named.
  ///   - interpolation: how to interpolate between two elements.
  ///   - mask: nonzero where an element counts; broadcasts to the shape.
  ///   - weights: how many times each element counts, not negative; broadcasts to the shape. The
  ///     rank is q (Σ w - 1) among the elements, each repeated that many times.
  ///   - keepDims: whether to keep reduced axes with size 1.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: NaN if an element that counts is NaN, or if none counts. Interpolation between
  ///   equal infinities gives that infinity, and between opposite ones NaN (PyTorch: NaN also
  ///   between equal ones).
  /// - Accuracy: ranks and interpolation in `float64`, rounded once. The gradient goes to the
  ///   elements by their weights; `weights` get none.
  /// - Cost: three or four passes over a row for each end of an interval, or a sort if the rows are
  ///   short, there are many quantiles, or there are weights. Memory besides the result: 64 bytes
  ///   per result, a copy if the axes are not the fastest in memory, and for each thread 16 bytes
  ///   per element of one row (32 for `float64`), of which long rows use a quarter; with weights
  ///   100 bytes per element.
  /// - PyTorch: `torch.quantile`, which sorts, and does not accept more than 16 million elements.
  public func quantile(
    _ q: Double, over axes: Int..., interpolation: QuantileInterpolation = .linear,
    mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    quantile(
      [q], over: named(axes), interpolation: interpolation, mask: mask, weights: weights,
      keepDims: keepDims, file: file, line: line
    ).first(isAlone: true)
  }

  /// Several quantiles, along a new first axis; see
  /// ``quantile(_:over:interpolation:mask:weights:keepDims:file:line:)-(Double,_,_,_,_,_,_,_)``.
  public func quantile(
    _ q: [Double], over axes: [Int]? = nil, interpolation: QuantileInterpolation = .linear,
    mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "quantile(_:over:)"
      if mask != nil || weights != nil {
        return try weightedQuantile(
          q, axes ?? Array(shape.indices), interpolation, mask, weights, keepDims, call)
      }
      return try quantiles(q, axes ?? Array(shape.indices), interpolation, .wins, keepDims, call)
    }
  }

  /// Quantiles for a scalar or a vector `q` that gradients reach as well: along a new first axis
  /// for a vector.
  ///
  /// The gradient of q is (n - 1) times the difference of the two elements around the result for
  /// linear interpolation, and 0 for the others.
  public func quantile(
    _ q: Tensor, over axes: [Int]? = nil, interpolation: QuantileInterpolation = .linear,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(q, file: file, line: line) { () throws(TensorError) in
      let call = "quantile(_:over:)"
      guard q.rank <= 1, q.dtype.isFloatingPoint else {
        throw TensorError(call, "q must be a real scalar or vector, got \(q.dtype) \(q.shape)")
      }
      let moves = interpolation == .linear && q.hasHistory ? q.reshaped(-1).cast(to: .float64) : nil
      let result = try quantiles(
        q.array(), axes ?? Array(shape.indices), interpolation, .wins, keepDims, call,
        following: moves)
      return q.rank == 0 ? result.first(isAlone: true) : result
    }
  }

  /// The quantile `q` over `axes`, or over all axes if none are named, ignoring NaN; NaN if nothing
  /// is left. PyTorch: `torch.nanquantile`.
  public func nanQuantile(
    _ q: Double, over axes: Int..., interpolation: QuantileInterpolation = .linear,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    nanQuantile(
      [q], over: named(axes), interpolation: interpolation, keepDims: keepDims, file: file,
      line: line
    ).first(isAlone: true)
  }

  /// Several quantiles, ignoring NaN, along a new first axis. PyTorch: `torch.nanquantile`.
  public func nanQuantile(
    _ q: [Double], over axes: [Int]? = nil, interpolation: QuantileInterpolation = .linear,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try quantiles(
        q, axes ?? Array(shape.indices), interpolation, .ignored, keepDims, "nanQuantile(_:over:)")
    }
  }

  /// The only element along the first axis.
  private func first(isAlone: Bool) -> Tensor { isPoisoned ? self : squeezed(0) }

  private func quantiles(
    _ q: [Double], _ axes: [Int], _ interpolation: QuantileInterpolation, _ rule: RowRanks.NaNRule,
    _ keepDims: Bool, _ call: String, following moves: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    let front = try checkQuantile(q, axes, call)
    if isPoisoned { return self }
    if isWidened {
      return try widened.quantiles(q, axes, interpolation, rule, keepDims, call, following: moves)
    }
    let rows = joinedLast(front)
    let ranks = RowRanks(fractions: q, interpolation, nan: rule)
    var (low, high, weight) = rows.neighbours(ranks, call)
    if let moves {
      // Adds zero, but carries the gradient of the rank.
      weight = weight + (moves - moves.detached()) * Double(rows.shape[rows.rank - 1] - 1)
    }
    let result = ranks.isBetween ? Tensor.between(low, high, weight) : low
    return result.cast(to: dtype).withQuantilesFirst(shape, front, keepDims)
  }

  /// The reduced axes from the front; throws if the call is not valid.
  func checkQuantile(_ q: [Double], _ axes: [Int], _ call: String) throws(TensorError) -> [Int] {
    if isPoisoned { return [] }
    try requireReal(call)
    if let wrong = q.first(where: { !(0...1).contains($0) }) {
      throw TensorError(call, "q = \(wrong) is outside of 0 ... 1")
    }
    let front = try Shape.axes(axes, of: shape, call: call)
    if front.contains(where: { shape[$0] == 0 }) {
      throw TensorError(call, "shape \(shape) has no elements over axes \(front) to choose from")
    }
    return front
  }

  /// low + weight (high - low) in `float64`; at an infinity, the result is that infinity, unless
  /// the other is the opposite one.
  static func between(_ low: Tensor, _ high: Tensor, _ weight: Tensor) -> Tensor {
    let (a, b) = (low.cast(to: .float64), high.cast(to: .float64))
    let stays = a.isInfinite() .& (b .!= -a)
    return .where(stays, a, a + (b - a) * weight)
  }

  /// Results of shape [kept..., quantiles] as [quantiles, shape after the reduction].
  func withQuantilesFirst(_ shape: [Int], _ axes: [Int], _ keepDims: Bool) -> Tensor {
    let count = self.shape[rank - 1]
    let order = [rank - 1] + Array(0..<(rank - 1))
    return permuted(order)
      .reshaped([count] + Shape.reduced(shape, over: axes, keepDims: keepDims))
  }
}
