/// Tensors by name, in order: what a network has learned, or what a file holds.
///
///     for (name, tensor) in network.stateDict() { print(name, tensor.shape) }
///     let weight = state["layers.0.weight"]
///
/// Whatever takes a state takes a dictionary as well. A name is found in constant time, removing one is linear
/// in their number. PyTorch: the `OrderedDict` of `state_dict()`.
public struct StateDict: Sendable {
  private var members: [(key: String, value: Tensor)] = []
  private var places: [String: Int] = [:]

  /// No tensors.
  public init() {}

  /// The tensors of a dictionary or of pairs; of two with one name the last, in the place of the first.
  public init(_ members: some Sequence<(key: String, value: Tensor)>) {
    for (name, tensor) in members { self[name] = tensor }
  }

  /// The tensor of this name; nil where there is none. A new name comes last, and setting nil removes one.
  public subscript(name: String) -> Tensor? {
    get { places[name].map { members[$0].value } }
    set {
      switch (places[name], newValue) {
      case (let place?, let tensor?): members[place].value = tensor
      case (nil, let tensor?):
        places[name] = members.count
        members.append((name, tensor))
      case (let place?, nil):
        members.remove(at: place)
        places[name] = nil
        for later in place..<members.count { places[members[later].key] = later }
      case (nil, nil): break
      }
    }
  }

  /// The names in order.
  public var keys: [String] { members.map(\.key) }

  /// The tensors in order.
  public var values: [Tensor] { members.map(\.value) }

  /// What `transform` makes of each tensor, by name.
  public func mapValues<T>(_ transform: (Tensor) throws -> T) rethrows -> [String: T] {
    Dictionary(uniqueKeysWithValues: try members.map { ($0.key, try transform($0.value)) })
  }

  /// The same names with all values computed and nothing pending.
  public func evaluated() -> StateDict {
    var copy = self
    for place in members.indices { copy.members[place].value = members[place].value.evaluated() }
    return copy
  }
}

extension StateDict: RandomAccessCollection {
  /// 0: the first place.
  public var startIndex: Int { 0 }

  /// The number of tensors.
  public var endIndex: Int { members.count }

  /// The name and the tensor in a place.
  public subscript(place: Int) -> (key: String, value: Tensor) { members[place] }
}

extension StateDict: ExpressibleByDictionaryLiteral {
  /// The tensors in the order in which they are written.
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
