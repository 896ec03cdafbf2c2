import Foundation
import NormaTensor

/// Everything that an optimizer needs to continue: the options of its groups, and the steps and
/// tensors of its parameters.
public struct OptimizerState: Sendable {
  /// The options of a group by name: `learning_rate`, `beta1`, `amsgrad`.
  public struct Group: Sendable, Hashable, Codable {
    /// Numeric options, and the `initial_learning_rate` of schedules.
    public var numbers: [String: Double]
    /// Boolean options.
    public var flags: [String: Bool]

    /// A group with these options.
    public init(numbers: [String: Double] = [:], flags: [String: Bool] = [:]) {
      self.numbers = numbers
      self.flags = flags
    }
  }

  /// The options of each group.
  public var groups: [Group]
  /// The tensors by the parameter's index over all groups and PyTorch's name: `0.exp_avg`,
  /// `0.step`.
  public var tensors: [String: Tensor]
  /// The number of steps taken.
  public var stepCount: Int

  /// A state with these parts.
  public init(groups: [Group], tensors: [String: Tensor], stepCount: Int) {
    self.groups = groups
    self.tensors = tensors
    self.stepCount = stepCount
  }

  static let step = "step"
  static let initialLearningRate = "initial_learning_rate"
}

/// The reason why a state was not loaded.
public struct OptimizerStateError: Error, Sendable, CustomStringConvertible {
  /// The mismatch.
  public let description: String
}

extension OptimizerState {
  /// The state of each of these parameters.
  func slots(for parameters: [Parameter]) throws -> [ParameterSlot] {
    var slots = [ParameterSlot](repeating: ParameterSlot(), count: parameters.count)
    for (key, tensor) in tensors {
      let parts = key.split(separator: ".", maxSplits: 1)
      guard parts.count == 2, let place = Int(parts[0]), slots.indices.contains(place) else {
        throw OptimizerStateError(description: "the state has \(key), which names no parameter")
      }
      let parameter = parameters[place]
      if parts[1] == OptimizerState.step {
        let step = tensor.count == 1 ? tensor.item() : -1
        guard step >= 0, let step = Int(exactly: step) else {
          throw OptimizerStateError(description: "\(key) is not a number of steps: \(tensor)")
        }
        slots[place].step = step
        continue
      }
      // A rule may keep tensors of other shapes, but the usual mistake is a state of another
      // network.
      guard tensor.shape == parameter.shape || tensor.rank != parameter.shape.count else {
        throw OptimizerStateError(
          description: "\(key) has shape \(tensor.shape), its parameter \(parameter.shape)")
      }
      let isHalf = parameter.dtype == .float16 || parameter.dtype == .bfloat16
      let working = isHalf ? .float32 : parameter.dtype
      slots[place].tensors[String(parts[1])] =
        tensor.dtype.isFloatingPoint ? tensor.detached().cast(to: working) : tensor.detached()
    }
    // States of version 1 have a single step count for all parameters.
    for place in slots.indices
    where slots[place].step == 0 && !slots[place].tensors.isEmpty {
      slots[place].step = stepCount
    }
    return slots
  }
}

extension OptimizerState.Group {
  private enum Value: Codable {
    case flag(Bool)
    case number(Double)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else {
        self = .number(try container.decode(Double.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .flag(let flag): try container.encode(flag)
      case .number(let number): try container.encode(number)
      }
    }
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  /// All options of a rule.
  /// - Throws: an error for an option that is neither a number nor a Boolean.
  init(_ options: some UpdateRule) throws {
    let encoder = Self.encoder
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let values = try Self.decoder.decode([String: Value].self, from: encoder.encode(options))
    self.init()
    for (name, value) in values {
      switch value {
      case .flag(let flag): flags[name] = flag
      case .number(let number): numbers[name] = number
      }
    }
  }

  /// The options `current`, with these changes.
  func options<Rule: UpdateRule>(
    over current: Rule, momentum: WritableKeyPath<Rule, Double>?
  ) throws -> Rule {
    let own = try Self(current)
    var values: [String: Value] = [:]
    for (name, number) in own.numbers.merging(numbers, uniquingKeysWith: { $1 }) {
      values[name] = .number(number)
    }
    for (name, flag) in own.flags.merging(flags, uniquingKeysWith: { $1 }) {
      values[name] = .flag(flag)
    }
    // Under this name, states of version 1 have β₁, or 0 for an optimizer without momentum.
    let isFirstVersion = own.numbers["momentum"] == nil && numbers["momentum"] != nil
    if isFirstVersion { values["momentum"] = nil }
    values[OptimizerState.initialLearningRate] = nil
    let known = Set(own.numbers.keys).union(own.flags.keys)
    let foreign = values.keys.filter { !known.contains($0) }.sorted()
    guard foreign.isEmpty else {
      throw OptimizerStateError(
        description:
          "the state has options that \(Rule.self) lacks: \(foreign.joined(separator: ", "))")
    }
    let decoder = Self.decoder
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    var options: Rule
    do {
      options = try decoder.decode(Rule.self, from: Self.encoder.encode(values))
    } catch {
      throw OptimizerStateError(description: "options of \(Rule.self) cannot be read: \(error)")
    }
    if isFirstVersion, let momentum { options[keyPath: momentum] = numbers["momentum"] ?? 0 }
    return options
  }
}
