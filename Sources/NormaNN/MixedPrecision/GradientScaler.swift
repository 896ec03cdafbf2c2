import NormaTensor

/// Multiplies the loss before the backward pass, so that small gradients do not vanish in
/// `float16`, and divides the gradients by the same factor before the step.
///
///     let scaler = GradientScaler()
///     let loss = autocast(.float16) { mseLoss(network(x), y) }
///     scaler.scaled(loss).backward()
///     scaler.step(optimizer)
///     scaler.update()
///
/// A step with non-finite gradients is skipped, and the factor shrinks; after enough good steps it
/// grows. To clip gradients, call ``unscale(_:file:line:)`` first. With several optimizers, call
/// `update` once after their steps. Gradients in `float16` would underflow when they are divided,
/// and are an error: keep parameters in `float32` and use `autocast`. PyTorch:
/// `torch.amp.GradScaler`.
public final class GradientScaler {
  /// The state to save.
  public struct State: Sendable, Hashable, Codable {
    /// The factor.
    public var scale: Double
    /// The number of good steps since the last change.
    public var goodSteps = 0

    /// A factor before the first step.
    public init(scale: Double) { self.scale = scale }
  }

  private enum Stage {
    case unscaled, stepped
  }

  private let growth: Double
  private let backoff: Double
  private let growthInterval: Int
  private let isEnabled: Bool
  private var stages: [ObjectIdentifier: Stage] = [:]
  /// The optimizers with non-finite gradients.
  private var bad: Set<ObjectIdentifier> = []
  /// The state to save, after ``update(file:line:)``.
  public var state: State

  /// A scaler with the initial factor `scale`, which grows after `growthInterval` consecutive good
  /// steps. With `isEnabled` false it does nothing, so that one program serves all types.
  public init(
    scale: Double = 65536, growth: Double = 2, backoff: Double = 0.5, growthInterval: Int = 2000,
    isEnabled: Bool = true, file: StaticString = #fileID, line: UInt = #line
  ) {
    var problem: String?
    if !(scale > 0 && scale.isFinite) { problem = "scale must be positive, got \(scale)" }
    if !(growth > 1 && growth.isFinite) { problem = "growth must be above 1, got \(growth)" }
    if !(backoff > 0 && backoff < 1) {
      problem = "backoff must be between 0 and 1, got \(backoff)"
    }
    if growthInterval < 1 { problem = "growthInterval must be at least 1, got \(growthInterval)" }
    if let problem {
      report(TensorError("GradientScaler(scale:)", problem), file: file, line: line)
    }
    state = State(scale: scale)
    self.growth = growth
    self.backoff = backoff
    self.growthInterval = growthInterval
    self.isEnabled = isEnabled
  }

  /// The loss times the factor, in `float32` for 16-bit types, whose range is too small. PyTorch:
  /// `scale(outputs)`.
  public func scaled(_ loss: Tensor) -> Tensor {
    guard isEnabled else { return loss }
    let isHalf = loss.dtype == .float16 || loss.dtype == .bfloat16
    return (isHalf ? loss.cast(to: .float32) : loss) * state.scale
  }

  /// Divides the gradients of an optimizer's parameters by the factor; at most once between two
  /// updates. PyTorch: `unscale_(optimizer)`.
  public func unscale(
    _ optimizer: any Optimizer, file: StaticString = #fileID, line: UInt = #line
  ) {
    guard isEnabled else { return }
    let call = "GradientScaler.unscale(_:)"
    let key = ObjectIdentifier(optimizer)
    guard stages[key] == nil else {
      return report(
        TensorError(call, "the gradients were divided already; update() begins the next round"),
        file: file, line: line)
    }
    let parameters = optimizer.parameters.filter { $0.grad != nil }
    if let wrong = parameters.first(where: { $0.dtype == .float16 }) {
      return report(
        TensorError(
          call,
          "a gradient of shape \(wrong.shape) is float16; keep parameters in float32 and use "
            + "autocast"
        ), file: file, line: line)
    }
    stages[key] = .unscaled
    withoutGradients {
      var sum = 0.0
      for parameter in parameters {
        guard let gradient = parameter.grad else { continue }
        let divided = gradient * (1 / state.scale)
        // 0 times a finite number is 0, times anything else NaN.
        sum += (divided * 0).sum().item()
        parameter.grad = divided.evaluated()
      }
      if sum != 0 { bad.insert(key) }
    }
  }

  /// Takes the optimizer's step with the divided gradients, unless a gradient is not finite.
  /// PyTorch: `step(optimizer)`.
  /// - Returns: Whether the step was taken.
  @discardableResult
  public func step(
    _ optimizer: any Optimizer, file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    let key = ObjectIdentifier(optimizer)
    if isEnabled {
      if stages[key] == nil { unscale(optimizer, file: file, line: line) }
      guard stages[key] == .unscaled else {
        if stages[key] == .stepped {
          report(
            TensorError(
              "GradientScaler.step(_:)",
              "a step was taken already; update() begins the next round"),
            file: file, line: line)
        }
        return false
      }
      stages[key] = .stepped
      if bad.contains(key) { return false }
    }
    optimizer.step()
    return true
  }

  /// Shrinks the factor if a step was skipped since the last update; otherwise counts a good step.
  /// The factor stays finite in `float32`. PyTorch: `update()`.
  public func update(file: StaticString = #fileID, line: UInt = #line) {
    guard isEnabled else { return }
    guard !stages.isEmpty else {
      return report(
        TensorError("GradientScaler.update()", "call step(_:) or unscale(_:) first"),
        file: file, line: line)
    }
    if bad.isEmpty {
      state.goodSteps += 1
      if state.goodSteps == growthInterval {
        let larger = state.scale * growth
        if Float(larger).isFinite { state.scale = larger }
        state.goodSteps = 0
      }
    } else {
      state.scale *= backoff
      state.goodSteps = 0
    }
    stages = [:]
    bad = []
  }
}
