import NormaTensor

/// One call that all members of a group make together. Tensors are evaluated, and of
/// a type that every implementation adds: neither Boolean nor of a half type.
struct Collective: Sendable {
  enum Kind: Sendable, Hashable {
    case allReduce(ReduceOperation)
    case allGather
    /// The first axis is divided among the members.
    case reduceScatter(ReduceOperation)
    case broadcast(root: Int)
    case barrier
  }

  let kind: Kind
  let tensor: Tensor
  /// The name of the call in messages.
  let call: String
  let timeout: Duration
  /// Whether the caller does not wait for it yet, so that it should leave the processor to others.
  var isBackground = false
}

/// What carries a group's calls: threads of this process, or MPI.
protocol Transport: Sendable {
  var rank: Int { get }
  var count: Int { get }
  /// The names of the members' hosts.
  var hosts: [String] { get }

  /// The result: one tensor, or one of each member for a gathering.
  func run(_ collective: Collective) throws(ProcessGroupError) -> [Tensor]

  /// The transport among the members that give the same color, in the order of ranks.
  func split(color: Int, timeout: Duration) throws(ProcessGroupError) -> any Transport
}

/// A group of one process, which has nothing to do.
struct SingleTransport: Transport {
  var rank: Int { 0 }
  var count: Int { 1 }
  var hosts: [String] { ["this host"] }

  func run(_ collective: Collective) -> [Tensor] { [collective.tensor] }

  func split(color: Int, timeout: Duration) -> any Transport { self }
}
