// Norms of vectors, computed in `float64` until the end, so that squares of `float32` neither
// overflow nor underflow.

extension Tensor {
  /// The p-norm over `axes`, or over all axes if none are named: (Σ |x|ᵖ)^(1/p).
  ///
  /// p may be any number: 2 is the Euclidean norm, 1 the sum of magnitudes, `.infinity` and
  /// `-.infinity` the largest and smallest magnitude, 0 the number of nonzero elements. Real types;
  /// for positive p, 0 of an empty tensor. The gradient is 0 where the norm is. Accuracy: computed
  /// in `float64` and rounded once; if powers exceed the range of `float64`, as squares of 1e200
  /// do, from values scaled by a power of two. Cost: one pass, and two more only in that case.
  /// PyTorch: `torch.linalg.vector_norm`, which is infinite or 0 there.
  public func norm(
    _ p: Double = 2, over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "norm(_:over:)"
      let front = try Shape.axes(axes, of: shape, call: call)
      if p == 2 && !isRecording && dtype.isFloatingPoint,
        let few = reducedAtOnce(
          .centeredSum, over: front, keepDims: keepDims, to: dtype, isRoot: true, with: self)
      {
        return few.correctedLength(of: self, over: front)
      }
      let wide = try wideNorm(p, over: front, call: call)
      return wide.cast(to: dtype)
        .reshaped(Shape.reduced(shape, over: front, keepDims: keepDims))
    }
  }

  /// `norm` over the listed axes, or over all axes if none are given.
  public func norm(
    _ p: Double = 2, over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    norm(p, over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The p-norm in `float64` over axes from the front, which keep size 1.
  package func wideNorm(
    _ p: Double, over axes: [Int], call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    guard dtype.isFloatingPoint else {
      throw TensorError(call, "\(dtype) has no norm of its own type; cast(to: .float32) first")
    }
    if !(p > 0), p.isInfinite, axes.contains(where: { shape[$0] == 0 }) {
      throw TensorError(call, "shape \(shape) has no elements over axes \(axes) to choose from")
    }
    return detached().widePNorm(p, over: axes)
      .recorded(call, from: [self], saving: [self], savesResult: true) { rule in
        [
          rule.saved[0].cast(to: .float64)
            .normSlopes(p, norm: rule.result, upstream: rule.upstream, over: axes)
        ]
      }
  }

  /// The gradient of a p-norm over `axes` with respect to this `float64` tensor; 0 where the norm
  /// is 0.
  func normSlopes(_ p: Double, norm: Tensor, upstream: Tensor, over axes: [Int]) -> Tensor {
    let signs = Tensor.where(
      self .== 0, 0.0, Tensor.where(self .< 0, -1.0, Tensor.ones([], dtype: .float64)))
    switch p {
    case 0: return self * 0
    case 1: return signs * upstream
    case 2:
      // The upstream gradient of a small norm may be large: their quotient could overflow.
      let isNone = norm .== 0
      return self / Tensor.where(isNone, 1.0, norm) * Tensor.where(isNone, 0.0, upstream)
    case .infinity, -.infinity:
      let isResult = abs() .== norm
      let share = upstream / isResult.sum(over: axes, keepDims: true)
      return Tensor.where(isResult, signs * share, 0.0)
    default:
      let ratio = abs() / norm
      let slope = Tensor.where(ratio .== 0, 0.0, pow(ratio, p - 1))
      return Tensor.where(norm .== 0, 0.0, signs * slope * upstream)
    }
  }

  private func widePNorm(_ p: Double, over axes: [Int]) -> Tensor {
    func sum(_ values: Tensor) -> Tensor { values.wideSum(over: axes) }
    switch p {
    case 0: return sum((self .!= 0).cast(to: .float64))
    case 1: return sum(abs())
    case 2: return lengths(over: axes).correctedLength(of: self, over: axes)
    case .infinity where count == 0:
      return .zeros(Shape.reduced(shape, over: axes, keepDims: true), dtype: .float64)
    case .infinity: return abs().max(over: axes, keepDims: true).cast(to: .float64)
    case -.infinity: return abs().min(over: axes, keepDims: true).cast(to: .float64)
    default:
      let wide = detached().cast(to: .float64)
      return wide.powerMeans(p, over: axes).corrected(of: wide, over: axes, power: p) {
        $0.powerMeans(p, over: axes)
      }
    }
  }
}

// MARK: - Ends of the range

extension Tensor {
  private func wideSum(over axes: [Int]) -> Tensor {
    reduced(.sum, over: axes, keepDims: true, to: .float64)
  }

  private func lengths(over axes: [Int]) -> Tensor {
    normalizationStatistics(over: axes, from: .zero).squares.sqrt()
  }

  private func powerMeans(_ p: Double, over axes: [Int]) -> Tensor {
    pow(pow(abs(), p).wideSum(over: axes), 1 / p)
  }

  /// These new Euclidean norms of `source`, recomputed if its squares exceed the range of
  /// `float64`.
  fileprivate func correctedLength(of source: Tensor, over axes: [Int]) -> Tensor {
    guard source.dtype == .float64 else { return self }
    return corrected(of: source, over: axes, power: 2) { $0.lengths(over: axes) }
  }
}
