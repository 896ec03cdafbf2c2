import Foundation
import Synchronization

/// A signal that asks the process to end, as a request that long work looks at between steps; a
/// second one of the same kind ends it at once.
///
/// Ctrl-C sends SIGINT, a container or a batch queue SIGTERM, a closed terminal SIGHUP, and a reader
/// that goes away (`| head`) SIGPIPE.
enum Interruption {
  private static let requested = Atomic<Int32>(0)

  /// The signal that came since ``watch()``, or nil.
  static var signal: Int32? {
    let number = requested.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Begins to look for signals. One that is ignored already, as `nohup` does with SIGHUP, stays so.
  /// One that whoever started the process blocked, as Foundation's `Process` may, is let through.
  static func watch() {
    requested.store(0, ordering: .relaxed)
    var open = sigset_t()
    sigemptyset(&open)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&open, number) }
    pthread_sigmask(SIG_UNBLOCK, &open, nil)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
      let before = Foundation.signal(number) { number in
        Interruption.requested.store(number, ordering: .relaxed)
        Foundation.signal(number, SIG_DFL)
      }
      if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        Foundation.signal(number, SIG_IGN)
      }
    }
  }
}
