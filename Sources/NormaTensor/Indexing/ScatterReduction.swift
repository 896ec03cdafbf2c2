import NormaKernels
import NormaValues

/// What becomes of elements that come to the same place.
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

  fileprivate var loop: PlacesAlongAxis.Reduction {
    switch self {
    case .sum, .mean: .sum
    case .product: .product
    case .min: .minimum
    case .max: .maximum
    }
  }

  /// What changes nothing.
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
  /// These `[outer, size, inner]` with `part`, `[outer, count, inner]`, reduced into them at places.
  func scattered(
    _ part: Tensor, at places: AxisPlaces, _ reduction: ScatterReduction, _ includesSelf: Bool
  ) throws(TensorError) -> Tensor {
    let (x, new) = (detached(), part.detached())
    let start =
      includesSelf
      ? x
      : try x.replaced(by: reduction.identity(dtype).broadcast(to: places.narrow), at: places)
    let result: Tensor
    if reduction == .mean {
      let wide = try start.reduced(.sum, with: new, at: places)
      if dtype == .uint64 {
        let counts = try places.counts(shape, includesSelf, wide.dtype).cast(to: dtype)
        result = Tensor.divide(wide.cast(to: dtype), counts, rounding: .floor).evaluated()
      } else {
        result = wide.dividedDown(by: try places.counts(shape, includesSelf, wide.dtype))
          .cast(to: dtype).evaluated()
      }
    } else {
      result = try start.combined(reduction.loop, with: new, at: places)
    }
    return result.recorded(
      places.call, from: [self, part], saving: [self, part], savesResult: true, runsAtOnce: true
    ) { rule in
      let gradient = ScatterGradient(
        rule: rule, places: places, reduction: reduction, includesSelf: includesSelf)
      return gradient.both()
    }
  }

  /// A quotient; of integers rounded down.
  fileprivate func dividedDown(by counts: Tensor) -> Tensor {
    if dtype.isFloatingPoint { return self / counts }
    let (a, b) = (node.materialize(), counts.node.materialize())
    return withExtendedLifetime((a, b)) {
      Tensor(shape: shape, dtype: .int64) { bytes in
        guard let out = bytes.baseAddress else { return }
        PlacesAlongAxis.floorDivide(
          a.base.assumingMemoryBound(to: Int64.self), b.base.assumingMemoryBound(to: Int64.self),
          into: out.assumingMemoryBound(to: Int64.self), count: count, threads: TensorThreads.count)
      }
    }
  }
}

extension AxisPlaces {
  /// How many elements come together at each place of the wide side; 1 where none come.
  fileprivate func counts(
    _ wide: [Int], _ includesSelf: Bool, _ dtype: DType
  ) throws(TensorError) -> Tensor {
    let start = Tensor(includesSelf ? 1 : 0, dtype: dtype).broadcast(to: wide)
    let counts = try start.reduced(
      .sum, with: Tensor(1, dtype: dtype).broadcast(to: narrow), at: self)
    return includesSelf ? counts : maximum(counts, Tensor(1, dtype: dtype)).evaluated()
  }
}

/// The gradients of a reduction by places: of what was there, and of what came.
private struct ScatterGradient {
  let rule: Backward
  let places: AxisPlaces
  let reduction: ScatterReduction
  let includesSelf: Bool

  func both() -> [Tensor?] {
    do throws(TensorError) {
      let (own, part) = try gradients()
      // Where something came, what was there had no part in it.
      let kept =
        includesSelf || !rule.needs(0)
        ? own : try own.replaced(by: number(0).broadcast(to: places.narrow), at: places)
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
    case .sum: return (upstream, try upstream.picked(places))
    case .mean:
      let counts = try places.counts(upstream.shape, includesSelf, .float64)
      let shared = (upstream / counts.cast(to: upstream.dtype)).evaluated()
      return (shared, try shared.picked(places))
    case .product: return try ofProducts()
    case .min, .max: return try ofExtremes()
    }
  }

  /// The product of the others: the whole divided by one, or where that is zero, taken without it.
  private func ofProducts() throws(TensorError) -> (Tensor, Tensor) {
    let (x, part, result) = (rule.saved[0], rule.saved[1], rule.result)
    let one = Tensor.where(x .== 0, 1, x)
    let others = try one.scattered(part, at: places, .product, includesSelf)
    let own = upstream * others / one
    let isZero = part .== 0
    let zeros = try number(0).broadcast(to: upstream.shape)
      .added(isZero.cast(to: upstream.dtype), at: places).picked(places)
    // Two zeros make all other products zero; a single one leaves its own.
    let isOnly = isZero * (zeros .== 1)
    let without = try x.scattered(.where(isOnly, 1, part), at: places, .product, includesSelf)
    let new = Tensor.where(
      isOnly, try (upstream * without).picked(places),
      try (upstream * result).picked(places) / Tensor.where(isZero, 1, part))
    return (own, new)
  }

  /// To the elements that are the smallest or largest, in equal shares.
  private func ofExtremes() throws(TensorError) -> (Tensor, Tensor) {
    let (x, part, result) = (rule.saved[0], rule.saved[1].detached(), rule.result.detached())
    let type = upstream.dtype
    var isOwn = (x.detached() .== result).cast(to: type)
    if !includesSelf {
      isOwn = try isOwn.replaced(by: number(0).broadcast(to: places.narrow), at: places)
    }
    let isNew = (part .== (try result.picked(places))).cast(to: type)
    let winners = try isOwn.added(isNew, at: places)
    let shared = upstream / maximum(winners, number(1))
    // Where nothing came, what was there stays.
    return (includesSelf ? isOwn * shared : upstream, try shared.picked(places) * isNew)
  }
}
