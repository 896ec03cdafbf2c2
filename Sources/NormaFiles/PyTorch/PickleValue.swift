/// A value of a pickle: a small one itself, or the index of a node.
///
/// Nodes refer to each other by index and not by reference, so that whatever a file nests or links
/// into a cycle is freed without recursion.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  /// A function or class by its index in `PickleHeap.globals`.
  case global(Int)
  case node(Int)
}

/// A value of a pickle that has parts or is long.
struct PickleNode {
  enum Kind {
    case tuple
    case list
    case set
    /// Alternating keys and values.
    case dictionary
    case string(String)
    case bytes([UInt8])
    /// An integer of more than 64 bits, little-endian.
    case wideInteger([UInt8])
    /// Indices in `PickleHeap.storages` and `PickleHeap.tensors`.
    case storage(Int)
    case tensor(Int)
    /// An instance of a class that contains only data, such as `argparse.Namespace`; its items are
    /// its state.
    case object(String)
  }

  var kind: Kind
  var items: [PickleValue] = []
}

/// All values that a pickle created.
struct PickleHeap {
  var nodes: [PickleNode] = []
  var globals: [PickleGlobal] = []
  var storages: [PickledStorage] = []
  var tensors: [PickledTensor] = []

  mutating func make(_ kind: PickleNode.Kind, _ items: [PickleValue] = []) -> PickleValue {
    nodes.append(PickleNode(kind: kind, items: items))
    return .node(nodes.count - 1)
  }

  func node(_ value: PickleValue) -> PickleNode? {
    guard case .node(let index) = value else { return nil }
    return nodes[index]
  }

  func string(_ value: PickleValue) -> String? {
    guard case .string(let text) = node(value)?.kind else { return nil }
    return text
  }

  func int(_ value: PickleValue) -> Int? {
    switch value {
    case .int(let number): number
    case .bool(let truth): truth ? 1 : 0
    default: nil
    }
  }

  func global(_ value: PickleValue) -> PickleGlobal? {
    guard case .global(let index) = value else { return nil }
    return globals[index]
  }

  /// The parts of a tuple or list.
  func sequence(_ value: PickleValue) -> [PickleValue]? {
    guard let node = node(value) else { return nil }
    switch node.kind {
    case .tuple, .list: return node.items
    default: return nil
    }
  }

  /// The lengths or strides in a tuple.
  func ints(_ value: PickleValue) -> [Int]? {
    guard let items = sequence(value), items.count <= ArrayPlan.maximumRank else { return nil }
    let numbers = items.compactMap(int)
    return numbers.count == items.count ? numbers : nil
  }

  /// The value of a string key; the last one if it occurs several times.
  func value(_ key: String, in dictionary: PickleValue) -> PickleValue? {
    guard let node = node(dictionary), case .dictionary = node.kind else { return nil }
    for index in stride(from: node.items.count - 2, through: 0, by: -2)
    where string(node.items[index]) == key {
      return node.items[index + 1]
    }
    return nil
  }
}

/// The memory of tensors in a file.
struct PickledStorage {
  let key: String
  let element: PyTorchElement
  /// The device of the saved tensor, such as `cpu` or `cuda:0`.
  let location: String
  /// The number of elements of the storage in the file.
  let count: Int
  /// The first element that belongs to it: files from before PyTorch 0.4 have views of storages.
  var start = 0
  /// The location of its bytes, which is found after the pickle has been read.
  var place: StoragePlace?
}

/// A tensor of a file: its layout in its storage, or the reason why it is not supported.
struct PickledTensor {
  var element: PyTorchElement
  var shape: [Int]
  var strides: [Int] = []
  var offset = 0
  /// An index in `PickleHeap.storages`.
  var storage: Int?
  var reason: String?
}
