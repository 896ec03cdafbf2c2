import Synchronization

/// Which storages of a file have had their checksums compared: once each, before the first view.
final class StorageChecks: Sendable {
  private let done = Mutex<Set<Int>>([])

  /// Reads a storage to its end once, where its archive has a checksum for it.
  func check(_ place: StoragePlace, _ context: FileContext) throws {
    guard case .member(let member) = place.source else { return }
    if done.withLock({ $0.contains(member.offset) }) { return }
    let stream = try place.stream(context)
    try stream.skip(member.count)
    try stream.expectEnd { context.malformed("is damaged", "bytes follow its end") }
    done.withLock { _ = $0.insert(member.offset) }
  }
}
