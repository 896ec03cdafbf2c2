import Foundation
import NormaTensor

/// Rises from the group's own rate to a maximum and falls again, repeatedly.
///
/// With the cycle c = 1, 2, ... and the fraction h of the way up at a step, rate = base +
/// (maximum - base) h · scale, where scale is 1, 2^(1 - c) or gammaˢᵗᵉᵖ. Momentum moves in the
/// opposite direction between its bounds. PyTorch: `CyclicLR`, whose `base_lr` is the group's
/// learning rate here. Source: Smith (2017).
public struct Cyclic: LearningRateSchedule {
  /// How the height of the cycles changes.
  public enum Mode: Sendable, Hashable {
    /// All cycles reach the maximum. PyTorch: `triangular`.
    case triangular
    /// Each cycle is half as high as the previous one. PyTorch: `triangular2`.
    case halving
    /// Heights shrink by a factor at every step. PyTorch: `exp_range`.
    case exponential(gamma: Double)
  }

  private let maximum: Double
  private let up: Double
  private let down: Double
  private let mode: Mode
  private let momentum: ClosedRange<Double>?

  /// Cycles of `up` steps to `maximum` and `down` steps back, by default as many as up.
  ///
  /// `momentum` is lowest where the rate is highest; nil leaves it unchanged.
  public init(
    maximum: Double, up: Int = 2000, down: Int? = nil, mode: Mode = .triangular,
    momentum: ClosedRange<Double>? = 0.8...0.9, file: StaticString = #fileID, line: UInt = #line
  ) {
    var problem = negativeOption(("maximum", maximum))
    for (name, steps) in [("up", up), ("down", down ?? max(up, 1))] where steps < 1 {
      problem = "\(name) must be at least 1 step, got \(steps)"
    }
    if case .exponential(let gamma) = mode, !(gamma >= 0) {
      problem = "gamma must not be negative, got \(gamma)"
    }
    if let problem {
      report(TensorError("Cyclic(maximum:up:down:)", problem), file: file, line: line)
    }
    self.maximum = maximum
    self.up = Double(max(up, 1))
    self.down = Double(max(down ?? up, 1))
    self.mode = mode
    self.momentum = momentum
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base + (maximum - base) * height(at: step)
  }

  /// The momentum at a step.
  public func momentum(at step: Int) -> Double? {
    momentum.map { $0.upperBound - ($0.upperBound - $0.lowerBound) * height(at: step) }
  }

  private func height(at step: Int) -> Double {
    let cycles = Double(step) / (up + down)
    let number = cycles.rounded(.down)
    let (part, ratio) = (cycles - number, up / (up + down))
    let share = part <= ratio ? part / ratio : (part - 1) / (ratio - 1)
    switch mode {
    case .triangular: return share
    case .halving: return share * pow(2, -number)
    case .exponential(let gamma): return share * pow(gamma, Double(step))
    }
  }
}
