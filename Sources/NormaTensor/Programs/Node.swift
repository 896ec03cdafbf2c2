import NormaValues
import Synchronization

/// The source of a tensor's values: stored elements, or work that has not run yet.
///
/// A node is created pending or stored, and can only change to stored, which releases its inputs.
final class Node: Sendable {
  /// Work that computes a node's values.
  enum Work: Sendable {
    /// An instruction on operands of the node's own shape.
    case elementwise(Operation, [Tensor])
    case reduction(ReductionGroup, ReductionGroup.Result)
    case convolution(PendingConvolution)
  }

  enum Content: Sendable {
    case stored(Storage)
    case pending(Work)
  }

  private struct State {
    /// Nil once the values are stored.
    var work: Work?
    /// How often the work ran inside other programs without being stored.
    var streamed = 0
    /// Pending reductions over this node's values, so that siblings share one pass.
    var groups: [WeakGroup] = []
    /// Corrects the values before they are stored.
    var correction: Correction?
  }

  /// Replaces some of the values in memory, which has the node's layout.
  typealias Correction = @Sendable (Storage) -> Void

  struct WeakGroup: Sendable {
    weak var group: ReductionGroup?
  }

  let dtype: DType
  /// The layout of the node's values in its storage: dense.
  let layout: Layout
  /// A mistake produced this node, or there was no memory for it; it has no values.
  var isPoisoned: Bool { isLost.load(ordering: .relaxed) }
  private let isLost: Atomic<Bool>
  private let bornCost: Int
  private let bornDepth: Int
  /// Whether the work is a convolution, which is too expensive to run twice.
  private let isConvolution: Bool
  private let isStored: Atomic<Bool>
  /// The values, once stored: read without the lock, because most operands are stored.
  private let memory: Atomic<UInt>
  private let isShared = Atomic(false)
  private let state: Mutex<State>

  @inline(never)
  init(stored storage: Storage, dtype: DType, layout: Layout, isPoisoned: Bool = false) {
    self.dtype = dtype
    self.layout = layout
    isLost = Atomic(isPoisoned)
    bornCost = 0
    bornDepth = 0
    isConvolution = false
    isStored = Atomic(true)
    state = Mutex(State())
    memory = Atomic(Node.retained(storage))
  }

  @inline(never)
  init(_ work: Work, dtype: DType, layout: Layout, cost: Int, depth: Int) {
    self.dtype = dtype
    self.layout = layout
    isLost = Atomic(false)
    bornCost = cost
    bornDepth = depth
    if case .convolution = work { isConvolution = true } else { isConvolution = false }
    isStored = Atomic(false)
    state = Mutex(State(work: work))
    memory = Atomic(0)
  }

  deinit { Node.storage(at: memory.load(ordering: .acquiring))?.release() }

  private static func retained(_ storage: Storage) -> UInt {
    UInt(bitPattern: Unmanaged.passRetained(storage).toOpaque())
  }

  private static func storage(at address: UInt) -> Unmanaged<Storage>? {
    UnsafeRawPointer(bitPattern: address).map { .fromOpaque($0) }
  }

  /// The total cost of the pending instructions that a program with this node has to run.
  var cost: Int { isStored.load(ordering: .acquiring) ? 0 : bornCost }

  /// The longest path of pending nodes to a stored one.
  var depth: Int { isStored.load(ordering: .acquiring) ? 0 : bornDepth }

  /// The values, if they are stored.
  var storage: Storage? {
    Node.storage(at: memory.load(ordering: .acquiring))?.takeUnretainedValue()
  }

  var content: Content {
    if let storage { return .stored(storage) }
    return state.withLock { $0.work.map { .pending($0) } } ?? stored
  }

  /// The contents once the work is gone.
  private var stored: Content {
    guard let storage else { fatalError("a node has neither work nor values") }
    return .stored(storage)
  }

  /// The correction of the values once they are computed.
  var correction: Correction? { state.withLock { $0.correction } }

  /// Sets a correction for the values of this new node, which are therefore stored before they are
  /// used.
  func correct(with correction: @escaping Correction) {
    share()
    let stored = state.withLock { state -> Storage? in
      if let storage { return storage }
      state.correction = correction
      return nil
    }
    if let stored { correction(stored) }
  }

