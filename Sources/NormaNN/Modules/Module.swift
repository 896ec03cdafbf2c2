import NormaTensor

/// The base class of layers and networks: classes whose stored properties are parameters, buffers
/// and other modules, also in arrays, dictionaries, optionals, tuples, structures and enumerations.
/// Nothing needs to be registered. A property with an object of another class that holds any of
/// them is an error.
///
/// A `lazy var` that has not been initialized is an error when parameters are listed, and so are
/// two properties with the same name in state dictionaries. A property that refers back to an
/// enclosing module, such as `weak var parent`, is skipped.
///
/// Names are PyTorch's: `running_mean` for a property `runningMean`, `blocks.0.conv1.weight` for a
/// convolution `conv1` in the first element of an array or `Sequential` called `blocks`.
/// ``stateNames`` describes the rule and its exceptions. PyTorch: `torch.nn.Module`.
nonisolated open class Module {
  /// Whether the module is in training mode; see ``train()`` and ``eval()``.
  public private(set) var isTraining = true

  /// The observers of the module's calls.
  var watchers: [LayerWatcher] = []

  /// Receives the module's calls and replaces it among the ``children`` of others, after the module
  /// was converted or folded. The module itself does not change.
  var standIn: (any Layer)?

  /// The module, or its replacement.
  var current: Module { standIn?.current ?? self }

  /// The name under which a network listed the module; see ``Module/remember(name:)``.
  private var listedName: String?

  /// A module in training mode.
  public init() {}

  /// Names in state dictionaries for properties where the rule gives another name, by property.
  ///
  /// By the rule, a property's name becomes lower case, with `_` between words; a run of capitals
  /// is one word: `runningMean` is `running_mean`, `attnQKV` is `attn_qkv`, `conv2D` is `conv2d`. A
  /// class with other names overrides this property:
  ///
  ///     override class var stateNames: [String: String] { ["mixed5b": "Mixed_5b", "w": "W"] }
  ///
  /// The members of a dictionary with the name `""` have their keys as names.
  /// PyTorch has no counterpart: its names are those of the attributes.
  open class var stateNames: [String: String] { [:] }

  /// Switches this module and its submodules to training mode. PyTorch: `module.train()`.
  public func train() { setTraining(true) }

  /// Switches this module and its submodules to evaluation mode. PyTorch: `module.eval()`.
  public func eval() { setTraining(false) }

  /// The mode of this module alone.
  func setOwnMode(_ isTraining: Bool) { self.isTraining = isTraining }

  /// The number of multiply-adds of a call with this result; for ``ModuleSummary``.
  open func multiplyAdds(for output: [Int]) -> Int { 0 }

  /// The options in the module's `description`, as in a call of its initializer:
  /// `3, 16, kernelSize: 3`.
  ///
  /// By default, these are the stored properties that are numbers, Booleans, texts, enumerations or
  /// short lists, and the shapes of the module's own parameters and buffers. PyTorch:
  /// `module.extra_repr()`.
  open var optionsDescription: String { storedOptions.text }

  private func setTraining(_ isTraining: Bool) {
    for (_, module) in namedModules { module.isTraining = isTraining }
  }

  /// Excludes all parameters from gradients, and makes batch norm layers inside keep their running
  /// statistics and normalize with them; ``train()`` does not change that.
  ///
  /// PyTorch: `module.requires_grad_(False)`, which does not stop running statistics, together with
  /// `eval()` of every batch norm, which `train()` undoes. Keras: `layer.trainable = False`.
  public func freeze() { setAllFrozen(true) }

  /// Includes all parameters again; batch norm layers return to normal. PyTorch:
  /// `module.requires_grad_(True)`.
  public func unfreeze() { setAllFrozen(false) }

  private func setAllFrozen(_ isFrozen: Bool) {
    for parameter in parameters { parameter.isFrozen = isFrozen }
    for (_, module) in namedModules { module.setFrozen(isFrozen) }
  }

  /// Freezes or unfreezes the module's own state other than parameters.
  func setFrozen(_ isFrozen: Bool) {}

  /// Clears the gradients of all parameters. PyTorch: `module.zero_grad()`.
  public func zeroGrad() { for parameter in parameters { parameter.grad = nil } }

  /// The direct submodules by name, in declaration order and superclass first. PyTorch:
  /// `named_children()`.
  open var children: [(name: String, module: Module)] {
    members.compactMap { member in
      if let parametrization = (member.value as? Parameter)?.parametrization {
        return ("parametrizations.\(member.name)", parametrization)
      }
      return (member.value as? Module).map { (member.name, $0.current) }
    }
  }

  /// The children without the enclosing modules, which would form a cycle.
  func children(below path: [Module]) -> [(name: String, module: Module)] {
    children.filter { child in !path.contains { $0 === child.module } }
  }

  /// This module, with an empty name, and all modules inside it. PyTorch: `named_modules()`.
  public var namedModules: [(name: String, module: Module)] {
    let all = namedModules(below: [])
    Self.namesLock.locked { for (name, module) in all { module.remember(name: name) } }
    return all
  }

  /// Guards the names of modules, parameters and buffers.
  static let namesLock = Lock()

  /// Keeps the name for error messages; the one from the outermost module wins.
  private func remember(name: String) {
    if !name.isEmpty { listedName = outermostName(listedName, name) }
  }

  /// The name under which a network listed the module.
  var knownName: String? { Self.namesLock.locked { listedName } }

  private func namedModules(below path: [Module]) -> [(name: String, module: Module)] {
    var all: [(String, Module)] = [("", self)]
    let path = path + [self]
    for (name, child) in children(below: path) {
      for (inner, module) in child.namedModules(below: path) {
        all.append((inner.isEmpty ? name : "\(name).\(inner)", module))
      }
    }
    return all
  }

  /// All parameters by name, each once, in PyTorch's order: a module's own parameters before those
  /// of its submodules. PyTorch: `named_parameters()`.
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

  /// The values of parameters and buffers by name, without gradient history, in the order of
  /// PyTorch's `state_dict()`: each module's own before those of its submodules.
  public func stateDict() -> StateDict {
    var state = StateDict()
    var seen: [String: ObjectIdentifier] = [:]
    for (name, cell) in cells {
      if let other = seen.updateValue(cell.identity, forKey: name), other != cell.identity {
        report(
          TensorError(
            "\(type(of: self)).stateDict()", "two parameters or buffers have the name \(name)"),
          file: #fileID, line: #line)
      }
      state[name] = cell.tensor
    }
    return state
  }

  /// A parameter or buffer.
  enum Cell {
    case parameter(Parameter)
    case buffer(Buffer)

    var tensor: Tensor {
      switch self {
      case .parameter(let parameter): parameter.value.detached()
      case .buffer(let buffer): buffer.value.detached()
      }
    }

    var shape: [Int] {
      switch self {
      case .parameter(let parameter): parameter.shape
      case .buffer(let buffer): buffer.value.shape
      }
    }

    var identity: ObjectIdentifier {
      switch self {
      case .parameter(let parameter): ObjectIdentifier(parameter)
      case .buffer(let buffer): ObjectIdentifier(buffer)
      }
    }

    /// Keeps the name for descriptions.
    func remember(name: String) {
      switch self {
      case .parameter(let parameter):
        parameter.listedName = outermostName(parameter.listedName, name)
      case .buffer(let buffer): buffer.listedName = outermostName(buffer.listedName, name)
      }
    }

    func set(_ value: Tensor) {
      switch self {
      case .parameter(let parameter): parameter.value = value
      case .buffer(let buffer): buffer.value = value
      }
    }
  }

  /// All parameters and buffers by name: a module's parameters, its buffers, then those of its
  /// submodules.
  var cells: [(name: String, value: Cell)] {
    let all = cells(below: [])
    Self.namesLock.locked { for (name, cell) in all { cell.remember(name: name) } }
    return all
  }

  private func cells(below path: [Module]) -> [(name: String, value: Cell)] {
    var cells = ownCells
    let path = path + [self]
    for (name, child) in children(below: path) {
      for cell in child.cells(below: path) { cells.append(("\(name).\(cell.name)", cell.value)) }
    }
    return cells
  }

  /// The parameters, then the buffers of the module itself.
  var ownCells: [(name: String, value: Cell)] {
    let own = members
    var cells: [(name: String, value: Cell)] = []
    for case (let name, let parameter as Parameter) in own
    where parameter.parametrization == nil {
      cells.append((name, .parameter(parameter)))
    }
    for case (let name, let buffer as Buffer) in own { cells.append((name, .buffer(buffer))) }
    return cells
  }
}

/// Of two names of the same object, the one in the outermost module, which has the longest path.
private func outermostName(_ old: String?, _ new: String) -> String {
  guard let old, old != new else { return new }
  return old.count { $0 == "." } < new.count { $0 == "." } ? new : old
}
