import Foundation
import Synchronization

/// A signal that asks the process to end, as a request that long work checks between steps; a
/// second one of the same kind ends the process immediately.
///
/// Ctrl-C sends SIGINT, a container or a batch queue SIGTERM, a closed terminal SIGHUP, and a
/// reader that exits (`| head`) SIGPIPE.
enum Interruption {
  private static let requested = Atomic<Int32>(0)

  /// The signal received since ``watch()``, or nil.
  static var signal: Int32? {
    let number = requested.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Starts watching for signals. A signal that is already ignored, as `nohup` does with SIGHUP,
  /// stays ignored. One that the parent process blocked, as Foundation's `Process` may do, is
  /// unblocked.
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
