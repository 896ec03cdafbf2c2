import Synchronization

/// Verifies the checksum of each storage of a file once, before its first view is read.
final class StorageChecks: Sendable {
  private let done = Mutex<Set<Int>>([])

  /// Reads a storage to its end once, if its archive has a checksum for it.
  func check(_ place: StoragePlace, _ context: FileContext) throws {
    guard case .member(let member) = place.source else { return }
    if done.withLock({ $0.contains(member.offset) }) { return }
    let stream = try place.stream(context)
    try stream.skip(member.count)
    try stream.expectEnd { context.malformed("is damaged", "bytes follow its end") }
    done.withLock { _ = $0.insert(member.offset) }
  }
}
