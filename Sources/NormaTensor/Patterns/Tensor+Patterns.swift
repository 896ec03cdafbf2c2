// Reshaping, permuting, reducing and repeating by a pattern that names the axes before and after:
// `n c h w -> c (n h w)`. A pattern is parsed and planned once for a shape; what then runs are
// `reshaped`, reductions, `permuted` and `broadcast(to:)`, with their gradients.

extension Tensor {
  /// The same elements with their axes split, reordered and joined: `"n c h w -> c (n h w)"`.
  ///
  /// - Parameters:
  ///   - pattern: the axes before and after an arrow, by names. `(a b)` is one axis that holds a and b,
  ///     b running faster. `1` and `()` are an axis of size 1, and may come and go. `...` stands for all
  ///     axes without a name; in parentheses on the right it joins them.
  ///   - sizes: sizes of axes by name; in each pair of parentheses on the left all but one are needed.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Cost: a view where strides allow it, else one copy.
  /// - Errors: the pattern, with a caret under what is wrong.
  /// - einops: `rearrange`. PyTorch: `permute` and `reshape`.
  public func rearranged(
    _ pattern: String, _ sizes: [String: Int] = [:], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "rearranged(_:)"
      return try PatternPlan.kept(pattern, .rearranging, shape: shape, sizes: sizes, call: call)
        .apply(to: self, call: call) { x, _ in x }
    }
  }

  /// A reduction over all axes that are left of the arrow alone: `"n c h w -> 1 c 1 1"`.
  ///
  /// Patterns are those of ``rearranged(_:_:file:line:)``; a size without a name on the left is reduced,
  /// and `...` too if it is not on the right. Types, edge cases, accuracy and gradients are those of
  /// the reduction. `"n c (h 2) (w 2) -> n c h w"` with `.max` is a pooling. Cost: one trip; with what comes
  /// before it, if no axis is split. einops: `reduce`.
  public func reduced(
    _ pattern: String, by reduction: PatternReduction, _ sizes: [String: Int] = [:],
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "reduced(_:by:)"
      return try PatternPlan.kept(pattern, .reducing, shape: shape, sizes: sizes, call: call)
        .apply(to: self, call: call) { $1.isEmpty ? $0 : reduction($0, over: $1) }
    }
  }

  /// The elements repeated along axes that are right of the arrow alone: `"h w -> h w c"`.
  ///
  /// Patterns are those of ``rearranged(_:_:file:line:)``; new axes have a size in `sizes`, or are
  /// written as it: `"h w -> h (w 2)"`. Cost: a view where new axes stand alone, else one copy.
  /// einops: `repeat`. PyTorch: `expand`, `repeat`, `repeat_interleave`.
  public func repeated(
    _ pattern: String, _ sizes: [String: Int] = [:], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "repeated(_:)"
      return try PatternPlan.kept(pattern, .repeating, shape: shape, sizes: sizes, call: call)
        .apply(to: self, call: call) { x, _ in x }
    }
  }

  /// The sizes of named axes: `x.parsedShape("n c _ _")` is `["n": 6, "c": 64]`.
  ///
  /// `_` passes over an axis, `...` over several, a number is compared with the size. Empty after a
  /// mistake. einops: `parse_shape`.
  public func parsedShape(
    _ pattern: String, file: StaticString = #fileID, line: UInt = #line
  ) -> [String: Int] {
    if isPoisoned { return [:] }
    do throws(TensorError) {
      return try PatternSizes.sizes(pattern, shape: shape, call: "parsedShape(_:)")
    } catch {
      report(error, file: file, line: line)
      return [:]
    }
  }
}

extension Tensor {
  /// What ``Tensor/reduced(_:by:_:file:line:)`` does with elements that become one.
  public enum PatternReduction: Sendable, Hashable {
    /// `sum(over:)`, `mean(over:)`, `product(over:)`, `min(over:)` and `max(over:)`.
    case sum, mean, product, min, max
    /// `variance(over:)` and `std(over:)`, which divide by n - 1.
    case variance, std
    /// Whether one of them, or each of them, is not zero: truth values.
    case any, all

    func callAsFunction(_ x: Tensor, over axes: [Int]) -> Tensor {
      switch self {
      case .sum: x.sum(over: axes)
      case .mean: x.mean(over: axes)
      case .product: x.product(over: axes)
      case .min: x.min(over: axes)
      case .max: x.max(over: axes)
      case .variance: x.variance(over: axes)
      case .std: x.std(over: axes)
      case .any: x.any(over: axes)
      case .all: x.all(over: axes)
      }
    }
  }
}

extension PatternPlan {
  /// - Parameter reduce: reduces the axes that the plan takes away.
  func apply(
    to x: Tensor, call: String, _ reduce: (Tensor, [Int]) -> Tensor
  ) throws(TensorError) -> Tensor {
    _ = try Shape.count(stretched, call: call)
    // Steps that change nothing are left out: what is pending fuses with a reduction then.
    func shaped(_ x: Tensor, _ shape: [Int]) -> Tensor {
      x.shape == shape ? x : x.reshaped(shape)
    }
    let single = reduce(shaped(x, split), reduced)
    // Axes that go without a reduction have size 1.
    let kept = split.indices.filter { !reduced.contains($0) }.map { split[$0] }
    let inOrder = shaped(single, kept)
    let result = shaped(
      order == Array(order.indices) ? inOrder : inOrder.permuted(order), ones)
    return shaped(ones == stretched ? result : result.broadcast(to: stretched), shape)
  }
}
