import Norma
import NormaDistributed
import NormaModels
import NormaTensor
import Synchronization

/// The times of training steps of a known network, by each process alone and by all together.
struct NetworkTiming {
  let network: String
  let images, size, steps: Int

  /// What was measured, in seconds for a step.
  struct Result: Encodable {
    let network: String
    let processes, threads, images, size, parameters, norms: Int
    /// A step of each process without the others, which compute meanwhile.
    let alone: Double
    /// A step of all together.
    let step: Double
    let gradientBytes, buckets: Int
    /// The exchange of gradients, and the part of it that the backward pass did not hide.
    let gradients, exposedGradients, hidden: Double
    /// The exchanges of synchronized batch norm, with waiting for the slowest process.
    let normExchanges: Double
  }

  static let networks: [String: ResNet.Depth] = [
    "resnet18": .resNet18, "resnet34": .resNet34, "resnet50": .resNet50,
  ]

  func run(over group: ProcessGroup) throws -> Result {
    guard let depth = Self.networks[network] else { throw DataError("no network \(network)") }
    manualSeed(0)
    let model = ResNet(depth)
    let x = Tensor.randn(images, 3, size, size).evaluated()
    let labels = Tensor.randint([images], low: 0, high: 1000).evaluated()
    let optimizer = SGD(model.parameters, learningRate: 0.01)
    func step(_ forward: (Tensor) -> Tensor) {
      let loss = crossEntropy(forward(x), labels)
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
      Tensor.evaluate(model.parameters.map(\.value))
    }
    /// Seconds for each of some steps after two others, until all processes have done them.
    func time(_ body: () throws -> Void) throws -> Double {
      for _ in 0..<2 { try body() }
      try group.barrier()
      let begin = ContinuousClock.now
      for _ in 0..<steps { try body() }
      try group.barrier()
      return (ContinuousClock.now - begin) / .seconds(1) / Double(steps)
    }
    let alone = try time { step(model.callAsFunction) }

    let exchange = TimedExchange(group)
    let converted =
      group.count > 1 ? convertToSyncBatchNorm(inside: model, exchange: exchange) : nil
    let parallel = try DistributedDataParallel(model, over: group)
    var (taken, before, warmups) = (CommunicationTime(), Duration.zero, 2)
    let together = try time {
      try catchingTensorErrors { step(parallel.callAsFunction) }
      warmups -= 1
      if warmups >= 0 {
        before = exchange.time
      } else {
        taken.add(parallel.communicationTime)
      }
    }
    func mean(_ time: Duration) -> Double { time / .seconds(1) / Double(steps) }
    return Result(
      network: network, processes: group.count, threads: TensorThreads.count, images: images,
      size: size, parameters: model.parameters.reduce(0) { $0 + $1.value.count },
      norms: converted?.conversions.count ?? 0, alone: alone, step: together,
      gradientBytes: taken.bytes / steps, buckets: taken.buckets / steps,
      gradients: mean(taken.transport), exposedGradients: mean(taken.waiting),
      hidden: taken.hidden, normExchanges: mean(exchange.time - before))
  }
}

/// The exchanges of a group, with the time that they take.
private final class TimedExchange: StatisticsExchange {
  private let group: ProcessGroup
  private let taken = Mutex(Duration.zero)

  init(_ group: ProcessGroup) { self.group = group }

  var count: Int { group.count }
  var time: Duration { taken.withLock { $0 } }

  func gathered(_ numbers: [Double], call: String) throws(TensorError) -> [[Double]] {
    let begin = ContinuousClock.now
    defer { taken.withLock { $0 += .now - begin } }
    return try group.gathered(numbers, call: call)
  }

  func summed(_ numbers: [Double], call: String) throws(TensorError) -> [Double] {
    let begin = ContinuousClock.now
    defer { taken.withLock { $0 += .now - begin } }
    return try group.summed(numbers, call: call)
  }
}
