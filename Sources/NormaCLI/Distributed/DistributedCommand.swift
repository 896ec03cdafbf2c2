import ArgumentParser
import Foundation
import Norma
import NormaDistributed
import NormaTensor

/// `norma distributed`: the processes that `mpirun` started, and what their exchange costs.
struct DistributedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distributed",
    abstract: "Check the processes of a job and measure their exchange.",
    discussion: """
      Shows which process runs where, checks sums, products and extremes of every element type, \
      gathering, scattering and broadcasting, and measures sums of 1 KB to 100 MB beside MPI's own \
      call with the same bytes. With --network, measures training steps instead: by each process \
      alone, and by all together with synchronized batch norm, with the share of the exchange that \
      the backward pass hides. Needs a build with the package trait MPI.

      EXAMPLES:
        mpirun -n 4 norma distributed
        mpirun --host a,b,c norma distributed --bytes 1000,100000000
        mpirun -n 2 norma distributed --network resnet18 --batch 8

      EXIT STATUS:
        0 when all results are right, 1 otherwise and when a process does not answer.
      """)

  @Option(
    help: ArgumentHelp(
      "The sizes to measure. (default: 1024,1048576,104857600)", valueName: "bytes,..."))
  var bytes: String?

  @Option(
    help: ArgumentHelp(
      "Measure training steps of resnet18, resnet34 or resnet50.", valueName: "name"))
  var network: String?

  @Option(help: ArgumentHelp("Images of each process.", valueName: "n"))
  var batch = 16

  @Option(help: ArgumentHelp("Height and width of images.", valueName: "n"))
  var size = 224

  @Option(help: ArgumentHelp("Steps to measure.", valueName: "n"))
  var steps = 5

  @Option(
    help: ArgumentHelp("Threads of each process. (default: its share of cores)", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("How long a process waits for the others.", valueName: "seconds"))
  var timeout = 60

  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("timeout", timeout), ("batch", batch), ("steps", steps), ("threads", threads ?? 1),
    ] where value < 1 {
      throw ValidationError("--\(name) must be at least 1")
    }
    if size < 32 { throw ValidationError("--size must be at least 32") }
    if sizes.isEmpty || sizes.contains(where: { $0 < 4 }) {
      throw ValidationError("--bytes needs sizes of at least 4, separated by commas")
    }
    if let network, NetworkTiming.networks[network] == nil {
      throw ValidationError("--network must be resnet18, resnet34 or resnet50")
    }
  }

  private var sizes: [Int] {
    guard let bytes else { return [1 << 10, 1 << 20, 100 << 20] }
    let parts = bytes.split(separator: ",").map { Int($0) ?? 0 }
    return parts
  }

  func run() throws {
    try ProcessGroup.withMPI(timeout: .seconds(timeout)) { group in
      TensorThreads.count = threads ?? group.ownThreads
      if let network {
        let timing = NetworkTiming(network: network, images: batch, size: size, steps: steps)
        let result = try timing.run(over: group)
        if group.rank == 0 { try show(result) }
      } else {
        try measureCalls(of: group)
      }
    }
  }

  private func measureCalls(of group: ProcessGroup) throws {
    func show(_ text: String) { if group.rank == 0 && !json { Terminal.show(text) } }
    let threads = try group.gathered(TensorThreads.count)
    for (rank, host) in group.hosts.enumerated() {
      show("rank \(rank): \(host), \(threads[rank]) \(threads[rank] == 1 ? "thread" : "threads")")
    }
    show("\(try check(group)) results are right")
    for size in sizes {
      let count = size / 4
      let times = size > 10 << 20 ? 7 : size > 100_000 ? 50 : 1000
      let x = Tensor.ones(count).evaluated()
      let own = try group.median(of: times) { () throws(ProcessGroupError) in
        try group.allReduce(x).evaluated()
      }
      let plain = try group.plainAllReduce(count: count, times: times) ?? own
      let ratio = own / plain
      let rate = Double(count * 4) / (own / .seconds(1)) / 1e9
      if json, group.rank == 0 {
        try TrainingDisplay.showJSON(
          Sum(bytes: count * 4, seconds: own / .seconds(1), mpi: plain / .seconds(1)))
      }
      show(
        "all-reduce of \(count * 4) bytes: \(text(own)), MPI alone \(text(plain)), "
          + "ratio \(decimal(ratio, 2)), \(decimal(rate, 2)) GB/s")
    }
  }

  private struct Sum: Encodable {
    let bytes: Int
    let seconds, mpi: Double
  }

  private func show(_ result: NetworkTiming.Result) throws {
    if json { return try TrainingDisplay.showJSON(result) }
    func milli(_ seconds: Double) -> String { "\(decimal(seconds * 1000, 1)) ms" }
    Terminal.show(
      "\(result.network): \(result.images) images of \(result.size) x \(result.size) in each of "
        + "\(result.processes) processes with \(result.threads) threads")
    Terminal.show("a step of each process alone: \(milli(result.alone))")
    Terminal.show("a step of all together: \(milli(result.step))")
    Terminal.show(
      "  gradients: \(decimal(Double(result.gradientBytes) / 1e6, 1)) MB in \(result.buckets) "
        + "buckets, exchanged in \(milli(result.gradients)), of which the backward pass hides "
        + "\(decimal(result.hidden * 100, 0)) %")
    Terminal.show(
      "  batch norm: \(2 * result.norms) exchanges, \(milli(result.normExchanges)) with waiting")
  }

  private func text(_ time: Duration) -> String {
    let micro = time / .microseconds(1)
    return micro < 1000 ? "\(decimal(micro, 1)) us" : "\(decimal(micro / 1000, 2)) ms"
  }

  /// Compares the results of all calls with their definition; returns the number of them.
  private func check(_ group: ProcessGroup) throws -> Int {
    let (rank, n) = (group.rank, group.count)
    var right = 0
    func expect(_ found: Tensor, _ wanted: [Double], _ what: String) throws {
      guard found.array(of: Double.self) == wanted else {
        throw DataError("\(what) gives \(found), and should give \(wanted)")
      }
      right += 1
    }
    let types: [DType] = [
      .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .bfloat16,
      .float32, .float64,
    ]
    let ranks = (0..<n).map(Double.init)
    let odd = ranks.map { $0.truncatingRemainder(dividingBy: 2) }
    // Sums of narrow types must not overflow.
    for type in types where n <= 100 || type.byteCount > 2 {
      let x = Tensor([odd[rank], 1]).cast(to: type)
      try expect(group.allReduce(x), [odd.reduce(0, +), Double(n)], "a sum of \(type)")
      try expect(group.allReduce(x, .product), [0, 1], "a product of \(type)")
      try expect(group.allReduce(x, .min), [0, 1], "a minimum of \(type)")
      try expect(group.allReduce(x, .max), [n > 1 ? 1 : 0, 1], "a maximum of \(type)")
      try expect(
        .concatenated(group.allGather(x)), odd.flatMap { [$0, 1] }, "gathering \(type)")
      try expect(group.broadcast(x, from: n - 1), [odd[n - 1], 1], "broadcasting \(type)")
      let parts = Tensor(ranks.flatMap { [$0 == 1 ? 1 : 0, 1] }).cast(to: type)
      try expect(
        group.reduceScatter(parts), [rank == 1 ? Double(n) : 0, Double(n)],
        "scattering sums of \(type)")
    }
    let flags = try group.allReduce(Tensor([rank == 0, true, false]))
    try expect(flags, [1, 1, 0], "any of bool")
    let pending = (0..<3).map { group.startAllReduce(Tensor([Double(rank), Double($0)])) }
    for (index, work) in pending.enumerated().reversed() {
      try expect(
        work.value(), [ranks.reduce(0, +), Double(n * index)], "a sum beside other calls")
    }
    let half = try group.split(by: rank % 2)
    let own = ranks.filter { Int($0) % 2 == rank % 2 }
    try expect(half.allReduce(Tensor(Double(rank))), [own.reduce(0, +)], "a sum in a part")
    let long = Tensor.full([10_007], Double(rank + 1)).cast(to: .float32)
    let sum = ranks.reduce(0) { $0 + $1 + 1 }
    try expect(group.allReduce(long).max(), [sum], "a long sum")
    try expect(group.allReduce(long).min(), [sum], "a long sum")
    try group.barrier()
    return Int(try group.allReduce(Tensor(right)).item())
  }
}
