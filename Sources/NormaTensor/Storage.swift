/// A piece of memory that holds the elements of tensors; back to the cache when nobody uses it.
final class Storage: @unchecked Sendable {
  // Written only before the storage is shared; afterwards it is read-only.
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    base = BufferCache.shared.take(byteCount)
  }

  deinit { BufferCache.shared.give(base, byteCount) }
}
