import Synchronization

/// Memory that a kernel reads or writes, from an offset in a storage on.
struct KernelMemory {
  let storage: Storage
  /// In bytes.
  let offset: Int
  let isWritten: Bool

  static func reads(_ storage: Storage, at offset: Int = 0) -> KernelMemory {
    KernelMemory(storage: storage, offset: offset, isWritten: false)
  }

  static func writes(_ storage: Storage, at offset: Int = 0) -> KernelMemory {
    KernelMemory(storage: storage, offset: offset, isWritten: true)
  }

  /// A stored tensor, from its first element.
  static func reads(_ tensor: Tensor, in storage: Storage) -> KernelMemory {
    .reads(storage, at: tensor.layout.offset * tensor.dtype.byteCount)
  }

  var address: UnsafeMutableRawPointer { storage.address + offset }
}

extension Tensor {
  /// The stored elements from the first on, and `offset` bytes further.
  func memory(at offset: Int = 0) -> KernelMemory {
    .reads(node.materialize(), at: layout.offset * dtype.byteCount + offset)
  }

  /// Gives the address of the first stored element to `body`, which cannot be repeated by a
  /// ``KernelSequence``; nil if there was no memory for the elements.
  @discardableResult
  func withAddress<R>(_ body: (UnsafeMutableRawPointer) throws -> R) rethrows -> R? {
    let storage = node.materialize()
    if storage.isMissing { return nil }
    return try withExtendedLifetime(storage) {
      try body(storage.base + layout.offset * dtype.byteCount)
    }
  }
}

/// The addresses of a kernel's memory, in order.
typealias KernelAddresses = UnsafePointer<UnsafeMutableRawPointer>

/// Keeps the kernels that a call runs, so that a ``KernelSequence`` can run them again.
///
/// It knows the call's inputs, and the memory that the call makes. Kernels that name all memory
/// that they use are kept (``run(_:_:)``, ``keep(_:_:)``). Whatever else uses this memory, to
/// compute in another way or to decide what comes next, has to ask for `Storage.base`: then the
/// call cannot be repeated, unless the numbers there follow from constants.
final class KernelRecorder: Sendable {
  /// Where memory comes from, with an index.
  enum Place: Hashable, Sendable {
    case input(Int)
    /// It was there before the call, or follows from what was.
    case constant(Int)
    case made(Int)
  }

  struct Kernel: Sendable {
    var memory: [(place: Place, offset: Int, isWritten: Bool)]
    /// False if it could not run.
    let run: @Sendable (KernelAddresses) -> Bool
  }

  /// Memory that the call makes.
  private struct Made: Sendable {
    let byteCount: Int
    /// Whether a kernel has written it.
    var isWritten = false
    /// The storage, as long as all that was written there follows from constants.
    var fixed: Storage?
    /// Whether something else has used it while it was fixed.
    var isUsed = false
  }

  private struct State {
    var kernels: [Kernel] = []
    var made: [Made] = []
    var constants: [Storage] = []
    var places: [ObjectIdentifier: Place] = [:]
    var canRepeat = true

    func isFixed(_ place: Place) -> Bool {
      switch place {
      case .input: false
      case .constant: true
      case .made(let index): made[index].fixed != nil
      }
    }
  }

  /// Reading a task-local value costs more than a small operation, so it is skipped while no one
  /// records.
  private static let listeners = Atomic(0)
  private static let numbers = Atomic(0)
  @TaskLocal private static var current: KernelRecorder?

  private let number = KernelRecorder.numbers.add(1, ordering: .relaxed).newValue
  private let state = Mutex(State())

  private init(_ inputs: [Storage]) {
    state.withLock { state in
      for (index, storage) in inputs.enumerated() {
        state.places[ObjectIdentifier(storage)] = .input(index)
      }
    }
  }

  /// Whether any task records.
  @inline(__always)
  static var isAnyOpen: Bool { listeners.load(ordering: .relaxed) > 0 }

  /// Whether this task records.
  @inline(__always)
  static var isOpen: Bool { isAnyOpen && current != nil }

  /// Runs a call that reads these inputs, and keeps its kernels.
  static func recording<R>(
    _ inputs: [Storage], _ body: () throws -> R
  ) rethrows -> (result: R, recorder: KernelRecorder) {
    let own = KernelRecorder(inputs)
    listeners.add(1, ordering: .relaxed)
    defer { listeners.subtract(1, ordering: .relaxed) }
    return (try $current.withValue(own, operation: body), own)
  }

  /// Runs `body` as if before the call: for memory that follows from numbers of the host alone,
  /// which are the same whenever the call is repeated.
  static func outside<R>(_ body: () throws -> R) rethrows -> R {
    isOpen ? try $current.withValue(nil, operation: body) : try body()
  }

  // MARK: What a call does

