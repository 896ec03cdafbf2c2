import Foundation
import Norma
import NormaDistributed
import NormaTensor

extension Checkpoint {
  /// The checkpoint in a file that the first process can read; the others get its bytes.
  /// - Throws: an error that names the checkpoint before it, if there is one.
  static func shared(from path: String, over group: ProcessGroup) throws -> Checkpoint {
    if group.count == 1 { return try Checkpoint(contentsOf: path) }
    var bytes: [UInt8] = []
    if group.rank == 0 {
      do {
        // Read here, so that a damaged file is an error of the process that has it.
        _ = try Checkpoint(contentsOf: path)
        bytes = Array(try Data(contentsOf: URL(filePath: path)))
      } catch {
        let previous = previousPath(path)
        guard FileManager.default.fileExists(atPath: previous) else { throw error }
        let text = (error as? FileError).map(plainText) ?? "\(error)"
        throw DataError("\(text); the checkpoint before it is \(previous)")
      }
    }
    let count = try group.broadcast(Tensor(Int64(bytes.count))).item(as: Int.self)
    let room = group.rank == 0 ? Tensor(bytes) : Tensor.zeros(count, dtype: .uint8)
    let common = try group.broadcast(room).array(of: UInt8.self)
    return try Checkpoint(bytes: common, path: path)
  }

  /// Writes the checkpoint, and keeps the file that it replaces under another name.
  func write(to path: String, keepingPrevious: Bool) throws {
    let files = FileManager.default
    guard keepingPrevious, files.fileExists(atPath: path) else { return try write(to: path) }
    let next = path + ".next"
    do {
      try write(to: next)
    } catch {
      try? files.removeItem(atPath: next)
      throw error
    }
    let previous = Self.previousPath(path)
    try? files.removeItem(atPath: previous)
    try files.moveItem(atPath: path, toPath: previous)
    try files.moveItem(atPath: next, toPath: path)
  }

  /// Where the checkpoint before one is kept.
  static func previousPath(_ path: String) -> String { path + ".previous" }
}

extension ProcessGroup {
  /// The number of threads for each process of a host, so that its cores are shared evenly; all
  /// that this process may use, if it was given cores of its own.
  var ownThreads: Int {
    let cores = Machine.coreCount
    let processes = hosts.count { $0 == hosts[rank] }
    return TensorThreads.count < cores
      ? TensorThreads.count : Swift.max(1, cores / Swift.max(processes, 1))
  }
}
