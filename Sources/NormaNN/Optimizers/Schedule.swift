import Foundation

/// A learning rate for every step, as a pure function: nothing but the number of the step has to be
/// saved.
public protocol Schedule: Sendable {
  /// The learning rate at a step, counted from 0, for a group that began with `base`.
  func learningRate(at step: Int, base: Double) -> Double
  /// The momentum at a step; nil where the schedule leaves it alone.
  func momentum(at step: Int) -> Double?
}

extension Schedule {
  /// Most schedules leave momentum alone.
  public func momentum(at step: Int) -> Double? { nil }
}

/// Sets the learning rates of an optimizer, step by step.
///
/// PyTorch: `torch.optim.lr_scheduler.LRScheduler`; `step()` comes after the optimizer's.
public final class Scheduler {
  private let optimizer: Optimizer
  private let schedule: any Schedule
  private let bases: [Double]
  /// How many steps were taken; the rates are set when it changes.
  public var stepCount = 0 { didSet { apply() } }

  /// Sets the rates of the first step.
  public init(_ optimizer: Optimizer, _ schedule: any Schedule) {
    self.optimizer = optimizer
    self.schedule = schedule
    bases = optimizer.groups.map(\.learningRate)
    apply()
  }

  /// Goes on to the next step's rates.
  public func step() { stepCount += 1 }

  private func apply() {
    for index in optimizer.groups.indices {
      let base = bases[index]
      optimizer.groups[index].learningRate = schedule.learningRate(at: stepCount, base: base)
      if let momentum = schedule.momentum(at: stepCount) {
        optimizer.groups[index].momentum = momentum
      }
    }
  }
}

/// base · factorⁿ, with n one more after every `every` steps. PyTorch: `StepLR`.
public struct StepDecay: Schedule {
  private let every: Int
  private let factor: Double

  /// Multiplies by `factor` after every `every` steps.
  public init(every: Int, factor: Double = 0.1) {
    self.every = max(every, 1)
    self.factor = factor
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(factor, Double(step / every))
  }
}

/// base · factorⁿ, with n the number of milestones that were reached. PyTorch: `MultiStepLR`.
public struct MultiStepDecay: Schedule {
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
public struct ExponentialDecay: Schedule {
  private let factor: Double

  /// Multiplies by `factor` at every step.
  public init(factor: Double) { self.factor = factor }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(factor, Double(step))
  }
}

/// From base · start to base · end in a straight line, then constant. PyTorch: `LinearLR`.
public struct LinearWarmup: Schedule {
  private let start: Double
  private let end: Double
  private let steps: Int

  /// A line of `steps` steps.
  public init(from start: Double = 1.0 / 3, to end: Double = 1, steps: Int = 5) {
    self.start = start
    self.end = end
    self.steps = max(steps, 1)
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * (start + (end - start) * Double(min(step, steps)) / Double(steps))
  }
}

/// Half a cosine from base to `minimum` in `steps` steps. PyTorch: `CosineAnnealingLR`; with
/// `restarts` as `CosineAnnealingWarmRestarts`, each cycle `growth` times as long as the last.
public struct CosineAnnealing: Schedule {
  private let steps: Int
  private let minimum: Double
  private let restarts: Bool
  private let growth: Int

  /// A half cosine of `steps` steps, once or again and again.
  public init(steps: Int, minimum: Double = 0, restarts: Bool = false, growth: Int = 1) {
    self.steps = max(steps, 1)
    self.minimum = minimum
    self.restarts = restarts
    self.growth = max(growth, 1)
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    var (step, length) = (step, steps)
    while restarts && step >= length {
      step -= length
      length *= growth
    }
    return minimum + (base - minimum) * (1 + cos(Double.pi * Double(step) / Double(length))) / 2
  }
}

/// base · (1 - step / steps)ᵖᵒʷᵉʳ, then 0. PyTorch: `PolynomialLR`.
public struct PolynomialDecay: Schedule {
  private let steps: Int
  private let power: Double

  /// Down to 0 in `steps` steps.
  public init(steps: Int, power: Double = 1) {
    self.steps = max(steps, 1)
    self.power = power
  }

  /// The learning rate at a step.
  public func learningRate(at step: Int, base: Double) -> Double {
    base * pow(1 - Double(min(step, steps)) / Double(steps), power)
  }
}

/// Up from maximum / `initialDivisor` to the maximum and down to a `finalDivisor`th of where it began,
/// while momentum goes down and up again. PyTorch: `OneCycleLR`. Source: Smith and Topin (2017).
public struct OneCycle: Schedule {
  private let maximum: Double
  private let ends: [Double]
  private let momenta: [Double]?
  private let rates: [Double]
  private let isLinear: Bool

