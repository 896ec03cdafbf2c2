import NormaTensor

/// A number array that belongs to a module's state and is not trained, such as running statistics.
///
/// PyTorch: `register_buffer`.
public final class Buffer {
  /// The current value.
  public var value: Tensor

  /// A buffer that starts as `value`.
  public init(_ value: Tensor) { self.value = value }
}

/// The base of layers and networks: classes whose stored properties are parameters, buffers and
/// other modules. Nothing has to be registered.
///
/// PyTorch: `torch.nn.Module`.
open class Module {
  /// Whether the module behaves as in training; see ``train()`` and ``eval()``.
  public private(set) var isTraining = true

  /// A module in training mode.
  public init() {}

  /// Switches this module and those inside to training mode. PyTorch: `module.train()`.
  public func train() { setTraining(true) }

  /// Switches this module and those inside to evaluation mode. PyTorch: `module.eval()`.
  public func eval() { setTraining(false) }

  private func setTraining(_ isTraining: Bool) {
    self.isTraining = isTraining
    for (_, child) in children { child.setTraining(isTraining) }
  }

  /// The modules that this one holds as stored properties, by name. PyTorch: `named_children()`.
  public var children: [(name: String, module: Module)] {
    members.compactMap { member in (member.value as? Module).map { (member.name, $0) } }
  }

  /// Parameters and buffers of this module and those inside, under PyTorch's names:
  /// `running_mean` for a property `runningMean`, `conv.weight` for one inside of `conv`.
  ///
  /// There is no way back yet: nothing loads a dictionary into a module. PyTorch: `state_dict()`.
  public func stateDict() -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, value) in members {
      switch value {
      case let parameter as Parameter: state[name.snakeCased] = parameter.value
      case let buffer as Buffer: state[name.snakeCased] = buffer.value
      case let module as Module:
        for (key, tensor) in module.stateDict() { state["\(name.snakeCased).\(key)"] = tensor }
      default: break
      }
    }
    return state
  }

  /// Stored properties of this class and its superclasses; nil optionals are left out.
  private var members: [(name: String, value: Any)] {
    var members: [(name: String, value: Any)] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    while let current = mirror {
      members += current.children.compactMap { child in
        guard let name = child.label else { return nil }
        let optional = Mirror(reflecting: child.value)
        guard optional.displayStyle == .optional else { return (name, child.value) }
        return optional.children.first.map { (name, $0.value) }
      }
      mirror = current.superclassMirror
    }
    return members
  }
}

extension String {
  /// `runningMean` as `running_mean`.
  fileprivate var snakeCased: String {
    var result = ""
    for character in self {
      if character.isUppercase && !result.isEmpty { result.append("_") }
      result += character.lowercased()
    }
    return result
  }
}
