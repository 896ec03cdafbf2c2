import NormaKernels
import NormaValues

/// How elements with the same index are combined.
public enum ScatterReduction: Sendable, Hashable, CaseIterable {
  /// Their sum. PyTorch: `sum`.
  case sum
  /// Their product. PyTorch: `prod`.
  case product
  /// Their mean. PyTorch: `mean`.
  case mean
  /// The smallest. PyTorch: `amin`.
  case min
  /// The largest. PyTorch: `amax`.
  case max

  fileprivate var loop: IndexedAxis.Reduction {
    switch self {
    case .sum, .mean: .sum
    case .product: .product
    case .min: .minimum
    case .max: .maximum
    }
  }

  /// The identity element of the operation.
  fileprivate func identity(_ dtype: DType) -> Tensor {
    switch self {
    case .sum, .mean: return Tensor(0, dtype: dtype)
    case .product: return Tensor(1, dtype: dtype)
    case .min, .max:
      if dtype.isFloatingPoint {
        return Tensor(self == .min ? Double.infinity : -Double.infinity, dtype: dtype)
      }
      let (low, high) = dtype.integerBounds ?? (.min, UInt64(Int64.max))
      return self == .min ? Tensor(high, dtype: dtype) : Tensor(low, dtype: dtype)
    }
  }
}

extension Tensor {
  /// This `[outer, size, inner]` with `part`, `[outer, count, inner]`, reduced into it at the
  /// indices.
  func scattered(
    _ part: Tensor, at indices: AxisIndices, _ reduction: ScatterReduction, _ includesSelf: Bool
  ) throws(TensorError) -> Tensor {
    let (x, new) = (detached(), part.detached())
    let start =
      includesSelf
      ? x
      : try x.replaced(by: reduction.identity(dtype).broadcast(to: indices.narrow), at: indices)
    let result: Tensor
    if reduction == .mean {
      let wide = try start.reduced(.sum, with: new, at: indices)
      if dtype == .uint64 {
        let counts = try indices.counts(shape, includesSelf, wide.dtype).cast(to: dtype)
        result = Tensor.divide(wide.cast(to: dtype), counts, rounding: .floor).evaluated()
      } else {
        result = wide.dividedDown(by: try indices.counts(shape, includesSelf, wide.dtype))
          .cast(to: dtype).evaluated()
      }
    } else {
      result = try start.combined(reduction.loop, with: new, at: indices)
    }
    return result.recorded(
      indices.call, from: [self, part], saving: [self, part], savesResult: true, runsAtOnce: true
    ) { rule in
      let gradient = ScatterGradient(
        rule: rule, indices: indices, reduction: reduction, includesSelf: includesSelf)
      return gradient.both()
    }
  }

  /// A quotient; for integers, rounded down.
  fileprivate func dividedDown(by counts: Tensor) -> Tensor {
    if dtype.isFloatingPoint { return self / counts }
    let (count, threads) = (count, TensorThreads.count)
    return .computed(.int64, Layout(contiguous: shape), from: [self, counts]) { at, result in
      IndexedAxis.floorDivide(
        at[0].assumingMemoryBound(to: Int64.self), at[1].assumingMemoryBound(to: Int64.self),
        into: result.assumingMemoryBound(to: Int64.self), count: count, threads: threads)
    }
  }
}

extension AxisIndices {
  /// How many elements have each index of the wide side; 1 if there are none.
  fileprivate func counts(
    _ wide: [Int], _ includesSelf: Bool, _ dtype: DType
  ) throws(TensorError) -> Tensor {
    let start = Tensor(includesSelf ? 1 : 0, dtype: dtype).broadcast(to: wide)
    let counts = try start.reduced(
      .sum, with: Tensor(1, dtype: dtype).broadcast(to: narrow), at: self)
    return includesSelf ? counts : maximum(counts, Tensor(1, dtype: dtype)).evaluated()
  }
}

/// The gradients of a scatter reduction: with respect to the tensor, and to the source.
private struct ScatterGradient {
  let rule: Backward
  let indices: AxisIndices
  let reduction: ScatterReduction
  let includesSelf: Bool

  func both() -> [Tensor?] {
    do throws(TensorError) {
      let (own, part) = try gradients()
      // Elements that were replaced do not affect the result.
      let kept =
        includesSelf || !rule.needs(0)
        ? own : try own.replaced(by: number(0).broadcast(to: indices.narrow), at: indices)
      return [kept, part]
    } catch {
      report(error, file: #fileID, line: #line)
      return [.poisoned, .poisoned]
    }
  }

  private var upstream: Tensor { rule.upstream }
  private func number(_ value: Double) -> Tensor { Tensor(value, dtype: upstream.dtype) }

  private func gradients() throws(TensorError) -> (Tensor, Tensor) {
    switch reduction {
    case .sum: return (upstream, try upstream.picked(indices))
    case .mean:
      let counts = try indices.counts(upstream.shape, includesSelf, .float64)
      let shared = (upstream / counts.cast(to: upstream.dtype)).evaluated()
      return (shared, try shared.picked(indices))
    case .product: return try ofProducts()
    case .min, .max: return try ofExtremes()
    }
  }

  /// The product of the others: the total divided by one, or recomputed without it if it is zero.
  private func ofProducts() throws(TensorError) -> (Tensor, Tensor) {
    let (x, part, result) = (rule.saved[0], rule.saved[1], rule.result)
    let one = Tensor.where(x .== 0, 1, x)
    let others = try one.scattered(part, at: indices, .product, includesSelf)
    let own = upstream * others / one
    let isZero = part .== 0
    let zeros = try number(0).broadcast(to: upstream.shape)
      .added(isZero.cast(to: upstream.dtype), at: indices).picked(indices)
    // Two zeros make all other products zero; a single zero still has a gradient of its own.
    let isOnly = isZero * (zeros .== 1)
    let without = try x.scattered(.where(isOnly, 1, part), at: indices, .product, includesSelf)
    let new = Tensor.where(
      isOnly, try (upstream * without).picked(indices),
      try (upstream * result).picked(indices) / Tensor.where(isZero, 1, part))
    return (own, new)
  }

  /// The gradient goes to the elements that are the smallest or largest, in equal shares.
  private func ofExtremes() throws(TensorError) -> (Tensor, Tensor) {
    let (x, part, result) = (rule.saved[0], rule.saved[1].detached(), rule.result.detached())
    let type = upstream.dtype
    var isOwn = (x.detached() .== result).cast(to: type)
    if !includesSelf {
      isOwn = try isOwn.replaced(by: number(0).broadcast(to: indices.narrow), at: indices)
    }
    let isNew = (part .== (try result.picked(indices))).cast(to: type)
    let winners = try isOwn.added(isNew, at: indices)
    let shared = upstream / maximum(winners, number(1))
    // Elements without a source element are kept.
    return (includesSelf ? isOwn * shared : upstream, try shared.picked(indices) * isNew)
  }
}
