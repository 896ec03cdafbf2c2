import NormaTensor

/// A running average of a network's parameters, which often does better than the final ones.
///
/// PyTorch: `torch.optim.swa_utils.AveragedModel`.
public final class AveragedParameters {
  /// The weight of each update.
  public enum Rule: Sendable, Hashable {
    /// average ← decay · average + (1 - decay) · parameter.
    case exponential(decay: Double)
    /// The mean of all updates: stochastic weight averaging.
    case equal
  }

  private let rule: Rule
  /// The averages by parameter name; in `float32` for half types, whose rounding would lose small
  /// changes.
  public private(set) var values = StateDict()
  /// The number of updates.
  public private(set) var count = 0

  /// An empty average, which becomes the first update. A decay outside of 0 ... 1 is an error.
  public convenience init(
    _ rule: Rule, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(rule, values: [:], count: 0, file: file, line: line)
  }

  /// Continues a saved average.
  public init(
    _ rule: Rule, values: StateDict, count: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    if case .exponential(let decay) = rule, !(0...1).contains(decay) {
      report(
        TensorError("AveragedParameters(_:)", "decay must be in 0 ... 1, got \(decay)"),
        file: file, line: line)
    }
    self.rule = rule
    self.values = values
    self.count = count
  }

  /// Adds the current parameters.
  public func update(_ module: Module) {
    withoutGradients {
      for (name, parameter) in module.namedParameters {
        let isHalf = parameter.dtype == .float16 || parameter.dtype == .bfloat16
        let value = parameter.value.detached()
        let new = isHalf ? value.cast(to: .float32).evaluated() : value
        guard let old = values[name], count > 0 else {
          values[name] = new
          continue
        }
        let next =
          switch rule {
          case .exponential(let decay): old + (new - old) * (1 - decay)
          case .equal: old + (new - old) / (Double(count) + 1)
          }
        values[name] = next.evaluated()
      }
    }
    count += 1
  }

  /// Runs `body` with the averages in the module's parameters, then restores its own.
  ///
  /// Running statistics match the module's own parameters, not the averages: see
  /// ``recalibrate(_:over:rule:order:progress:forward:)``.
  public func applied<R>(to module: Module, _ body: () throws -> R) rethrows -> R {
    let own = module.namedParameters.map { ($0.parameter, $0.parameter.value.detached()) }
    defer { for (parameter, value) in own { parameter.value = value } }
    for (name, parameter) in module.namedParameters {
      if let value = values[name] { parameter.value = value.cast(to: parameter.dtype) }
    }
    return try body()
  }
}
