// Training in several processes; here they are threads, so that the program runs without MPI.

import Norma
import NormaDistributed

func train(_ group: ProcessGroup) throws -> [Double] {
  manualSeed(0)
  let images = Tensor.rand(256, 1, 28, 28)
  let labels = Tensor.randint([256], low: 0, high: 10)
  let data = TensorDataset(images, labels)

  let network = Sequential(
    Conv2d(1, 8, kernelSize: 3, stride: 2), BatchNorm2d(8), ReLU(), Flatten(),
    Linear(8 * 13 * 13, 10))
  SyncBatchNorm.convert(inside: network, over: group)
  let parallel = try DistributedDataParallel(network, over: group)
  let optimizer = SGD(network.parameters, learningRate: 0.1)
  let loader = DataLoader(
    data.sharded(over: group), batchSize: 60, shuffle: true, dropLast: true,
    generator: Generator(seed: 0))

  var losses: [Double] = []
  try loader.forEach { batch in
    let loss = crossEntropy(parallel(batch[0]), batch[1])
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    losses.append(try group.allReduce(loss.detached(), .mean).item())
  }
  if group.rank == 0 {
    try Checkpoint(model: network.stateDict()).write(to: "network.safetensors")
  }
  return losses
}

if ProcessGroup.hasMPI {
  try ProcessGroup.withMPI { group in
    let losses = try train(group)
    if group.rank == 0 { print(losses) }
  }
}

let one = try ProcessGroup.withThreads(1) { try train($0) }[0]
let three = try ProcessGroup.withThreads(3) { try train($0) }[0]
print(zip(one, three).allSatisfy { abs($0 - $1) < 1e-5 })

// Accumulation: only the last pass sends gradients.
try ProcessGroup.withThreads(2) { group in
  let parallel = try DistributedDataParallel(Linear(4, 1), over: group)
  let parts = (0..<3).map { _ in Tensor.randn(8, 4) }
  parallel.noSync { for part in parts.dropLast() { (parallel(part).mean() / 3).backward() } }
  (parallel(parts[2]).mean() / 3).backward()
}

// What synchronized batch norm changes: the part of a batch, normalized with the whole of it,
// compared with batch norm over the part.
let whole = Tensor.randn(8, 3, 6, 6) + Tensor.arange(8).cast(to: .float32).reshaped(8, 1, 1, 1)
let normalized = try ProcessGroup.withThreads(2) { group in
  SyncBatchNorm(3, over: group)(whole.narrowed(over: 0, from: 4 * group.rank, count: 4))
}
print(BatchNorm2d(3).explain(whole[0..<4], expecting: normalized[0]))

// The statistics that the parts of a batch have: rank-local, and of all together.
try ProcessGroup.withThreads(2) { group in
  let own = whole.narrowed(over: 0, from: 4 * group.rank, count: 4).moments(over: 0, 2, 3)
  let all = try group.merged(own)
  if group.rank == 0 { print("own mean \(own.mean[0]), of all \(all.mean[0])") }
}
