import Foundation
import Synchronization

/// Ctrl-C as a request that long work looks at between steps; a second one ends the process.
enum Interruption {
  private static let requested = Atomic<Bool>(false)

  /// Whether Ctrl-C was pressed since ``watch()``.
  static var isRequested: Bool { requested.load(ordering: .relaxed) }

  static func watch() {
    signal(SIGINT) { _ in
      Interruption.requested.store(true, ordering: .relaxed)
      signal(SIGINT, SIG_DFL)
    }
  }
}
