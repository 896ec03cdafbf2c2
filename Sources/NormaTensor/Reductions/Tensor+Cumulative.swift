import NormaKernels
import NormaValues

// Cumulative results along an axis. They run eagerly, in the tensor's memory order, in parallel
// over chains of elements; each chain is computed in order, so threads do not change a bit.

extension Tensor {
  /// The cumulative sums along an axis.
  ///
  /// y[i] = x[0] + ... + x[i], in `float64` and rounded once each, half types by way of `float32`
  /// (0.5001 ulp); integers and Booleans give `int64`, `uint64` stays `uint64`; these wrap. NaN
  /// propagates to all following results. Cost: one read and one write. PyTorch: `torch.cumsum`.
  public func cumulativeSum(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try along(axis, call: "cumulativeSum(over:)") { x, axis in
        x.summed(along: axis, backwards: false)
      }
    }
  }

  /// The cumulative products along an axis.
  ///
  /// y[i] = x[0] ... x[i], in `float64` and rounded once each; integers and Booleans give `int64`,
  /// `uint64` stays `uint64`; these wrap. The gradient is exact even if there are zeros, because it
  /// does not divide: dx[i] = y[i - 1] r[i] with r[i] = dy[i] + x[i + 1] r[i + 1]. Cost: one read
  /// and one write.
  /// PyTorch: `torch.cumprod`.
  public func cumulativeProduct(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try along(axis, call: "cumulativeProduct(over:)") { x, axis in
        x.multiplied(along: axis, backwards: false)
      }
    }
  }

  /// The logarithms of the cumulative sums of eˣ along an axis.
  ///
  /// y[i] = log(eˣ[0] + ... + eˣ[i]), with the largest x so far factored out, so that nothing
  /// overflows; in `float64` and rounded once each. -∞ contributes nothing. Integers are not
  /// allowed. Cost: one read and one write, an exponential and a logarithm per element.
  /// PyTorch: `torch.logcumsumexp`.
  public func logCumulativeSumExp(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "logCumulativeSumExp(over:)"
      guard dtype.isFloatingPoint || isPoisoned else {
        throw TensorError(call, "\(dtype) is not real; cast(to: .float32) first")
      }
      return try along(axis, call: call) { x, axis in x.logSummed(along: axis, backwards: false) }
    }
  }

  func summed(along axis: Int, backwards: Bool) -> Tensor {
    scanned(.sum, axis, backwards)
      .recorded("cumulativeSum(over:)", from: [self], runsAtOnce: true) {
        [$0.upstream.summed(along: axis, backwards: !backwards)]
      }
  }

  func multiplied(along axis: Int, backwards: Bool) -> Tensor {
    scanned(.product, axis, backwards)
      .recorded("cumulativeProduct(over:)", from: [self], saving: [self], runsAtOnce: true) {
        rule in
        let x = rule.saved[0].cast(to: .float64)
        let step = backwards ? -1 : 1
        let before = x.multiplied(along: axis, backwards: backwards)
          .shifted(axis, by: step, filling: 1)
        let later = rule.upstream.cast(to: .float64).linearScan(
          x.shifted(axis, by: -step, filling: 0), axis, backwards: !backwards)
        return [before * later]
      }
  }

  /// The gradient is eˣ Σ dy e^-y over the following elements, in which x and y occur only as
  /// differences.
  func logSummed(along axis: Int, backwards: Bool) -> Tensor {
    scanned(.logSumExp, axis, backwards)
      .recorded(
        "logCumulativeSumExp(over:)", from: [self], saving: [self], savesResult: true,
        runsAtOnce: true
      ) { rule in
        let x = rule.saved[0].cast(to: .float64)
        let y = rule.result.cast(to: .float64)
        let upstream = rule.upstream.cast(to: .float64)
        // Each sign separately, because a logarithm has none.
        func part(_ sign: Double) -> Tensor {
          let isPart = upstream * sign .> 0.0
          let size = Tensor.where(isPart, (upstream * sign).log() - y, -Double.infinity)
          let sum = size.logSummed(along: axis, backwards: !backwards)
          return Tensor.where(sum .== -Double.infinity, 0.0, (sum + x).exp())
        }
        return [part(1) - part(-1)]
      }
  }

  /// y[i] = x[i] + factor[i] y[i - 1], in `float64`; backwards y[i] = x[i] + factor[i] y[i + 1].
  func linearScan(_ factor: Tensor, _ axis: Int, backwards: Bool) -> Tensor {
    scanned(.linear, axis, backwards, factor: factor)
      .recorded(
        "linearScan", from: [self, factor], saving: [factor], savesResult: true, runsAtOnce: true
      ) { rule in
        let step = backwards ? -1 : 1
        let later = rule.upstream.linearScan(
          rule.saved[0].shifted(axis, by: -step, filling: 0), axis, backwards: !backwards)
        return [
          later,
          rule.whenNeeded(1) { later * rule.result.shifted(axis, by: step, filling: 0) },
        ]
      }
  }

  /// A scan without its gradient. Half types are computed in `float64`, so that they are rounded
  /// once.
  private func scanned(
    _ kind: Scan.Kind, _ axis: Int, _ backwards: Bool, factor: Tensor? = nil
  ) -> Tensor {
    let wide: DType =
      dtype == .float32 ? .float32 : dtype.isFloatingPoint ? .float64 : .int64
    let runs = AxisRuns(detached().cast(to: wide), axis)
    let scan = Scan(
      outer: runs.outer, size: runs.size, inner: runs.inner, backwards: backwards,
      threads: runs.threads)
    // The factor in the same memory order.
    let other = factor.map { AxisRuns($0.cast(to: wide), axis, order: runs.order) }
    ExecutionLog.add(.scan, "scan \(kind)", [self] + (factor.map { [$0] } ?? []), into: shape, wide)
    let result = withExtendedLifetime(other) {
      runs.result(wide) {
        scan.run(kind, wide, from: runs.base, factor: other?.base, into: $0)
      }
    }
    return result.cast(to: dtype.sumType)
  }
}
