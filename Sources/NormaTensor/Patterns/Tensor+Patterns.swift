// Reshaping, permuting, reducing and repeating by a pattern that names the axes before and after:
// `n c h w -> c (n h w)`. A pattern is parsed and planned once per shape; it then runs as
// `reshaped`, reductions, `permuted` and `broadcast(to:)`, with their gradients.

extension Tensor {
  /// The same elements with their axes split, reordered and joined: `"n c h w -> c (n h w)"`.
  ///
  /// - Parameters:
  ///   - pattern: the names of the axes before and after an arrow. `(a b)` is one axis made of a
  ///     and b, with b varying faster. `1` and `()` are an axis of size 1, which may be added or
  ///     dropped. `...` means all axes without a name; in parentheses on the right it merges them.
  ///   - sizes: sizes of axes by name; in each pair of parentheses on the left all but one are
  ///     needed.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Cost: a view if the strides allow it, otherwise one copy.
  /// - Errors: quote the pattern, with a caret under the faulty part.
  /// - einops: `rearrange`. PyTorch: `permute` and `reshape`.
  public func rearranged(
    _ pattern: String, _ sizes: [String: Int] = [:], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    following(pattern, .rearranging, sizes, "rearranged(_:)", file, line)
  }

  /// A reduction over all axes that are only on the left of the arrow: `"n c h w -> 1 c 1 1"`.
  ///
  /// Patterns are those of ``rearranged(_:_:file:line:)``; an unnamed size on the left is reduced,
  /// and so is `...` if it is not on the right. Types, edge cases, accuracy and gradients are those
  /// of the reduction. `"n c (h 2) (w 2) -> n c h w"` with `.max` is a pooling. Cost: one pass;
  /// fused with the operations before it, if no axis is split. einops: `reduce`.
  public func reduced(
    _ pattern: String, by reduction: PatternReduction, _ sizes: [String: Int] = [:],
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    following(pattern, .reducing, sizes, "reduced(_:by:)", file, line) {
      $1.isEmpty ? $0 : reduction($0, over: $1)
    }
  }

  /// The elements repeated along axes that are only on the right of the arrow: `"h w -> h w c"`.
  ///
  /// Patterns are those of ``rearranged(_:_:file:line:)``; the size of a new axis is in `sizes`, or
  /// written in the pattern: `"h w -> h (w 2)"`. Cost: a view if new axes are outside of
  /// parentheses, otherwise one copy. einops: `repeat`. PyTorch: `expand`, `repeat`,
  /// `repeat_interleave`.
  public func repeated(
    _ pattern: String, _ sizes: [String: Int] = [:], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    following(pattern, .repeating, sizes, "repeated(_:)", file, line)
  }

  private func following(
    _ pattern: String, _ kind: PatternPlan.Kind, _ sizes: [String: Int], _ call: String,
    _ file: StaticString, _ line: UInt, _ reduce: (Tensor, [Int]) -> Tensor = { x, _ in x }
  ) -> Tensor {
    checked(self, file: file, line: line, call: call) { () throws(TensorError) in
      return try PatternPlan.kept(pattern, kind, shape: shape, sizes: sizes, call: call)
        .apply(to: self, call: call, reduce)
    }
  }

  /// The sizes of named axes: `x.parsedShape("n c _ _")` is `["n": 6, "c": 64]`.
  ///
  /// `_` skips an axis, `...` several; a number is compared with the size. Empty after a mistake.
  /// einops: `parse_shape`.
  public func parsedShape(
    _ pattern: String, file: StaticString = #fileID, line: UInt = #line
  ) -> [String: Int] {
    if isPoisoned { return [:] }
    let call = "parsedShape(_:)"
    return checked(file: file, line: line, call: call, else: [:]) { () throws(TensorError) in
      try PatternSizes.sizes(pattern, shape: shape, call: call)
    }
  }

  /// The reduction that ``Tensor/reduced(_:by:_:file:line:)`` applies.
  public enum PatternReduction: Sendable, Hashable {
    /// `sum(over:)`, `mean(over:)`, `product(over:)`, `min(over:)` and `max(over:)`.
    case sum, mean, product, min, max
    /// `variance(over:)` and `std(over:)`, which divide by n - 1.
    case variance, std
    /// Whether any or all of the elements are nonzero: Booleans.
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
  /// - Parameter reduce: reduces the axes that the plan removes.
  func apply(
    to x: Tensor, call: String, _ reduce: (Tensor, [Int]) -> Tensor
  ) throws(TensorError) -> Tensor {
    _ = try Shape.count(stretched, call: call)
    // Steps that change nothing are skipped, so that pending operations fuse with a reduction.
    func shaped(_ x: Tensor, _ shape: [Int]) -> Tensor {
      x.shape == shape ? x : x.reshaped(shape)
    }
    let single = reduce(shaped(x, split), reduced)
    // Axes that are dropped without a reduction have size 1.
    let kept = split.indices.filter { !reduced.contains($0) }.map { split[$0] }
    let inOrder = shaped(single, kept)
    let result = shaped(
      order == Array(order.indices) ? inOrder : inOrder.permuted(order), ones)
    return shaped(ones == stretched ? result : result.broadcast(to: stretched), shape)
  }
}
