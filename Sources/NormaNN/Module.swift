import NormaTensor

/// The base of layers and networks: classes whose stored properties are parameters, buffers and
/// other modules, also in arrays, dictionaries and optionals. Nothing has to be registered.
///
/// Names are PyTorch's: `running_mean` for a property `runningMean`, `blocks.0.conv1.weight` for a
/// convolution `conv1` inside of the first element of an array or `Sequential` called `blocks`.
/// PyTorch: `torch.nn.Module`.
open class Module {
  /// Whether the module behaves as in training; see ``train()`` and ``eval()``.
  public private(set) var isTraining = true

  /// Those who look at its calls.
  var watchers: [LayerWatcher] = []

  /// What takes the module's calls, and its place among the ``children`` of others: what it was
  /// converted to or folded into. The module itself stays as it was.
  var standIn: (any Layer)?

  /// The module, or what stands in for it.
  var current: Module { standIn?.current ?? self }

  /// A module in training mode.
  public init() {}

  /// Switches this module and those inside to training mode. PyTorch: `module.train()`.
  public func train() { setTraining(true) }

  /// Switches this module and those inside to evaluation mode. PyTorch: `module.eval()`.
  public func eval() { setTraining(false) }

  /// The mode of this module alone.
  func setOwnMode(_ isTraining: Bool) { self.isTraining = isTraining }

  /// Pairs of a multiplication and an addition that a call with this result takes; for ``Summary``.
  open func multiplyAdds(for output: [Int]) -> Int { 0 }

  private func setTraining(_ isTraining: Bool) {
    self.isTraining = isTraining
    for (_, child) in children { child.setTraining(isTraining) }
  }

  /// Excludes all parameters from gradients, and lets batch normalization inside keep its running
  /// statistics and normalize with them; ``train()`` does not change that.
  ///
  /// PyTorch: `module.requires_grad_(False)`, which leaves running statistics to move on, and `eval()`
  /// of every batch norm, which `train()` undoes. Keras: `layer.trainable = False`.
  public func freeze() { setAllFrozen(true) }

  /// Includes all parameters again; batch normalization behaves as before.
  /// PyTorch: `module.requires_grad_(True)`.
  public func unfreeze() { setAllFrozen(false) }

  private func setAllFrozen(_ isFrozen: Bool) {
    for parameter in parameters { parameter.isFrozen = isFrozen }
    for (_, module) in namedModules { module.setFrozen(isFrozen) }
  }

  /// Tells the module alone whether its state is to stay as it is, parameters apart.
  func setFrozen(_ isFrozen: Bool) {}

  /// Forgets the gradients of all parameters. PyTorch: `module.zero_grad()`.
  public func zeroGrad() { for parameter in parameters { parameter.grad = nil } }

  /// The modules that this one holds, by name and in the order of their declaration; those of a
  /// superclass first. PyTorch: `named_children()`.
  open var children: [(name: String, module: Module)] {
    members.compactMap { member in
      if let parametrization = (member.value as? Parameter)?.parametrization {
        return ("parametrizations.\(member.name)", parametrization)
      }
      return (member.value as? Module).map { (member.name, $0.current) }
    }
  }

  /// This module, under an empty name, and all modules inside. PyTorch: `named_modules()`.
  public var namedModules: [(name: String, module: Module)] {
    var all: [(String, Module)] = [("", self)]
    for (name, child) in children {
      for (inner, module) in child.namedModules {
        all.append((inner.isEmpty ? name : "\(name).\(inner)", module))
      }
    }
    return all
  }

  /// All parameters, each once, by name, in the order in which PyTorch lists them: a module's own
  /// before those of the modules inside. PyTorch: `named_parameters()`.
  public var namedParameters: [(name: String, parameter: Parameter)] {
    var seen: Set<ObjectIdentifier> = []
    return cells.compactMap { cell in
      guard case .parameter(let parameter) = cell.value,
        seen.insert(ObjectIdentifier(parameter)).inserted
      else { return nil }
      return (cell.name, parameter)
    }
  }

  /// All parameters, each once. PyTorch: `parameters()`.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// All buffers by name. PyTorch: `named_buffers()`.
  public var namedBuffers: [(name: String, buffer: Buffer)] {
    cells.compactMap { cell in
      if case .buffer(let buffer) = cell.value { return (cell.name, buffer) }
      return nil
    }
  }

  /// The values of parameters and buffers by name, without histories. PyTorch: `state_dict()`.
  public func stateDict() -> [String: Tensor] {
    Dictionary(cells.map { ($0.name, $0.value.tensor) }) { first, _ in first }
  }

  /// A cell of state.
  enum Cell {
    case parameter(Parameter)
    case buffer(Buffer)

    var tensor: Tensor {
      switch self {
      case .parameter(let parameter): parameter.value.detached()
      case .buffer(let buffer): buffer.value.detached()
      }
    }

    func set(_ value: Tensor) {
      switch self {
      case .parameter(let parameter): parameter.value = value
      case .buffer(let buffer): buffer.value = value
      }
    }
  }

  /// All cells by name: parameters, then buffers of a module, then those of the modules inside.
  var cells: [(name: String, value: Cell)] {
    let own = members
    var cells: [(name: String, value: Cell)] = []
    for case (let name, let parameter as Parameter) in own
    where parameter.parametrization == nil {
      cells.append((name, .parameter(parameter)))
    }
    for case (let name, let buffer as Buffer) in own { cells.append((name, .buffer(buffer))) }
    for (name, child) in children {
      for cell in child.cells { cells.append(("\(name).\(cell.name)", cell.value)) }
    }
    return cells
  }

  /// Stored properties of the superclasses below this one and this class, those in collections one by one; nil
  /// optionals are left out.
  private var members: [(name: String, value: Any)] {
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    // The base has none that belong to the network.
    while let current = mirror, current.subjectType != Module.self {
      mirrors.append(current)
      mirror = current.superclassMirror
    }
    return mirrors.reversed().flatMap { mirror in
      mirror.children.flatMap { child in
        child.label.map { Module.flattened($0.snakeCased, child.value) } ?? []
      }
    }
  }

  private static func flattened(_ name: String, _ value: Any) -> [(name: String, value: Any)] {
    if value is Module || value is Parameter || value is Buffer { return [(name, value)] }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      return mirror.children.first.map { flattened(name, $0.value) } ?? []
    case .collection:
      return mirror.children.enumerated().flatMap { flattened("\(name).\($0)", $1.value) }
    case .dictionary:
      let pairs = mirror.children.compactMap { child -> (String, Any)? in
        let pair = Array(Mirror(reflecting: child.value).children)
        guard pair.count == 2, let key = pair[0].value as? String else { return nil }
        return (key, pair[1].value)
      }
      return pairs.sorted { $0.0 < $1.0 }.flatMap { flattened("\(name).\($0)", $1) }
    default: return []
    }
  }
}

/// A module that maps one tensor to one tensor, so that ``Sequential`` can hold it.
public protocol Layer: Module {
  /// The result for a tensor; mistakes name the caller's file and line.
  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor
}

extension Layer {
  /// The result for a tensor, where only ``Layer`` is known of the module.
  public func callAsFunction(
    _ x: Tensor, calledFrom file: StaticString = #fileID, at line: UInt = #line
  ) -> Tensor {
    self(x, file: file, line: line)
  }
}

extension String {
  /// `runningMean` as `running_mean`.
  var snakeCased: String {
    var result = ""
    for character in self {
      if character.isUppercase && !result.isEmpty { result.append("_") }
      result += character.lowercased()
    }
    return result
  }
}
