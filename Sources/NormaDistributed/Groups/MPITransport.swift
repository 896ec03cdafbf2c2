#if NORMA_MPI
  import CMPI
  import NormaTensor
  import Synchronization

  /// A group over an MPI communicator.
  final class MPITransport: Transport {
    // MPI's own object: never changed after its creation.
    private nonisolated(unsafe) let group: OpaquePointer
    let job: MPIJob
    let hosts: [String]
    /// The number under which other processes ask about this group: the same in all members.
    private let number: Int
    let rank: Int
    let count: Int

    init(_ group: OpaquePointer, job: MPIJob, hosts: [String]) {
      self.group = group
      self.job = job
      self.hosts = hosts
      rank = Int(norma_mpi_rank(group))
      count = Int(norma_mpi_count(group))
      number = job.calls.add()
    }

    deinit { if !job.isOver { norma_mpi_free(group) } }

    func run(_ collective: Collective) throws(ProcessGroupError) -> [Tensor] {
      if let failure = job.failure { throw failure }
      job.calls.begin(number)
      let x = collective.tensor
      switch collective.kind {
      case .allReduce(let operation):
        return [
          try result(collective, shape: x.shape) { from, to in
            norma_mpi_all_reduce(
              self.group, from.baseAddress, to.baseAddress, Int64(x.count), x.dtype.mpiType,
              operation.mpiOperation, job.most)
          }
        ]
      case .allGather:
        let all = try result(collective, shape: [count] + x.shape) { from, to in
          norma_mpi_all_gather(
            self.group, from.baseAddress, to.baseAddress, Int64(from.count), job.most)
        }
        return (0..<count).map { all[$0] }
      case .reduceScatter(let operation):
        let shape = [x.shape[0] / count] + x.shape.dropFirst()
        return [
          try result(collective, shape: shape) { from, to in
            norma_mpi_reduce_scatter(
              self.group, from.baseAddress, to.baseAddress, Int64(x.count / count),
              x.dtype.mpiType, operation.mpiOperation, job.most)
          }
        ]
      case .broadcast(let root):
        return [
          try result(collective, shape: x.shape) { from, to in
            to.copyMemory(from: from)
            return norma_mpi_broadcast(
              self.group, to.baseAddress, Int64(to.count), Int32(root), job.most)
          }
        ]
      case .barrier:
        _ = try result(collective, shape: []) { _, _ in norma_mpi_barrier(self.group) }
        return [x]
      }
    }

    /// A tensor of this shape that a collective fills.
    private func result(
      _ collective: Collective, shape: [Int],
      _ start: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> OpaquePointer?
    ) throws(ProcessGroupError) -> Tensor {
      let x = collective.tensor
      var outcome: Int32 = 0
      let result = Tensor(shape: shape, dtype: x.dtype) { to in
        outcome = x.withUnsafeBytes { from in
          guard let work = start(from, to) else { return MPITransport.noMemory }
          return job.wait(for: work, collective, number, self)
        }
      }
      if outcome == 0 { return result }
      // MPI may still write to this memory.
      job.keep([x, result])
      let error = error(outcome, collective)
      job.fail(error)
      throw error
    }

    /// MPI's own sum.
    func plainSum(_ from: UnsafePointer<Float>, into: UnsafeMutablePointer<Float>, count: Int) {
      _ = norma_mpi_sum_now(
        group, from, into, Int32(count), DType.float32.mpiType, ReduceOperation.sum.mpiOperation)
    }

    private static let noMemory: Int32 = -2

    private func error(_ code: Int32, _ collective: Collective) -> ProcessGroupError {
      if code == -1 { return job.lateness(of: collective, number, self) }
      if code == Self.noMemory {
        return ProcessGroupError(collective.call, "there is no memory for the call", ranks: [rank])
      }
      return ProcessGroupError(
        collective.call, "\(name(of: rank)): MPI reports \(MPIJob.text(of: code))", ranks: [rank])
    }

    /// `rank 2 (host c)`.
    func name(of rank: Int) -> String { "rank \(rank) (\(hosts[rank]))" }

    func split(color: Int, timeout: Duration) throws(ProcessGroupError) -> any Transport {
      guard let part = norma_mpi_split(group, Int32(truncatingIfNeeded: color)) else {
        throw ProcessGroupError("split(by:)", "MPI cannot divide the group", ranks: [rank])
      }
      let colors = try run(
        Collective(
          kind: .allGather, tensor: Tensor(Int64(color)), call: "split(by:)", timeout: timeout))
      let members = colors.indices.filter { colors[$0].item(as: Int.self) == color }
      return MPITransport(part, job: job, hosts: members.map { hosts[$0] })
    }
  }

  extension DType {
    fileprivate var mpiType: Int32 {
      let type =
        switch self {
        case .int8: NORMA_MPI_INT8
        case .uint8, .bool: NORMA_MPI_UINT8
        case .int16: NORMA_MPI_INT16
        case .uint16, .float16, .bfloat16: NORMA_MPI_UINT16
        case .int32: NORMA_MPI_INT32
        case .uint32: NORMA_MPI_UINT32
        case .int64: NORMA_MPI_INT64
        case .uint64: NORMA_MPI_UINT64
        case .float32: NORMA_MPI_FLOAT
        case .float64: NORMA_MPI_DOUBLE
        }
      return Int32(type)
    }
  }

  extension ReduceOperation {
    fileprivate var mpiOperation: Int32 {
      let operation =
        switch self {
        case .sum, .mean: NORMA_MPI_SUM
        case .product: NORMA_MPI_PRODUCT
        case .min: NORMA_MPI_MIN
        case .max: NORMA_MPI_MAX
        }
      return Int32(operation)
    }
  }
#endif
