// A training that can be stopped at any epoch, and ends with the same bits.

import Foundation
import Norma

final class Run {
  let network = Sequential(Linear(8, 32), BatchNorm1d(32), ReLU(), Dropout(0.1), Linear(32, 2))
  let optimizer: AdamW
  let scheduler: Scheduler
  let loader: DataLoader<TensorDataset>

  init(_ data: TensorDataset) {
    optimizer = AdamW(network.parameters, learningRate: 1e-2)
    scheduler = Scheduler(optimizer, CosineAnnealing(steps: 60))
    loader = DataLoader(data, batchSize: 64, shuffle: true)
  }

  func epoch() throws {
    try loader.forEach { batch in
      let loss = crossEntropy(network(batch[0]), batch[1])
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
      scheduler.step()
    }
  }

  func save(to path: String) throws {
    var checkpoint = Checkpoint(model: network.stateDict())
    checkpoint.optimizer = optimizer.state
    checkpoint.loader = loader.state
    checkpoint.generators["default"] = Generator.current.state
    try checkpoint.encode(scheduler.stepCount, as: "step")
    try checkpoint.write(to: path)
  }

  func resume(from path: String) throws {
    let checkpoint = try Checkpoint(contentsOf: path)
    try network.load(checkpoint.model)
    if let state = checkpoint.optimizer { try optimizer.load(state) }
    if let state = checkpoint.loader { try loader.restore(state) }
    if let state = checkpoint.generators["default"] {
      Generator.current = try Generator(state: state)
    }
    scheduler.stepCount = try checkpoint.decode(Int.self, from: "step")
  }
}

manualSeed(0)
let samples = Tensor.randn(640, 8)
let data = TensorDataset(samples, (samples.sum(over: 1) .> 0).cast(to: .int64))

let whole = Run(data)
for epoch in 0..<6 {
  try whole.epoch()
  if epoch == 2 { try whole.save(to: "run.safetensors") }
}

let resumed = Run(data)
try resumed.resume(from: "run.safetensors")
for _ in 3..<6 { try resumed.epoch() }

let pairs = zip(whole.network.parameters, resumed.network.parameters)
print(pairs.allSatisfy { $0.value.isEqual(to: $1.value) })  // true
