import Foundation
import NormaTensor

/// A learning rate for every step, as a pure function of the step, so that only the step has to be
/// saved.
public protocol LearningRateSchedule: Sendable {
  /// The learning rate at a step, starting at 0, for a group whose initial rate is `base`.
  func learningRate(at step: Int, base: Double) -> Double
  /// The momentum at a step; nil if the schedule does not change it.
  func momentum(at step: Int) -> Double?
}

extension LearningRateSchedule {
  /// Most schedules do not change momentum.
  public func momentum(at step: Int) -> Double? { nil }
}

/// A number of steps; reports less than one as an error of `call`.
private func atLeastOne(
  _ steps: Int, _ name: String, _ call: String, _ file: StaticString, _ line: UInt
) -> Int {
  if steps < 1 {
    report(TensorError(call, "\(name) must be at least 1, got \(steps)"), file: file, line: line)
  }
  return max(steps, 1)
}

/// base · factorⁿ, where n grows by one every `every` steps. PyTorch: `StepLR`.
public struct StepDecay: LearningRateSchedule {
  private let every: Int
  private let factor: Double

  /// Multiplies by `factor` after every `every` steps, at least 1.
  public init(
    every: Int, factor: Double = 0.1, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.every = atLeastOne(every, "every", "StepDecay(every:factor:)", file, line)
    self.factor = factor
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(factor, Double(step / every))
  }
}

/// base · factorⁿ, where n is the number of milestones reached. PyTorch: `MultiStepLR`.
public struct MultiStepDecay: LearningRateSchedule {
  private let milestones: [Int]
  private let factor: Double

  /// Multiplies by `factor` at each of the steps.
  public init(at milestones: [Int], factor: Double = 0.1) {
    self.milestones = milestones
    self.factor = factor
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(factor, Double(milestones.count { $0 <= step }))
  }
}

/// base · factorˢᵗᵉᵖ. PyTorch: `ExponentialLR`.
public struct ExponentialDecay: LearningRateSchedule {
  private let factor: Double

  /// Multiplies by `factor` at every step.
  public init(factor: Double) { self.factor = factor }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(factor, Double(step))
  }
}

/// Linear from base · start to base · end, then constant. PyTorch: `LinearLR`.
public struct LinearWarmup: LearningRateSchedule {
  private let start: Double
  private let end: Double
  private let steps: Int

  /// A linear change over `steps` steps, at least 1.
  public init(
    from start: Double = 1.0 / 3, to end: Double = 1, steps: Int = 5,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.start = start
    self.end = end
    self.steps = atLeastOne(steps, "steps", "LinearWarmup(from:to:steps:)", file, line)
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * (start + (end - start) * Double(min(step, steps)) / Double(steps))
  }
}

/// Half a cosine from base to `minimum` in `steps` steps. PyTorch: `CosineAnnealingLR`; with
/// `restarts` as `CosineAnnealingWarmRestarts`, each cycle `growth` times as long as the previous
/// one.
public struct CosineAnnealing: LearningRateSchedule {
  private let steps: Int
  private let minimum: Double
  private let restarts: Bool
  private let growth: Int

  /// Half a cosine of `steps` steps, at least 1, once or repeatedly.
  public init(
    steps: Int, minimum: Double = 0, restarts: Bool = false, growth: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let call = "CosineAnnealing(steps:)"
    self.steps = atLeastOne(steps, "steps", call, file, line)
    self.minimum = minimum
    self.restarts = restarts
    self.growth = atLeastOne(growth, "growth", call, file, line)
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    var (step, length) = (step, steps)
    if restarts && growth == 1 && step >= 0 { step %= length }
    while restarts && step >= length {
      step -= length
      let (longer, isEndless) = length.multipliedReportingOverflow(by: growth)
      length = isEndless ? Int.max : longer
    }
    return minimum + (base - minimum) * (1 + cos(Double.pi * Double(step) / Double(length))) / 2
  }
}

/// base · (1 - step / steps)ᵖᵒʷᵉʳ, then 0. PyTorch: `PolynomialLR`.
public struct PolynomialDecay: LearningRateSchedule {
  private let steps: Int
  private let power: Double

  /// Decreases to 0 in `steps` steps, at least 1.
  public init(
    steps: Int, power: Double = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.steps = atLeastOne(steps, "steps", "PolynomialDecay(steps:)", file, line)
    self.power = power
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(1 - Double(min(step, steps)) / Double(steps), power)
  }
}

/// Schedules in sequence, each starting again from step 0. PyTorch: `SequentialLR`.
public struct SequentialSchedule: LearningRateSchedule {
  private let schedules: [any LearningRateSchedule]
  private let milestones: [Int]

  /// Schedules, and the steps at which each but the first starts.
  public init(_ schedules: [any LearningRateSchedule], at milestones: [Int]) {
    self.schedules = schedules
    self.milestones = milestones
  }

  private func current(_ step: Int) -> (schedule: (any LearningRateSchedule)?, step: Int) {
    let index = min(milestones.count { $0 <= step }, schedules.count - 1)
    guard schedules.indices.contains(index) else { return (nil, step) }
    let (own, isEndless) = step.subtractingReportingOverflow(
      index > 0 ? milestones[index - 1] : 0)
    return (schedules[index], isEndless ? Int.max : own)
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    let (schedule, step) = current(step)
    return schedule?.learningRate(at: step, base: base) ?? base
  }

  /// The momentum at a step.
  public func momentum(at step: Int) -> Double? {
    let (schedule, step) = current(step)
    return schedule?.momentum(at: step)
  }
}

/// Several schedules together: their factors multiply. PyTorch: `ChainedScheduler`.
public struct ChainedSchedule: LearningRateSchedule {
  private let schedules: [any LearningRateSchedule]

  /// Schedules whose factors multiply.
  public init(_ schedules: any LearningRateSchedule...) { self.schedules = schedules }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base == 0
      ? 0 : schedules.reduce(base) { $0 * $1.learningRate(at: step, base: base) / base }
  }

  /// The momentum of the first schedule that sets one.
  public func momentum(at step: Int) -> Double? {
    schedules.lazy.compactMap { $0.momentum(at: step) }.first
  }
}
