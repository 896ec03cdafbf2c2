import ArgumentParser
import Foundation
import Norma

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train")

  @Option var data: String
  @Option var steps: Int = 15
  @Option var width: Int = 16
  @Option var batch: Int = 128
  @Option var epochs: Int = 3

  func run() throws {
    func images(_ name: String) throws -> Tensor {
      let x = try Tensor(idx: "\(data)/\(name)-images-idx3-ubyte.gz")
      return (x.unsqueezed(1).cast(to: .float32) / 255.0 - 0.2860) / 0.3530
    }
    let x = try images("train").evaluated()
    let y = try Tensor(idx: "\(data)/train-labels-idx1-ubyte.gz").cast(to: .int64).evaluated()
    manualSeed(0)
    let net = ResidualNetwork(width: width)
    let sgd = SGD(
      net.parameters, learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
    let total = steps
    let schedule = Scheduler(sgd, OneCycle(maximum: 0.1, totalSteps: total))
    let loader = DataLoader(
      TensorDataset(x, y), batchSize: batch, shuffle: true, dropLast: true,
      generator: Generator(seed: 0))
    var step = 0
    var start = Date()
    struct Done: Error {}
    do {
      try loader.forEach { batch in
        if step == 10 { start = Date() }
        let loss = crossEntropy(net(batch[0]), batch[1])
        net.zeroGrad()
        loss.backward()
        sgd.step()
        schedule.step()
        let value = loss.item()
        step += 1
        if step <= 10 { print(step, value) }
        if step == total { throw Done() }
      }
    } catch is Done {}
    let seconds = Date().timeIntervalSince(start)
    print("images/s", Double((total - 10) * batch) / seconds, "peak", Memory.usage)
  }
}
