// Draws of categories by weight, from the default generator as in Tensor+Random.swift.

extension Tensor {
  /// Draws categories in proportion to `weights`: `count` of them for each row.
  ///
  /// - Shapes: weights `[C]` give `[count]`, `[N, C]` give `[N, count]`, as `int64` in `0 ..< C`.
  /// - Parameters:
  ///   - weights: of a real type, not negative and finite; a row need not add up to 1. A category
  ///     of weight 0 is never drawn.
  ///   - count: how many are drawn from each row.
  ///   - replacement: whether a category may be drawn again. Without it, each further one is drawn
  ///     in proportion to the remaining weights.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Errors: weights that are negative, NaN or infinite; rows without a positive weight; without
  ///   replacement, rows with fewer positive weights than draws, where PyTorch continues with
  ///   weights of 0.
  /// - Accuracy: PyTorch's draws for the same seed and calls in `float32` and `float64`. Half types
  ///   are drawn in `float32`: in their own type many quotients would be equal, and the first of
  ///   them would always be drawn.
  /// - Cost: without replacement, and for one draw, a random number for each weight, then the
  ///   largest quotients; otherwise sums of the weights, and a binary search and a random number
  ///   for each draw.
  /// - PyTorch: `torch.multinomial(weights, count, replacement)`.
  public static func multinomial(
    _ weights: Tensor, count: Int, replacement: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if weights.isPoisoned { return .poisoned }
      let call = "multinomial(_:count:)"
      guard weights.rank == 1 || weights.rank == 2, weights.dtype.isFloatingPoint,
        weights.shape[weights.rank - 1] > 0
      else {
        throw TensorError(
          call,
          "expected weights of shape [C] or [N, C] and a real type, got \(weights.dtype) "
            + "\(weights.shape)")
      }
      guard count > 0 else { throw TensorError(call, "count must be at least 1, got \(count)") }
      let result = Array(weights.shape.dropLast()) + [count]
      _ = try Shape.count(result, call: call)
      let rows = weights.detached().cast(to: weights.dtype.isHalf ? .float32 : weights.dtype)
        .contiguous().evaluated()
      if rows.count == 0 { return .zeros(result, dtype: .int64) }
      try checkWeights(rows, draws: replacement ? 1 : count, call)
      return replacement && count > 1
        ? try drawnAgain(rows, count, call) : drawnOnce(rows, count)
    }
  }

  /// Draws one category for each row of scores, with the probabilities softmax(logits) over the
  /// last axis.
  ///
  /// Scores `[..., C]` give `int64` of shape `[...]`. Scores of -∞ are never drawn, which is how to
  /// rule categories out; a higher temperature draws more evenly:
  ///
  ///     var scores = logits / temperature
  ///     let worst = scores.topK(40).values.min(over: -1, keepDims: true)
  ///     scores = Tensor.where(scores .< worst, -Double.infinity, scores)
  ///     let next = Tensor.categorical(logits: scores)
  ///
  /// NaN, +∞ and rows in which every score is -∞ are errors. The draws are those of
  /// ``multinomial(_:count:replacement:file:line:)``.
  /// PyTorch: `torch.distributions.Categorical(logits=logits).sample()`.
  public static func categorical(
    logits: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if logits.isPoisoned { return .poisoned }
      let call = "categorical(logits:)"
      guard let classes = logits.shape.last, classes > 0, logits.dtype.isFloatingPoint else {
        throw TensorError(
          call,
          "expected scores of shape [..., C] and a real type, got \(logits.dtype) \(logits.shape)"
        )
      }
      let shape = Array(logits.shape.dropLast())
      if logits.count == 0 { return .zeros(shape, dtype: .int64) }
      let scores = logits.detached().cast(to: logits.dtype.isHalf ? .float32 : logits.dtype)
      let largest = scores.max(over: -1)
      guard (largest.abs() .< Double.infinity).all().item() != 0 else {
        throw TensorError(call, "a row of scores contains NaN or +inf, or only -inf")
      }
      let shares = scores.softmax(over: -1).reshaped(-1, classes)
      return drawnOnce(shares.contiguous().evaluated(), 1).reshaped(shape)
    }
  }

  /// Throws if a row has no distribution, or fewer categories than draws.
  private static func checkWeights(
    _ rows: Tensor, draws: Int, _ call: String
  ) throws(TensorError) {
    let (least, greatest) = (rows.min().item(), rows.max().item())
    guard least >= 0, greatest < .infinity else {
      throw TensorError(
        call, "weights range from \(least) to \(greatest); they must be finite and not negative")
    }
    let possible = (rows .> 0).sum(over: -1).min().item(as: Int.self)
    guard possible > 0 else { throw TensorError(call, "a row has no weight above 0") }
    guard possible >= draws else {
      throw TensorError(
        call,
        "\(draws) draws without replacement need as many weights above 0; a row has \(possible)")
    }
  }

  /// Without replacement: the largest quotients of weights and exponential numbers, largest first.
  /// Of exponential clocks with these rates, each rings first with a probability equal to its share
  /// of the sum of rates.
  private static func drawnOnce(_ rows: Tensor, _ count: Int) -> Tensor {
    let clocks = exponential(rows.shape, dtype: rows.dtype)
    // A weight of 0 is never drawn, even if its clock rings at 0.
    let keys = Tensor.where(rows .> 0, rows / clocks, -1)
    return count == 1 ? keys.argmax(over: -1, keepDims: true) : keys.topK(count).indices
  }

  /// With replacement: finds uniform numbers among the running sums of the weights, which are
  /// computed one by one in the weights' type, as PyTorch does.
  private static func drawnAgain(
    _ rows: Tensor, _ count: Int, _ call: String
  ) throws(TensorError) -> Tensor {
    let shape = Array(rows.shape.dropLast()) + [count]
    let points = rand(shape, dtype: .float64).array(of: Double.self)
    let classes = rows.shape[rows.rank - 1]
    let drawn =
      rows.dtype == .float64
      ? categories(rows.array(of: Double.self), classes, at: points, count)
      : categories(rows.array(of: Float.self), classes, at: points, count)
    guard let drawn else {
      throw TensorError(call, "the weights of a row add up to more than \(rows.dtype) holds")
    }
    return Tensor(drawn, shape: shape)
  }

  /// Nil if a sum is infinite.
  private static func categories<T: BinaryFloatingPoint>(
    _ weights: [T], _ classes: Int, at points: [Double], _ count: Int
  ) -> [Int64]? {
    var drawn: [Int64] = []
    drawn.reserveCapacity(points.count)
    var sums = [Double](repeating: 0, count: classes)
    for row in 0..<(weights.count / classes) {
      var sum: T = 0
      for index in 0..<classes { sum += weights[row * classes + index] }
      guard sum.isFinite else { return nil }
      var part: T = 0
      for index in 0..<classes {
        part += weights[row * classes + index]
        sums[index] = Double(part / sum)
      }
      for point in points[(row * count)..<((row + 1) * count)] {
        var (low, high) = (0, classes - 1)
        while low < high {
          let middle = (low + high) / 2
          // A point at 0 never selects a weight of 0.
          if sums[middle] < point || sums[middle] == 0 {
            low = middle + 1
          } else {
            high = middle
          }
        }
        drawn.append(Int64(low))
      }
    }
    return drawn
  }
}
