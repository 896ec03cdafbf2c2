import NormaTensor

/// Sets the learning rates of an optimizer at each step.
///
/// Schedules start from the rate that each group had when its first scheduler was created. That
/// rate is part of the optimizer's state, so a scheduler that is created after a state was loaded
/// starts from the same rate. PyTorch: `torch.optim.lr_scheduler.LRScheduler`; `step()` comes after
/// the optimizer's.
public final class Scheduler {
  private let optimizer: any Optimizer
  private let schedule: any LearningRateSchedule
  /// The number of steps taken; setting it sets the rates.
  public var stepCount = 0 { didSet { apply() } }

  /// Sets the rates of the first step. A schedule that changes momentum is an error if the
  /// optimizer has none.
  public init(
    _ optimizer: any Optimizer, _ schedule: any LearningRateSchedule, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.optimizer = optimizer
    self.schedule = schedule
    if schedule.momentum(at: 0) != nil, optimizer.rates.contains(where: { $0.momentum == nil }) {
      report(
        TensorError(
          "Scheduler(_:_:)",
          "\(type(of: schedule)) changes momentum, which \(type(of: optimizer)) lacks; "
            + "pass momentum: nil to leave it unchanged"),
        file: file, line: line)
    }
    apply()
  }

  /// Advances to the next step's rates.
  public func step() { stepCount += 1 }

  private func apply() {
    optimizer.rates = optimizer.rates.map { rates in
      let base = rates.initialLearningRate ?? rates.learningRate
      return GroupRates(
        schedule.learningRate(at: stepCount, base: base),
        schedule.momentum(at: stepCount) ?? rates.momentum, base)
    }
  }
}
