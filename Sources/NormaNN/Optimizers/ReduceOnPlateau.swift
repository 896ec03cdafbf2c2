import NormaTensor

/// Lowers the learning rate when a value stops improving. PyTorch: `ReduceLROnPlateau`.
public final class ReduceOnPlateau {
  /// The state to save.
  public struct State: Sendable, Hashable, Codable {
    /// The best value so far, never NaN; nil before the first.
    public var best: Double?
    /// The number of reports since the last improvement.
    public var badCount = 0
    /// The number of reports left in the cooldown.
    public var waiting = 0

    /// The state before the first report.
    public init() {}
  }

  private let optimizer: any Optimizer
  private let factor: Double
  private let patience: Int
  private let threshold: Double
  private let cooldown: Int
  private let minimum: Double
  private let isLowerBetter: Bool
  /// The state to save.
  public var state = State()

  /// Multiplies the rate by `factor` after `patience` reports that do not improve by the relative
  /// `threshold`, then waits for `cooldown` reports.
  public init(
    _ optimizer: any Optimizer, factor: Double = 0.1, patience: Int = 10,
    threshold: Double = 1e-4, cooldown: Int = 0, minimum: Double = 0, isLowerBetter: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.optimizer = optimizer
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.cooldown = cooldown
    self.minimum = minimum
    self.isLowerBetter = isLowerBetter
    var problem = negativeOption(
      ("threshold", threshold), ("minimum", minimum), ("patience", Double(patience)),
      ("cooldown", Double(cooldown)))
    if !(factor >= 0 && factor < 1) { problem = "factor must be in 0 ..< 1, got \(factor)" }
    if let problem {
      report(TensorError("ReduceOnPlateau(_:factor:)", problem), file: file, line: line)
    }
  }

  /// Reports a value, such as the loss of an epoch. NaN is never better.
  ///
  /// A value is better if it improves on the best one by more than `threshold` times its magnitude.
  public func step(_ number: Double) {
    let best = state.best ?? (isLowerBetter ? Double.infinity : -Double.infinity)
    // Any finite value improves on an infinite one.
    let margin = best.isInfinite ? 0 : threshold * abs(best)
    if isLowerBetter ? number < best - margin : number > best + margin {
      state.best = number
      state.badCount = 0
    } else {
      state.badCount += 1
    }
    if state.waiting > 0 {
      state.waiting -= 1
      state.badCount = 0
    }
    guard state.badCount > patience else { return }
    optimizer.rates = optimizer.rates.map { rates in
      let lower = max(rates.learningRate * factor, minimum)
      var rates = rates
      if rates.learningRate - lower > 1e-8 { rates.learningRate = lower }
      return rates
    }
    state.waiting = cooldown
    state.badCount = 0
  }
}
