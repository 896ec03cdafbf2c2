import NormaTensor

/// One batch's update of the running statistics, which can be inspected, committed or dropped.
///
///     let (y, update) = bn.forward(x)
///     if let update, update.isFinite { bn.commit(update) }
///
/// Updates of parts of a batch, as in gradient accumulation, merge into the update of the whole:
///
///     let whole = first.moments.merged(with: second.moments)
///
/// - Cost: pending until it is inspected or committed.
public struct RunningStatisticsUpdate: Sendable {
  /// The source of the statistics.
  enum Source: Sendable {
    /// A batch without values, which still counts as a batch.
    case nothing
    case whole(NormalizationStatistics)
    case masked(MaskedStatistics)
    case moments(Moments)
  }

  let source: Source

  init(_ source: Source) { self.source = source }

  /// An update from known moments, one group for each channel.
  public init(_ moments: Moments) { source = .moments(moments) }

  /// Count, mean and sum of squared deviations of each channel; empty for a batch without values.
  /// Runs pending work.
  public var moments: Moments {
    func moments(_ count: [Double], _ mean: Tensor, _ squares: Tensor) -> Moments {
      Moments(
        count: count, mean: mean.array(), m2: squares.array(), shape: [mean.count])
    }
    switch source {
    case .nothing: return Moments(count: [], mean: [], m2: [], shape: [0])
    case .whole(let own):
      let count = [Double](repeating: Double(own.count), count: own.mean.count)
      return moments(count, own.mean, own.squares)
    case .masked(let own): return moments(own.count.array(), own.mean, own.squares)
    case .moments(let moments): return moments
    }
  }

  /// Whether all means and variances are finite. Runs pending work.
  public var isFinite: Bool { nonFiniteChannels.isEmpty }

  /// The channels whose mean or variance is NaN or infinite. Runs pending work.
  public var nonFiniteChannels: [Int] {
    let moments = moments
    return moments.mean.indices.filter {
      moments.count[$0] > 0 && !(moments.mean[$0].isFinite && moments.m2[$0].isFinite)
    }
  }

  /// The mean and variance to move towards, in `float64`, each where it is known: a variance needs
  /// more than `correction` values. Nil for a batch without values.
  func targets(correction: Double) -> (mean: Target, variance: Target)? {
    func targets(_ count: Tensor, _ mean: Tensor, _ squares: Tensor) -> (Target, Target) {
      let degrees = count - correction
      return (
        Target(value: mean, isKnown: count .> 0.0),
        Target(value: squares / degrees.clamped(min: 1e-300), isKnown: degrees .> 0.0)
      )
    }
    switch source {
    case .nothing: return nil
    case .whole(let own):
      return (
        Target(value: own.mean),
        Target(value: own.squares, divisor: max(Double(own.count) - correction, 0))
      )
    case .masked(let own): return targets(own.count, own.mean, own.squares)
    case .moments(let moments):
      return targets(Tensor(moments.count), Tensor(moments.mean), Tensor(moments.m2))
    }
  }

  /// A statistic, value / divisor, and, where not every channel has one, which channels do.
  struct Target {
    let value: Tensor
    var divisor = 1.0
    var isKnown: Tensor?
  }
}

extension Tensor {
  /// (1 - share) * self + share * target where the target is known, in `float64`, rounded once to
  /// this tensor's type.
  func following(_ target: RunningStatisticsUpdate.Target, _ share: Double) -> Tensor {
    guard let isKnown = target.isKnown else {
      return following(target.value, share, divisor: target.divisor)
    }
    let old = reshaped(target.value.shape).cast(to: .float64)
    let new = old * (1 - share) + target.value / target.divisor * share
    return Tensor.where(isKnown, new, old).cast(to: dtype).reshaped(shape)
  }
}
