/// Tensors by name, in order: what a network has learned, or what a file holds.
///
///     for (name, tensor) in network.stateDict() { print(name, tensor.shape) }
///     let weight = state["layers.0.weight"]
///
/// Whatever accepts a state also accepts a dictionary. Looking up a name takes constant time,
/// removing one time linear in their number.
/// PyTorch: the `OrderedDict` of `state_dict()`.
public struct StateDict: Sendable {
  private var members: [(key: String, value: Tensor)] = []
  private var positions: [String: Int] = [:]

  /// An empty state.
  public init() {}

  /// The tensors of a dictionary or of pairs; if a name occurs twice, the last tensor at the
  /// position of the first.
  public init(_ members: some Sequence<(key: String, value: Tensor)>) {
    for (name, tensor) in members { self[name] = tensor }
  }

  /// The tensor with this name, or nil. A new name is appended, and setting nil removes one.
  public subscript(name: String) -> Tensor? {
    get { positions[name].map { members[$0].value } }
    set {
      switch (positions[name], newValue) {
      case (let position?, let tensor?): members[position].value = tensor
      case (nil, let tensor?):
        positions[name] = members.count
        members.append((name, tensor))
      case (let position?, nil):
        members.remove(at: position)
        positions[name] = nil
        for later in position..<members.count { positions[members[later].key] = later }
      case (nil, nil): break
      }
    }
  }

  /// The names in order.
  public var keys: [String] { members.map(\.key) }

  /// The tensors in order.
  public var values: [Tensor] { members.map(\.value) }

  /// The results of `transform` for each tensor, by name.
  public func mapValues<T>(_ transform: (Tensor) throws -> T) rethrows -> [String: T] {
    Dictionary(uniqueKeysWithValues: try members.map { ($0.key, try transform($0.value)) })
  }

  /// The same names with all values computed and nothing pending.
  public func evaluated() -> StateDict {
    var copy = self
    for position in members.indices {
      copy.members[position].value = members[position].value.evaluated()
    }
    return copy
  }
}

extension StateDict: RandomAccessCollection {
  /// 0: the first position.
  public var startIndex: Int { 0 }

  /// The number of tensors.
  public var endIndex: Int { members.count }

  /// The name and tensor at a position.
  public subscript(position: Int) -> (key: String, value: Tensor) { members[position] }
}

extension StateDict: ExpressibleByDictionaryLiteral {
  /// The tensors in the order of the literal.
  public init(dictionaryLiteral elements: (String, Tensor)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }
}

extension StateDict: CustomStringConvertible {
  /// One line for each tensor: name, shape and type.
  public var description: String {
    members.map { "\($0.key) \($0.value.shape) \($0.value.dtype)" }.joined(separator: "\n")
  }
}
