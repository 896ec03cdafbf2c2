#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import NormaValues
import Synchronization

/// A block of memory for the elements of tensors; returned to the cache when it is no longer used.
final class Storage: @unchecked Sendable {
  /// The memory, for kernels that a ``KernelRecorder`` keeps.
  let address: UnsafeMutableRawPointer
  let byteCount: Int
  /// What made it, for a ``KernelRecorder``.
  let maker: Int

  /// The memory, for all others. Written only while it has a single owner; shared storage is
  /// read-only.
  var base: UnsafeMutableRawPointer {
    if KernelRecorder.isAnyOpen { KernelRecorder.noteUse(of: self) }
    return address
  }

  /// Whether this represents elements for which there was no memory: zeros that can be read.
  let isMissing: Bool

  // Protected by the lock shared by all storages.
  private var packedForms: PackedWeights?
  private static let packing = Mutex(())

  /// Memory for the few bytes of a constant.
  convenience init(byteCount: Int) {
    guard let base = BufferCache.shared.take(byteCount) else {
      fatalError("\(byteCount) bytes of memory are not available")
    }
    self.init(base, byteCount, isMissing: false)
  }

  private init(_ base: UnsafeMutableRawPointer, _ byteCount: Int, isMissing: Bool) {
    (address, self.byteCount, self.isMissing) = (base, byteCount, isMissing)
    maker = KernelRecorder.isAnyOpen ? KernelRecorder.number(ofNew: byteCount) : 0
  }

  /// Memory for elements.
  ///
  /// - Throws: if the system has none.
  @inline(never)
  static func room(
    _ layout: Layout, _ dtype: DType, _ call: String
  ) throws(TensorError) -> Storage {
    let byteCount = layout.count * dtype.byteCount
    guard let base = BufferCache.shared.take(byteCount) else {
      throw .memory(layout.shape, dtype, call)
    }
    return Storage(base, byteCount, isMissing: false)
  }

  /// Memory for the elements of a call that cannot throw; nil, with a mistake recorded in the
  /// scope, if the system has none. Outside of a scope the program ends.
  static func roomOrReport(_ layout: Layout, _ dtype: DType, _ call: String = "") -> Storage? {
    do throws(TensorError) {
      return try room(layout, dtype, call)
    } catch {
      report(error, file: #fileID, line: #line)
      return nil
    }
  }

  /// Scratch memory of a program over a shape; nil, with a mistake recorded in the scope, if the
  /// system has none.
  static func scratchOrReport(byteCount: Int, of shape: [Int]) -> Storage? {
    if let storage = scratch(byteCount: byteCount) { return storage }
    report(.scratch(shape, bytes: byteCount), file: #fileID, line: #line)
    return nil
  }

  /// Memory for some bytes; nil if the system has none.
  static func scratch(byteCount: Int) -> Storage? {
    BufferCache.shared.take(byteCount).map { Storage($0, byteCount, isMissing: false) }
  }

  /// Represents elements that have no memory; work in progress may read it. If there are more
  /// elements than the system can address, it holds fewer: kernels that would read that many check
  /// `isMissing`.
  static func missing(_ byteCount: Int) -> Storage {
    var byteCount = min(byteCount, largest)
    while true {
      let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE | mapAnonymous | mapNoReserve, -1, 0)
      if let base, base != MAP_FAILED { return Storage(base, byteCount, isMissing: true) }
      if byteCount < 1 << 16 { fatalError("\(byteCount) bytes of memory are not available") }
      byteCount /= 2
    }
  }

  /// In place of memory that is given when a program runs.
  static let placeholder = Storage(byteCount: 1)

  /// More bytes than today's processors can address.
  static let largest = 1 << 48

  /// The elements in other orders, if they are weights of convolutions or products.
  var packedWeights: PackedWeights {
    Storage.packing.withLock { _ in
      let weights = packedForms ?? PackedWeights()
      packedForms = weights
      return weights
    }
  }

  /// Drops the elements in other orders: to be called before the elements change.
  func forgetPacked() { Storage.packing.withLock { _ in packedForms = nil } }

  deinit {
    if isMissing {
      munmap(address, byteCount)
    } else {
      BufferCache.shared.give(address, byteCount)
    }
  }
}

#if canImport(Darwin)
  private let (mapAnonymous, mapNoReserve) = (MAP_ANON, MAP_NORESERVE)
#else
  private let (mapAnonymous, mapNoReserve) = (Int32(MAP_ANONYMOUS), Int32(MAP_NORESERVE))
#endif
