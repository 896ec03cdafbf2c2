// A training that measures itself on other samples, stops in time and keeps its best network.

import Norma

manualSeed(0)
let samples = Tensor.randn(400, 8)
let classes = (samples.sum(over: 1) .> 0).cast(to: .int64)
let parts = TensorDataset(samples, classes).randomSplit(fractions: [0.8, 0.2])

// Rare classes as often as others.
let labels = try parts[0].batch(Array(0..<parts[0].count))[1].array(of: Int.self)
let counts = [0, 1].map { label in Double(labels.count { $0 == label }) }
let sampler = WeightedSampler(weights: labels.map { 1 / counts[$0] }, count: labels.count)
let training = DataLoader(parts[0], batchSize: 32, sampler: sampler)
let validation = DataLoader(parts[1], batchSize: 32)

let network = Sequential(Linear(8, 16), ReLU(), Linear(16, 2))
let optimizer = NAdam(network.parameters)
let scheduler = Scheduler(optimizer, Cyclic(maximum: 1e-2, up: 20, mode: .halving))
var stopping = EarlyStopping(patience: 3, isLowerBetter: false)
for _ in 0..<20 {
  for batch in training {
    let loss = autocast(.bfloat16) { crossEntropy(network(batch[0]), batch[1]) }
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    scheduler.step()
  }
  var confusion = ConfusionMatrix(classes: 2)
  withoutGradients {
    for batch in validation { confusion.update(network(batch[0]), batch[1]) }
  }
  if stopping.step(confusion.f1(.macro), network) {
    try Checkpoint(model: network.stateDict()).write(to: "best.safetensors")
  }
  if stopping.shouldStop { break }
}
try stopping.restore(network)
print(stopping.state)