  /// The number of a new storage of this task, which names the recorder and an index there; 0
  /// outside of calls, and for memory without elements.
  static func number(ofNew byteCount: Int) -> Int {
    guard let current, byteCount > 0 else { return 0 }
    return current.state.withLock { state in
      state.made.append(Made(byteCount: byteCount))
      return current.number << 32 | (state.made.count - 1)
    }
  }

  /// Notes a use of memory that cannot be repeated.
  @inline(never)
  static func noteUse(of storage: Storage) {
    guard let current else { return }
    current.state.withLock { state in
      switch current.place(of: storage, state) {
      case .made(let index) where state.made[index].fixed != nil: state.made[index].isUsed = true
      case .made, .input: state.canRepeat = false
      case .constant, nil: break
      }
    }
  }

  /// Keeps a kernel that this task runs itself.
  static func keep(
    _ memory: [KernelMemory], _ run: @escaping @Sendable (KernelAddresses) -> Bool
  ) {
    guard let current else { return }
    current.state.withLock { current.keep(memory, run, &$0) }
  }

  private func keep(
    _ memory: [KernelMemory], _ run: @escaping @Sendable (KernelAddresses) -> Bool,
    _ state: inout State
  ) {
    let places = memory.map { one in
      if let known = place(of: one.storage, state) { return known }
      state.constants.append(one.storage)
      let place = Place.constant(state.constants.count - 1)
      state.places[ObjectIdentifier(one.storage)] = place
      return place
    }
    let isFixed = zip(memory, places).allSatisfy { $0.isWritten || state.isFixed($1) }
    for (one, place) in zip(memory, places) {
      guard one.isWritten, case .made(let index) = place else {
        // Writing to what others see cannot be repeated, nor reading what something else wrote.
        if one.isWritten && one.storage.byteCount > 0 { state.canRepeat = false }
        if case .made(let index) = place, !state.made[index].isWritten,
          !zip(memory, places).contains(where: { $0.isWritten && $1 == place })
        {
          state.canRepeat = false
        }
        continue
      }
      let made = state.made[index]
      if made.isUsed { state.canRepeat = false }
      let remainsFixed = isFixed && (made.fixed != nil || !made.isWritten)
      state.made[index].fixed = remainsFixed ? one.storage : nil
      state.made[index].isWritten = true
    }
    state.kernels.append(
      Kernel(memory: zip(memory, places).map { ($1, $0.offset, $0.isWritten) }, run: run))
  }

  /// Runs a kernel, and keeps it if this task records. False if it could not run.
  static func run(
    _ memory: [KernelMemory], _ kernel: @escaping @Sendable (KernelAddresses) -> Bool
  ) -> Bool {
    if isAnyOpen { keep(memory, kernel) }
    return withUnsafeTemporaryAllocation(
      of: UnsafeMutableRawPointer.self, capacity: memory.count
    ) { addresses in
      guard let first = addresses.baseAddress else { return false }
      for index in 0..<memory.count { (first + index).initialize(to: memory[index].address) }
      return withExtendedLifetime(memory) { kernel(first) }
    }
  }

  // MARK: What was recorded

  struct Recorded: Sendable {
    /// The kernels whose results differ from call to call.
    var kernels: [Kernel] = []
    let constants: [Storage]
    /// The bytes of what the call makes.
    let made: [Int]
    /// Where each result lies.
    let results: [Place]
  }

  /// What a call with results in these storages did; nil if it cannot be repeated.
  func recorded(_ results: [Storage]) -> Recorded? {
    state.withLock { state in
      if !state.canRepeat { return nil }
      // What is the same in every call is a constant.
      var final: [Place: Place] = [:]
      for (index, made) in state.made.enumerated() {
        guard let storage = made.fixed else { continue }
        state.constants.append(storage)
        final[.made(index)] = .constant(state.constants.count - 1)
      }
      var places: [Place] = []
      for storage in results {
        switch place(of: storage, state) {
        case .made(let index):
          if !state.made[index].isWritten { return nil }
          places.append(final[.made(index)] ?? .made(index))
        case .constant(let index): places.append(.constant(index))
        case .input(let index): places.append(.input(index))
        case nil:
          state.constants.append(storage)
          places.append(.constant(state.constants.count - 1))
        }
      }
      var recorded = Recorded(
        constants: state.constants, made: state.made.map(\.byteCount), results: places)
      for var kernel in state.kernels
      where !kernel.memory.allSatisfy({ !$0.isWritten || final[$0.place] != nil }) {
        for index in kernel.memory.indices {
          let place = kernel.memory[index].place
          kernel.memory[index].place = final[place] ?? place
        }
        recorded.kernels.append(kernel)
      }
      return recorded
    }
  }

  private func place(of storage: Storage, _ state: borrowing State) -> Place? {
    if storage.maker >> 32 == number { return .made(storage.maker & 0xffff_ffff) }
    return state.places[ObjectIdentifier(storage)]
  }
}
