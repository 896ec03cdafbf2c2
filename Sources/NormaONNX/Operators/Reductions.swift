import NormaTensor

extension OperatorTable {
  static var reductions: Entries {
    [
      "ReduceSum": reduction { $0.sum(over: $1, keepDims: $2) },
      "ReduceMean": reduction { $0.inRealType { $0.mean(over: $1, keepDims: $2) }($1, $2) },
      "ReduceMax": reduction { extreme($0, $1, $2, isLargest: true) },
      "ReduceMin": reduction { extreme($0, $1, $2, isLargest: false) },
      "ReduceProd": reduction { $0.product(over: $1, keepDims: $2) },
      "ReduceL1": reduction { $0.abs().sum(over: $1, keepDims: $2) },
      "ReduceL2": reduction {
        $0.inRealType { $0.squared().sum(over: $1, keepDims: $2).sqrt() }($1, $2)
      },
      "ReduceSumSquare": reduction { $0.squared().sum(over: $1, keepDims: $2) },
      "ReduceLogSum": reduction {
        $0.inRealType { $0.sum(over: $1, keepDims: $2).log() }($1, $2)
      },
      "ReduceLogSumExp": reduction {
        $0.inRealType { $0.logSumExp(over: $1, keepDims: $2) }($1, $2)
      },
      "ArgMax": argument(isLargest: true),
      "ArgMin": argument(isLargest: false),
      "CumSum": cumulative(neutral: 0) { $0.cumulativeSum(over: $1) },
      "CumProd": cumulative(neutral: 1) { $0.cumulativeProduct(over: $1) },
      "TopK": topK,
    ]
  }

  /// A reduction over axes from an attribute or an operand: all if there are none, unless
  /// `noop_with_empty_axes` says otherwise.
  private static func reduction(
    _ apply: @escaping (Tensor, [Int], Bool) -> Tensor
  ) -> Builder {
    { node in
      let axes = try node.integers("axes", input: 1)
      let keepDims = try node.flag("keepdims", true)
      let isNoop = try node.flag("noop_with_empty_axes")
      return { operands in
        let x = try operands.tensor(0)
        var over = try axes(operands) ?? []
        if over.isEmpty {
          if isNoop { return [.tensor(apply(x, [], true).cast(to: x.dtype))] }
          over = Array(x.shape.indices)
        }
        // Sums of narrow integers are wide; the result has the type of the operand.
        return [Value.tensor(apply(x, over, keepDims).cast(to: x.dtype)).onHost]
      }
    }
  }

  /// The largest or smallest element; of no elements, the end of the type.
  private static func extreme(
    _ x: Tensor, _ axes: [Int], _ keepDims: Bool, isLargest: Bool
  ) -> Tensor {
    if x.count == 0 {
      let sums = x.cast(to: .float32).sum(over: axes, keepDims: keepDims)
      if x.dtype.isFloatingPoint {
        return Tensor.full(
          sums.shape, isLargest ? -Double.infinity : .infinity, dtype: x.dtype)
      }
      let bounds = x.dtype.integerBounds ?? (0, 0)
      return isLargest
        ? Tensor.full(sums.shape, bounds.low, dtype: x.dtype)
        : Tensor.full(sums.shape, bounds.high, dtype: .uint64).cast(to: x.dtype)
    }
    return isLargest ? x.max(over: axes, keepDims: keepDims) : x.min(over: axes, keepDims: keepDims)
  }

  private static func argument(isLargest: Bool) -> Builder {
    { node in
      let (axis, keepDims) = try (node.int("axis", 0), node.flag("keepdims", true))
      let isLast = try node.flag("select_last_index")
      return { operands in
        var x = try operands.tensor(0)
        let axis = try x.axis(axis, operands)
        if isLast { x = x.flipped(over: axis) }
        let found =
          isLargest
          ? x.argmax(over: axis, keepDims: keepDims) : x.argmin(over: axis, keepDims: keepDims)
        return [.tensor(isLast ? x.shape[axis] - 1 - found : found)]
      }
    }
  }

  private static func cumulative(
    neutral: Double, _ apply: @escaping (Tensor, Int) -> Tensor
  ) -> Builder {
    { node in
      let (isExclusive, isReverse) = try (node.flag("exclusive"), node.flag("reverse"))
      return { operands in
        var x = try operands.tensor(0)
        guard let axis = operands.integers(1)?.first else { throw operands.failure("has no axis") }
        let along = try x.axis(axis, operands)
        let (dtype, length) = (x.dtype, x.shape[along])
        if isReverse { x = x.flipped(over: along) }
        if isExclusive {
          var amounts = [Int](repeating: 0, count: 2 * x.rank)
          amounts[2 * (x.rank - 1 - along)] = 1
          x = x.padded(amounts, mode: .constant(neutral)).narrowed(
            over: along, from: 0, count: length)
        }
        var result = apply(x, along)
        if isReverse { result = result.flipped(over: along) }
        return [.tensor(result.cast(to: dtype))]
      }
    }
  }

  private static func topK(_ node: NodeContext) throws -> GraphPlan.Run {
    let axis = try node.int("axis", -1)
    let (isLargest, isSorted) = try (node.flag("largest", true), node.flag("sorted", true))
    _ = isSorted  // A sorted result is one of those that an unsorted one may be.
    let fixed = try node.int("k")
    return { operands in
      let x = try operands.tensor(0)
      guard let k = fixed ?? operands.integers(1)?.first else { throw operands.failure("has no k") }
      let along = try x.axis(axis, operands)
      let (values, indices) = x.sorted(over: along, descending: isLargest)
      guard k >= 0, k <= x.shape[along] else {
        throw operands.failure("k \(k) for \(x.shape[along]) elements")
      }
      return [
        .tensor(values.narrowed(over: along, from: 0, count: k)),
        .tensor(indices.narrowed(over: along, from: 0, count: k)),
      ]
    }
  }
}

extension Tensor {
  /// A function of real numbers, for integers too: they pass through `float64`.
  fileprivate func inRealType(
    _ apply: @escaping (Tensor, [Int], Bool) -> Tensor
  ) -> ([Int], Bool) -> Tensor {
    { axes, keepDims in
      dtype.isFloatingPoint
        ? apply(self, axes, keepDims)
        : apply(cast(to: .float64), axes, keepDims).cast(to: dtype)
    }
  }
}
