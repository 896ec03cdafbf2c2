import Foundation
import NormaTensor

#if NORMA_MPI
  import CMPI
#endif

extension ProcessGroup {
  /// Whether this build of Norma has MPI: the package trait `MPI`.
  public static var hasMPI: Bool {
    #if NORMA_MPI
      true
    #else
      false
    #endif
  }

  /// Runs `body` in every process that `mpirun` started, as members of one group; a process that
  /// was started alone is a group of one.
  ///
  /// Called once in a process, around all work with the group. If `body` throws, the error is
  /// written to standard error with the rank and the host, and the whole job ends with status 1:
  /// the other processes could only wait.
  /// - Parameters:
  ///   - timeout: how long a call waits for the other processes before it is an error that names
  ///     those that are missing.
  ///   - body: the program.
  /// - Throws: ``ProcessGroupError`` without the package trait `MPI`, or if MPI does not start.
  @discardableResult
  public static func withMPI<R>(
    timeout: Duration = defaultTimeout, _ body: (ProcessGroup) throws -> R
  ) throws -> R {
    #if NORMA_MPI
      var threads: Int32 = 0
      guard let world = norma_mpi_start(&threads) else {
        throw ProcessGroupError("withMPI(timeout:_:)", "MPI does not start")
      }
      // Without several threads in MPI, no thread can answer.
      let control = threads != 0 ? norma_mpi_split(world, 0) : nil
      let job = MPIJob(control: control, most: largestPiece)
      job.begin()
      let transport = MPITransport(world, job: job, hosts: MPIJob.hosts(world))
      do {
        let group = try ProcessGroup(over: transport, timeout: timeout)
        let result = try body(group)
        try group.barrier()
        job.finish()
        return result
      } catch let error as ProcessGroupError {
        MPIJob.abort(error)
      } catch {
        let name = transport.name(of: transport.rank)
        MPIJob.abort(ProcessGroupError(name, "\(error)", ranks: [transport.rank]))
      }
    #else
      throw ProcessGroupError(
        "withMPI(timeout:_:)",
        "this build of Norma is without the package trait MPI; build with --traits Everything,MPI "
          + "and Open MPI installed (Debian: libopenmpi-dev)")
    #endif
  }

  #if NORMA_MPI
    /// MPI counts with 32 bits; a test makes pieces smaller.
    private static var largestPiece: Int64 {
      ProcessInfo.processInfo.environment["NORMA_MPI_PIECE"].flatMap { Int64($0) }
        .map { min(max($0, 1), 1 << 30) } ?? 1 << 30
    }
  #endif
}
