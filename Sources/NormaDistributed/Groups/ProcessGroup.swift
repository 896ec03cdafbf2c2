import Foundation
import NormaTensor

/// Several processes that compute together: each calls the same methods in the same order.
///
///     try ProcessGroup.withMPI { group in
///       let total = try group.allReduce(Tensor(Double(group.rank)))
///       if group.rank == 0 { print(total) }
///     }
///
/// The processes are those that `mpirun` starts (``withMPI(timeout:_:)``), several threads of this
/// process (``withThreads(_:timeout:_:)``), or this one alone (``single``). Every method is called
/// by all members, with tensors of the same shape and type, and waits until all have called it; a
/// member that does not come within ``timeout`` is an error that names it. A group is used from one
/// thread at a time in each process; `startAllReduce(_:_:)` runs beside other calls.
///
/// Results have the same bits in all processes, and in every run with as many processes. Half types
/// are added in `float32` and rounded once.
/// PyTorch: `torch.distributed`.
public final class ProcessGroup: Sendable {
  let transport: any Transport
  /// Carries what runs beside other calls.
  let background: any Transport
  let queue: DispatchQueue
  /// How long a call waits for the other processes.
  public let timeout: Duration

  /// The number of this process, in `0 ..< count`.
  public var rank: Int { transport.rank }
  /// The number of processes. PyTorch: `world_size`.
  public var count: Int { transport.count }
  /// The names of the hosts that the processes run on, by rank.
  public var hosts: [String] { transport.hosts }

  /// The default of ``timeout``: ten minutes.
  public static let defaultTimeout = Duration.seconds(600)

  /// A group of this process alone: every result is what was passed.
  public static let single = ProcessGroup(
    SingleTransport(), background: SingleTransport(), timeout: defaultTimeout)

  init(_ transport: any Transport, background: any Transport, timeout: Duration) {
    self.transport = transport
    self.background = background
    self.timeout = timeout
    queue = DispatchQueue(label: "NormaDistributed.ProcessGroup")
  }

  /// A group over `transport`; called by all its members.
  convenience init(
    over transport: any Transport, timeout: Duration
  ) throws(ProcessGroupError) {
    let background = try transport.split(color: 0, timeout: timeout)
    self.init(transport, background: background, timeout: timeout)
  }

  /// The group of the members that pass the same color, in the order of ranks. Called by all.
  /// PyTorch: `new_group`, for groups that do not overlap.
  public func split(by color: Int) throws(ProcessGroupError) -> ProcessGroup {
    try ProcessGroup(over: transport.split(color: color, timeout: timeout), timeout: timeout)
  }

  /// The group of the members `ranks`; nil in the others, which call it, too.
  /// PyTorch: `new_group(ranks)`.
  public func subgroup(_ ranks: [Int]) throws(ProcessGroupError) -> ProcessGroup? {
    let group = try split(by: ranks.contains(rank) ? 1 : 0)
    return ranks.contains(rank) ? group : nil
  }

  /// Another group of the same members, whose calls may come in another order than this one's.
  public func duplicate() throws(ProcessGroupError) -> ProcessGroup { try split(by: 0) }
}
