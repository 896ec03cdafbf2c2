import NormaValues
import Synchronization

/// What a tensor's values come from: stored elements, or work that has not run yet.
///
/// A node is born pending or stored and can only become stored, which releases its inputs.
final class Node: Sendable {
  /// Work that gives a node its values.
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
    /// How often the work ran inside of other programs without being stored.
    var streamed = 0
    /// Pending reductions over this node's values, so that sisters share one trip.
    var groups: [WeakGroup] = []
    /// Looks at the values before they are stored.
    var correction: Correction?
  }

  /// Replaces some of the values in memory, which lie as the node's layout says.
  typealias Correction = @Sendable (Storage) -> Void

  struct WeakGroup: Sendable {
    weak var group: ReductionGroup?
  }

  let dtype: DType
  /// How the node's values lie in its storage: without gaps.
  let layout: Layout
  /// A mistake made this node, or there was no memory for it; it has no values.
  var isPoisoned: Bool { isLost.load(ordering: .relaxed) }
  private let isLost: Atomic<Bool>
  private let bornCost: Int
  private let bornDepth: Int
  /// Whether the work is a convolution, which is too much to be done twice.
  private let isConvolution: Bool
  private let isStored: Atomic<Bool>
  /// The values, once they are there: read without the lock, as most operands are stored.
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

  private static func storage(at place: UInt) -> Unmanaged<Storage>? {
    UnsafeRawPointer(bitPattern: place).map { .fromOpaque($0) }
  }

  /// What all pending instructions cost that a program with this node has to run.
  var cost: Int { isStored.load(ordering: .acquiring) ? 0 : bornCost }

  /// The longest way of pending nodes to a stored one.
  var depth: Int { isStored.load(ordering: .acquiring) ? 0 : bornDepth }

  /// The values, if they are stored.
  var storage: Storage? {
    Node.storage(at: memory.load(ordering: .acquiring))?.takeUnretainedValue()
  }

  var content: Content {
    if let storage { return .stored(storage) }
    return state.withLock { $0.work.map { .pending($0) } } ?? stored
  }

  /// After the work is gone.
  private var stored: Content {
    guard let storage else { fatalError("a node has neither work nor values") }
    return .stored(storage)
  }

  /// What corrects the values once they are computed.
  var correction: Correction? { state.withLock { $0.correction } }

  /// Has `correction` look at the values of this new node, which therefore are stored before they are used.
  func correct(with correction: @escaping Correction) {
    share()
    let stored = state.withLock { state -> Storage? in
      if let storage { return storage }
      state.correction = correction
      return nil
    }
    if let stored { correction(stored) }
  }

  /// Whether the values are no more than their work gives, so that others may run it in place of them.
  var isPlain: Bool { state.withLock { $0.correction == nil } }

  var isPendingElementwise: Bool {
    state.withLock { state in
      if case .elementwise? = state.work { return true }
      return false
    }
  }

  var isPending: Bool { !isStored.load(ordering: .acquiring) }

  /// Keeps the result of the work; the first one wins, and they are all equal.
  func store(_ storage: Storage) {
    let place = Node.retained(storage)
    if !memory.compareExchange(expected: 0, desired: place, ordering: .acquiringAndReleasing)
      .exchanged
    {
      Node.storage(at: place)?.release()
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

  /// Whether no other node, and no work, holds the memory of these stored values.
  func holdsMemoryAlone() -> Bool {
    // The node's own reference is borrowed, so that another one shows.
    guard let own = Node.storage(at: memory.load(ordering: .acquiring)) else { return false }
    var storage = own.takeRetainedValue()
    defer { _ = Unmanaged.passRetained(storage) }
    return !storage.isMissing && isKnownUniquelyReferenced(&storage)
  }

  /// What misses the memory where no outer call is known that wanted the values.
  static let lossCall = "evaluated()"

  /// Gives up a node for which there is no memory, as a mistake of the scope's, and what takes its place for
  /// work that is under way. Outside of a scope the program ends.
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

  /// Whether the values are stored, or their work ran inside of a program.
  var mayHaveRun: Bool {
    if isShared.load(ordering: .relaxed) { return true }
    return state.withLock { state in
      if state.streamed > 0 { return true }
      if case .elementwise? = state.work { return false }
      return true
    }
  }

  /// Says that several will use the values, so that the first of them stores them.
  func share() { isShared.store(true, ordering: .relaxed) }

  /// Says that the values will be read apart from the next program that takes them in. Only work that is too much
  /// to be done twice is then stored at once.
  func keep() { if isConvolution { share() } }

  /// Whether the work may run once more inside of another program; counts it if so.
  ///
  /// The first time is free: most values are used once and never looked at.
  func stream() -> Bool {
    if isShared.load(ordering: .relaxed) { return false }
    return state.withLock { state in
      guard isStreamable(state) else { return false }
      state.streamed += 1
      return true
    }
  }

  /// The elementwise work, counted as run inside of the program that asks; nil where there is none, or it may not.
  func workInside() -> (operation: Operation, operands: [Tensor])? {
    if isShared.load(ordering: .relaxed) { return nil }
    return state.withLock { state in
      guard case .elementwise(let operation, let operands)? = state.work, isStreamable(state)
      else { return nil }
      state.streamed += 1
      return (operation, operands)
    }
  }

  /// Takes back that the work ran inside of a program.
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
