import NormaTensor

/// The base of layers and networks: classes whose stored properties are parameters, buffers and
/// other modules, also in arrays, dictionaries, optionals, tuples, structures and enumerations. Nothing has to
/// be registered. An object of another class that holds any of them is a mistake with the property's name.
///
/// A `lazy var` that has not been made is a mistake once parameters are listed, and so are two properties of one
/// name in state dictionaries. A property that leads back to a module further out, such as `weak var parent`, is
/// left out.
///
/// Names are PyTorch's: `running_mean` for a property `runningMean`, `blocks.0.conv1.weight` for a
/// convolution `conv1` inside of the first element of an array or `Sequential` called `blocks`; ``stateNames``
/// has the rule and the exceptions.
/// PyTorch: `torch.nn.Module`.
nonisolated open class Module {
  /// Whether the module behaves as in training; see ``train()`` and ``eval()``.
  public private(set) var isTraining = true

  /// Those who look at its calls.
  var watchers: [LayerWatcher] = []

  /// What takes the module's calls, and its place among the ``children`` of others: what it was
  /// converted to or folded into. The module itself stays as it was.
  var standIn: (any Layer)?

  /// The module, or what stands in for it.
  var current: Module { standIn?.current ?? self }

  /// The name under which a network listed the module; see ``Module/remember(name:)``.
  private var listedName: String?

  /// A module in training mode.
  public init() {}

  /// The names in state dictionaries of properties whose names do not lead to them, by property.
  ///
  /// A property's name is taken in lower case, with `_` between words; a run of capitals is one word: `runningMean`
  /// is `running_mean`, `attnQKV` is `attn_qkv`, `conv2D` is `conv2d`. A class whose states are named otherwise
  /// says so:
  ///
  ///     override class var stateNames: [String: String] { ["mixed5b": "Mixed_5b", "w": "W"] }
  ///
  /// PyTorch has no such thing: names are those of the attributes.
  open class var stateNames: [String: String] { [:] }

  /// Switches this module and those inside to training mode. PyTorch: `module.train()`.
  public func train() { setTraining(true) }

  /// Switches this module and those inside to evaluation mode. PyTorch: `module.eval()`.
  public func eval() { setTraining(false) }

  /// The mode of this module alone.
  func setOwnMode(_ isTraining: Bool) { self.isTraining = isTraining }

  /// Pairs of a multiplication and an addition that a call with this result takes; for ``ModuleSummary``.
  open func multiplyAdds(for output: [Int]) -> Int { 0 }

  private func setTraining(_ isTraining: Bool) {
    for (_, module) in namedModules { module.isTraining = isTraining }
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

  /// The children that are not among the modules further out, which would lead round in circles.
  func children(below path: [Module]) -> [(name: String, module: Module)] {
    children.filter { child in !path.contains { $0 === child.module } }
  }

  /// This module, under an empty name, and all modules inside. PyTorch: `named_modules()`.
  public var namedModules: [(name: String, module: Module)] {
    let all = namedModules(below: [])
    Self.namesLock.locked { for (name, module) in all { module.remember(name: name) } }
    return all
  }

  private static let namesLock = Lock()

  /// Keeps the name for the texts of mistakes; of several the one that leads from furthest out.
  private func remember(name: String) {
    func depth(_ name: String) -> Int { name.count { $0 == "." } }
    if !name.isEmpty, listedName.map({ depth($0) < depth(name) }) ?? true { listedName = name }
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

  /// The values of parameters and buffers by name, without histories, in the order of PyTorch's
  /// `state_dict()`: each module's own before those of the modules inside.
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

    var identity: ObjectIdentifier {
      switch self {
      case .parameter(let parameter): ObjectIdentifier(parameter)
      case .buffer(let buffer): ObjectIdentifier(buffer)
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
  var cells: [(name: String, value: Cell)] { cells(below: []) }

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