  /// Whether the values are exactly the results of the work, so that other programs may run it
  /// instead.
  var isPlain: Bool { state.withLock { $0.correction == nil } }

  var isPendingElementwise: Bool {
    state.withLock { state in
      if case .elementwise? = state.work { return true }
      return false
    }
  }

  var isPending: Bool { !isStored.load(ordering: .acquiring) }

  /// Stores the result of the work; the first result is kept, and all are equal.
  func store(_ storage: Storage) {
    let address = Node.retained(storage)
    if !memory.compareExchange(expected: 0, desired: address, ordering: .acquiringAndReleasing)
      .exchanged
    {
      Node.storage(at: address)?.release()
    }
    // The work is released outside of the lock: it may hold the last reference to other nodes.
    let old = state.withLock { state in
      let old = (state.work, state.correction)
      (state.work, state.correction) = (nil, nil)
      return old
    }
    isStored.store(true, ordering: .releasing)
    withExtendedLifetime(old) {}
  }

  /// Whether no other node and no work shares the memory of these stored values.
  func holdsMemoryAlone() -> Bool {
    // The node's own reference is borrowed, so that any other one is detected.
    guard let own = Node.storage(at: memory.load(ordering: .acquiring)) else { return false }
    var storage = own.takeRetainedValue()
    defer { _ = Unmanaged.passRetained(storage) }
    return !storage.isMissing && isKnownUniquelyReferenced(&storage)
  }

  /// The call named in an out-of-memory error if the public call that needed the values is unknown.
  static let lossCall = "evaluated()"

  /// Marks a node as lost because there is no memory for it, recording a mistake in the scope;
  /// returns a placeholder for work in progress. Outside of a scope the program ends.
  func lose() -> Storage {
    report(.memory(layout.shape, dtype, Node.lossCall), file: #fileID, line: #line)
    return loseQuietly()
  }

  /// The same for a node that is computed from a lost one.
  func loseQuietly() -> Storage {
    isLost.store(true, ordering: .relaxed)
    let storage = Storage.missing(Swift.max(layout.count * dtype.byteCount, 1))
    store(storage)
    return storage
  }

  /// Whether the values are stored, or their work ran inside a program.
  var mayHaveRun: Bool {
    if isShared.load(ordering: .relaxed) { return true }
    return state.withLock { state in
      if state.streamed > 0 { return true }
      if case .elementwise? = state.work { return false }
      return true
    }
  }

  /// Marks the values as used several times, so that the first use stores them.
  func share() { isShared.store(true, ordering: .relaxed) }

  /// Marks the values as read outside of the next program that uses them. Only work that is too
  /// expensive to run twice is then stored immediately.
  func keep() { if isConvolution { share() } }

  /// Whether the work may run once more inside another program; if so, counts it.
  ///
  /// The first time is free: most values are used once and never read.
  func stream() -> Bool {
    if isShared.load(ordering: .relaxed) { return false }
    return state.withLock { state in
      guard isStreamable(state) else { return false }
      state.streamed += 1
      return true
    }
  }

  /// The elementwise work, counted as run inside the program that asks; nil if there is none, or if
  /// it may not run there.
  func workInside() -> (operation: Operation, operands: [Tensor])? {
    if isShared.load(ordering: .relaxed) { return nil }
    return state.withLock { state in
      guard case .elementwise(let operation, let operands)? = state.work, isStreamable(state)
      else { return nil }
      state.streamed += 1
      return (operation, operands)
    }
  }

  /// Undoes counting that the work ran inside a program.
  func forgetStream() { state.withLock { $0.streamed -= 1 } }

  private func isStreamable(_ state: borrowing State) -> Bool {
    state.streamed == 0 || bornCost * (state.streamed + 1) <= Limits.streamLimit
  }

  /// The group of pending reductions of `source`, whose node this is, over `axes`.
  func group(of source: Tensor, over axes: [Int]) -> ReductionGroup {
    if depth >= Limits.depthLimit { _ = materialize() }
    return state.withLock { state in
      state.groups.removeAll { $0.group == nil }
      for case let group? in state.groups.map(\.group)
      where group.axes == axes && group.source.layout.isSame(as: source.layout) {
        return group
      }
      let group = ReductionGroup(source: source.detached(), axes: axes)
      state.groups.append(WeakGroup(group: group))
      return group
    }
  }
}