  /// A cycle of `totalSteps` steps. `momentum` is lowest where the rate is highest; nil leaves it
  /// alone.
  public init(
    maximum: Double, totalSteps: Int, warmup: Double = 0.3, isLinear: Bool = false,
    momentum: ClosedRange<Double>? = 0.85...0.95, initialDivisor: Double = 25,
    finalDivisor: Double = 1e4, threePhases: Bool = false
  ) {
    self.maximum = maximum
    self.isLinear = isLinear
    let total = Double(totalSteps)
    let (first, last) = (maximum / initialDivisor, maximum / initialDivisor / finalDivisor)
    if threePhases {
      ends = [warmup * total - 1, 2 * warmup * total - 2, total - 1]
      rates = [first, maximum, first, last]
      momenta = momentum.map { [$0.upperBound, $0.lowerBound, $0.upperBound, $0.upperBound] }
    } else {
      ends = [warmup * total - 1, total - 1]
      rates = [first, maximum, last]
      momenta = momentum.map { [$0.upperBound, $0.lowerBound, $0.upperBound] }
    }
  }

  /// The learning rate at a step; `base` plays no part.
  public func learningRate(at step: Int, base: Double) -> Double { value(rates, at: step) }

  /// The momentum at a step.
  public func momentum(at step: Int) -> Double? { momenta.map { value($0, at: step) } }

  private func value(_ values: [Double], at step: Int) -> Double {
    let at = Double(step)
    var start = 0.0
    for (phase, end) in ends.enumerated() {
      if at <= end || phase == ends.count - 1 {
        let part = min((at - start) / (end - start), 1)
        let (from, to) = (values[phase], values[phase + 1])
        return isLinear
          ? (to - from) * part + from : to + (from - to) / 2 * (1 + cos(Double.pi * part))
      }
      start = end
    }
    return values[values.count - 1]
  }
}

/// One schedule until a step, then the next, which counts from 0 again. PyTorch: `SequentialLR`.
public struct SequentialSchedule: Schedule {
  private let schedules: [any Schedule]
  private let milestones: [Int]

  /// Schedules, and the steps at which each but the first begins.
  public init(_ schedules: [any Schedule], at milestones: [Int]) {
    self.schedules = schedules
    self.milestones = milestones
  }

  private func current(_ step: Int) -> (schedule: (any Schedule)?, step: Int) {
    let index = min(milestones.count { $0 <= step }, schedules.count - 1)
    guard schedules.indices.contains(index) else { return (nil, step) }
    return (schedules[index], step - (index > 0 ? milestones[index - 1] : 0))
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

/// All schedules at once: their factors multiply. PyTorch: `ChainedScheduler`.
public struct ChainedSchedule: Schedule {
  private let schedules: [any Schedule]

  /// Schedules whose factors multiply.
  public init(_ schedules: any Schedule...) { self.schedules = schedules }

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

/// Lowers the learning rate when a number stops getting better. PyTorch: `ReduceLROnPlateau`.
public final class ReduceOnPlateau {
  private let optimizer: Optimizer
  private let factor: Double
  private let patience: Int
  private let threshold: Double
  private let cooldown: Int
  private let minimum: Double
  private let isLowerBetter: Bool
  /// What has to be saved: the best number, reports without a better one, and reports to wait.
  public var state: (best: Double?, bad: Int, waiting: Int) = (nil, 0, 0)

  /// Multiplies by `factor` after `patience` reports that are not better by the relative `threshold`,
  /// then waits for `cooldown` reports.
  public init(
    _ optimizer: Optimizer, factor: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4,
    cooldown: Int = 0, minimum: Double = 0, isLowerBetter: Bool = true
  ) {
    self.optimizer = optimizer
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.cooldown = cooldown
    self.minimum = minimum
    self.isLowerBetter = isLowerBetter
  }

  /// Reports a number, such as the loss of an epoch.
  public func step(_ number: Double) {
    let isBetter =
      state.best.map { best in
        isLowerBetter ? number < best * (1 - threshold) : number > best * (1 + threshold)
      } ?? true
    if isBetter {
      state.best = number
      state.bad = 0
    } else {
      state.bad += 1
    }
    if state.waiting > 0 {
      state.waiting -= 1
      state.bad = 0
    }
    guard state.bad > patience else { return }
    for index in optimizer.groups.indices {
      let rate = optimizer.groups[index].learningRate
      let lower = max(rate * factor, minimum)
      if rate - lower > 1e-8 { optimizer.groups[index].learningRate = lower }
    }
    state.waiting = cooldown
    state.bad = 0
  }
}
