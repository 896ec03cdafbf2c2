import NormaTensor

/// The options of a group of parameters, and the update of one parameter.
///
/// The optimizers of this library are rules, and ``RuleOptimizer`` runs custom rules in the same
/// way. A rule's options are its stored properties, numbers and Booleans: each group has its own,
/// and all of them are part of ``Optimizer/state``.
///
///     struct SignSGD: UpdateRule {
///       var learningRate = 1e-3
///       var beta = 0.9
/// func moved(_ value: Tensor, by gradient: Tensor, _ state: inout ParameterState) -> Tensor {
///         let mean = state["mean"].map { $0 * beta + gradient * (1 - beta) } ?? gradient * 1
///         state["mean"] = mean
///         return value - mean.sign() * learningRate
///       }
///     }
///     let optimizer = RuleOptimizer(network.parameters, SignSGD())
public protocol UpdateRule: Sendable, Codable {
  /// The step size; schedules set it.
  var learningRate: Double { get set }

  /// The option that a schedule of momentum sets: SGD's momentum, Adam's β₁; nil if there is
  /// none.
  static var momentumOption: WritableKeyPath<Self, Double>? { get }

  /// Describes an invalid option, such as "learningRate must not be negative, got -1"; nil if all
  /// are valid.
  var problem: String? { get }

  /// The parameter's value after a step.
  ///
  /// Leave the result and the new state pending if possible: a parameter's whole step is then one
  /// program, and the new state overwrites the old one. For this, a rule must not keep a tensor of
  /// the state anywhere else.
  ///
  /// - Parameters:
  ///   - value: The parameter; in `float32` for half types.
  ///   - gradient: Its gradient, of the same shape and type.
  ///   - state: The rule's state for this parameter, kept from step to step.
  func moved(_ value: Tensor, by gradient: Tensor, _ state: inout ParameterState) -> Tensor
}

extension UpdateRule {
  /// No option is a momentum.
  public static var momentumOption: WritableKeyPath<Self, Double>? { nil }

  /// All options are valid.
  public var problem: String? { nil }
}

/// The state that a rule keeps for one parameter.
public struct ParameterState: Sendable {
  /// The number of steps that the parameter has taken, including the current one. It is lower than
  /// that of other parameters for one that was added later, or had no gradient for a while.
  public internal(set) var step: Int
  var tensors: [String: Tensor] = [:]

  /// The state before a parameter's first step.
  public init() { step = 1 }

  init(step: Int, tensors: [String: Tensor]) {
    self.step = step
    self.tensors = tensors
  }

  /// A tensor of the parameter's shape, or of any other; nil until it is set.
  public subscript(_ name: String) -> Tensor? {
    get { tensors[name] }
    set { tensors[name] = newValue }
  }
}

/// Describes the first of some options that is negative or NaN.
func negativeOption(_ options: (name: String, value: Double)...) -> String? {
  options.first { !($0.value >= 0) }.map { "\($0.name) must not be negative, got \($0.value)" }
}

/// Describes the first of some decay rates that is not in 0 ..< 1.
func wrongBeta(_ first: Double, _ second: Double) -> String? {
  for (name, beta) in [("first", first), ("second", second)] where !(beta >= 0 && beta < 1) {
    return "betas must be in 0 ..< 1, got \(beta) as the \(name)"
  }
  return nil
}
