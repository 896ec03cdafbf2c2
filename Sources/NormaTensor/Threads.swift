import CNormaLoops
import Synchronization

/// How many threads tensor operations use.
///
/// Norma's own loops give the same bits for any number. PyTorch: `torch.set_num_threads`.
public enum Threads {
  private static let chosen = Atomic<Int>(0)

  /// The number of threads, at first that of the processor cores that the process may use.
  public static var count: Int {
    get {
      let count = chosen.load(ordering: .relaxed)
      return count > 0 ? count : Int(norma_team_default_threads())
    }
    set { chosen.store(max(newValue, 1), ordering: .relaxed) }
  }
}
