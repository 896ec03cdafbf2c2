// What can be done to the norms of a network: folding, converting, comparing, watching, explaining.

import Norma

/// A network that is no sequence.
final class Net: Module, Layer {
  let conv = Conv2d(3, 8, kernelSize: 3, padding: 1, bias: false)
  let bn = BatchNorm2d(8)
  let fc = Linear(8, 4)

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(bn(conv(x)).relu().mean(over: 2, 3))
  }
}

manualSeed(0)
let images = Tensor.randn(16, 3, 12, 12)
let labels = Tensor.randint([16], low: 0, high: 4)

// Watching.
let network = Net()
let watch = network.watch(every: 10)
let optimizer = SGD(network.parameters, learningRate: 0.1)
for _ in 0..<30 {
  optimizer.zeroGrad()
  crossEntropy(network(images), labels).backward()
  optimizer.step()
}
print(watch.report())  // of layers and gradients: mean, deviation, extremes, zeros
watch.stop()

// Masks.
let tokens = Tensor.randn(2, 5, 16)
let isToken = Tensor.mask(lengths: [5, 3], over: 1, of: tokens.shape)  // [2, 5, 1]
let sentence = LayerNorm(16)(tokens, mask: isToken)  // padding is 0, and has no gradient

// Folding.
let sequence = Sequential(
  Conv2d(3, 8, kernelSize: 3, bias: false), BatchNorm2d(8), ReLU(), Flatten(), Linear(800, 4))
let (fast, folding) = foldBatchNorms(in: sequence, verifying: images)
print(folding)  // 1 folded into 0 before it; results differ by at most ...
print(fast(images).shape)

network.eval()
print(foldBatchNorms(inside: network, on: images))  // bn folded into conv before it

// Converting.
let (small, conversion) = convertNorms(in: sequence, to: .group(4))
print(conversion)  // 1: BatchNorm2d is GroupNorm now, with its weight and bias alone
print(small(images).shape)

let other = Net()
convertNorms(inside: other, to: .frozen)
print(other.namedModules.map(\.name))

// Comparing.
print(compareLayers(.keras, .pytorch, on: images))
print(compareLayers(BatchNorm2d(3), GroupNorm(1, 3), on: images))

// Explaining.
let ghost = GhostBatchNorm(3, partSize: 4)
let byHand = BatchNorm2d(3)(images)
print(ghost.explain(images, expecting: byHand))  // axes: statistics of the whole batch
