import NormaValues

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The memory of tensors: how much is in use, and how much is kept for reuse.
///
/// Fresh memory costs more than most kernels that fill it, because the system clears every page. So
/// buffers that tensors release are kept, up to ``TensorMemory/cacheLimit`` bytes, and reused by
/// tensors of about the same size.
/// PyTorch: `torch.cuda.memory_allocated`, `empty_cache`.
public enum TensorMemory {
  /// Bytes at one moment.
  public struct Usage: Sendable, Hashable, Codable {
    /// Held by tensors.
    public let inUse: Int
    /// Kept for reuse.
    public let cached: Int
    /// The most that tensors held since the program began or ``TensorMemory/resetPeak()``.
    public let peak: Int
  }

  /// What tensors hold now, and what is kept for reuse.
  public static var usage: Usage { BufferCache.shared.usage }

  /// Returns all kept buffers to the system. PyTorch: `torch.cuda.empty_cache`.
  public static func emptyCache() { BufferCache.shared.trim(to: 0) }

  /// Resets the peak to the current use. PyTorch: `torch.cuda.reset_peak_memory_stats`.
  public static func resetPeak() { BufferCache.shared.resetPeak() }

  /// The most bytes to keep for reuse: by default an eighth of the machine's memory.
  public static var cacheLimit: Int {
    get { BufferCache.shared.limit }
    set { BufferCache.shared.limit = newValue }
  }
}

/// Freed buffers by size class.
final class BufferCache: @unchecked Sendable {
  static let shared = BufferCache()

  private struct State {
    /// By the index of their size class.
    var buffers = [[UnsafeMutableRawPointer]](repeating: [], count: BufferCache.classes)
    var cached = 0
    var inUse = 0
    var peak = 0
    var limit = BufferCache.defaultLimit
  }
  private var state = State()
  private let lock = Lock()

  private init() {}

  /// Gives one thread at a time access to the state.
  private func locked<R>(_ body: (inout State) -> R) -> R {
    lock.take()
    defer { lock.give() }
    return body(&state)
  }

  private static var defaultLimit: Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / 8
  }

  /// Sizes are rounded up to an eighth of the power of two below them, so that there are few sizes
  /// and at most an eighth is unused; small ones to 64 bytes.
  static func sizeClass(_ byteCount: Int) -> Int {
    if byteCount <= 1024 { return max((byteCount + 63) & ~63, 64) }
    let step = 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 4)
    return (byteCount + step - 1) & ~(step - 1)
  }

  private static let classes = 16 + 8 * 53

  /// The index of a size class.
  static func index(ofClass size: Int) -> Int {
    if size <= 1024 { return size / 64 - 1 }
    let power = Int.bitWidth - 1 - size.leadingZeroBitCount
    return 16 + (power - 10) * 8 + (size >> (power - 3)) & 7
  }

  static func sizeOfClass(at index: Int) -> Int {
    if index < 16 { return (index + 1) * 64 }
    let (power, eighths) = (10 + (index - 16) / 8, (index - 16) % 8)
    return (8 + eighths) << (power - 3)
  }

  /// Memory of this size; nil if the system has none.
  func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    // Impossible sizes must not enter the sums.
    guard byteCount <= Storage.largest else { return nil }
    let size = BufferCache.sizeClass(byteCount)
    let found = locked { state -> UnsafeMutableRawPointer? in
      state.inUse += size
      guard let buffer = state.buffers[BufferCache.index(ofClass: size)].popLast() else {
        return nil
      }
      state.cached -= size
      state.peak = max(state.peak, state.inUse)
      return buffer
    }
    if let found { return found }
    if let fresh = fresh(size) { return fresh }
    trim(to: 0)
    if let fresh = fresh(size) { return fresh }
    locked { $0.inUse -= size }
    return nil
  }

  private func fresh(_ size: Int) -> UnsafeMutableRawPointer? {
    guard let buffer = BufferCache.allocate(size) else { return nil }
    locked { $0.peak = max($0.peak, $0.inUse) }
    return buffer
  }

  /// New memory. Large buffers ask for huge pages: programs that process a tensor channel by
  /// channel touch a page per row, and looking up small pages then costs more than the work.
  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    let hugePage = 2 << 20
    let isLarge = size >= 2 * hugePage
    var pointer: UnsafeMutableRawPointer?
    let alignment = isLarge ? hugePage : size >= 1 << 16 ? 4096 : 64
    guard posix_memalign(&pointer, alignment, size) == 0 else { return nil }
    #if os(Linux)
      if isLarge { madvise(pointer, size, Int32(MADV_HUGEPAGE)) }
    #endif
    return pointer
  }

  func give(_ buffer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = BufferCache.sizeClass(byteCount)
    let kept = locked { state in
      state.inUse -= size
      guard state.cached + size <= state.limit else { return false }
      state.buffers[BufferCache.index(ofClass: size)].append(buffer)
      state.cached += size
      return true
    }
    if !kept { free(buffer) }
  }

  func trim(to bytes: Int) {
    let surplus = locked { state in
      var surplus: [UnsafeMutableRawPointer] = []
      for index in state.buffers.indices.reversed() {
        let size = BufferCache.sizeOfClass(at: index)
        while state.cached > bytes, let buffer = state.buffers[index].popLast() {
          surplus.append(buffer)
          state.cached -= size
        }
      }
      return surplus
    }
    for buffer in surplus { free(buffer) }
  }

  var usage: TensorMemory.Usage {
    // Memory that is being allocated counts as in use already.
    locked {
      TensorMemory.Usage(inUse: $0.inUse, cached: $0.cached, peak: max($0.peak, $0.inUse))
    }
  }

  func resetPeak() { locked { $0.peak = $0.inUse } }

  var limit: Int {
    get { locked { $0.limit } }
    set {
      locked { $0.limit = max(newValue, 0) }
      trim(to: max(newValue, 0))
    }
  }
}
