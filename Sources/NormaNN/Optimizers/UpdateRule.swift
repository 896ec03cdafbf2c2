import NormaTensor

/// The options of a group of parameters, and the step that they make of one parameter.
///
/// The optimizers of this library are rules; ``RuleOptimizer`` runs a rule of one's own just as well. Its
/// options are its stored properties, numbers and Booleans: each group has its own, and all of them are
/// part of ``Optimizer/state``.
///
///     struct SignSGD: UpdateRule {
///       var learningRate = 1e-3
///       var beta = 0.9
///       func moved(_ value: Tensor, by gradient: Tensor, _ state: inout ParameterState) -> Tensor {
///         let mean = state["mean"].map { $0 * beta + gradient * (1 - beta) } ?? gradient * 1
///         state["mean"] = mean
///         return value - mean.sign() * learningRate
///       }
///     }
///     let optimizer = RuleOptimizer(network.parameters, SignSGD())
public protocol UpdateRule: Sendable, Codable {
  /// The size of the step; schedules set it.
  var learningRate: Double { get set }

  /// The option that a schedule of momentum sets: SGD's momentum, β₁ of Adam; nil where there is none.
  static var momentumOption: WritableKeyPath<Self, Double>? { get }

  /// What is wrong with the options, such as "learningRate must not be negative, got -1"; nil if
  /// nothing is.
  var problem: String? { get }

  /// The parameter after a step.
  ///
  /// Its result and the new state are best left pending: all of a parameter's step is then one program, and
  /// the state is written over the old one. So a rule keeps no tensor of the state anywhere else.
  ///
  /// - Parameters:
  ///   - value: The parameter; in `float32` where it is of a half type.
  ///   - gradient: Its gradient, of the same shape and type.
  ///   - state: What the rule keeps for this parameter from step to step.
  func moved(_ value: Tensor, by gradient: Tensor, _ state: inout ParameterState) -> Tensor
}

extension UpdateRule {
  /// No option is momentum.
  public static var momentumOption: WritableKeyPath<Self, Double>? { nil }

  /// Nothing is wrong with any option.
  public var problem: String? { nil }
}

/// What a rule keeps for one parameter.
public struct ParameterState: Sendable {
  /// How many steps the parameter has taken, the current one included. Parameters that join later, or had
  /// no gradient for a while, have taken fewer than others.
  public internal(set) var step: Int
  var tensors: [String: Tensor] = [:]

  /// The state at the beginning of a parameter's first step.
  public init() { step = 1 }

  init(step: Int, tensors: [String: Tensor]) {
    self.step = step
    self.tensors = tensors
  }

  /// A tensor of the parameter's shape, or any other; nil before it is set.
  public subscript(_ name: String) -> Tensor? {
    get { tensors[name] }
    set { tensors[name] = newValue }
  }
}

/// The first of some options that is negative or NaN, as a text.
func negativeOption(_ options: (name: String, value: Double)...) -> String? {
  options.first { !($0.value >= 0) }.map { "\($0.name) must not be negative, got \($0.value)" }
}

/// The first of some decay rates that does not lie in 0 ..< 1, as a text.
func wrongBeta(_ first: Double, _ second: Double) -> String? {
  for (name, beta) in [("first", first), ("second", second)] where !(beta >= 0 && beta < 1) {
    return "betas must lie in 0 ..< 1, got \(beta) as the \(name)"
  }
  return nil
}
