// Why a network is worse in evaluation, and its repair.

import Norma

manualSeed(0)
let labels = Tensor.randint([2048], low: 0, high: 3)
let points = (Tensor.randn(2048, 8) * 0.5 + labels.unsqueezed(1)).evaluated()

let network = Sequential(
  Linear(8, 16, bias: false), BatchNorm1d(16, momentum: 0.001), ReLU(), Linear(16, 3))
let optimizer = SGD(network.parameters, learningRate: 0.1, momentum: 0.9)
let loader = DataLoader(TensorDataset(points, labels), batchSize: 32, shuffle: true)
for batch in loader {
  let loss = crossEntropy(network(batch[0]), batch[1])
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
}

network.eval()
func accuracy(_ network: Sequential, _ points: Tensor, _ labels: Tensor) -> Double {
  (network(points).argmax(over: 1) .== labels).cast(to: .float64).mean().item()
}
print(accuracy(network, points, labels))

let diagnosis = network.diagnosis(on: points[0..<256], batches: loader.count, batchSize: 32)
print(diagnosis)
for finding in diagnosis.findings {
  print(finding.defect.rawValue, finding.layers, finding.repairs)
}

try recalibrate(network, over: loader)
print(network.diagnosis(on: points[0..<256]).isHealthy)
print(accuracy(network, points, labels))

let norm = BatchNorm2d(64, momentum: .decay(0.99))  // Keras' and Flax' number; PyTorch's is 0.01
norm.statistics = .running  // normalizes with the running statistics, in training too
norm.updatesRunningStatistics = false  // training does not move them
norm.singleValuePolicy = .running  // a batch of one value per channel is not refused
norm.nonFinitePolicy = .skipUpdate  // a batch with NaN does not spoil the running statistics
norm.freeze()  // keeps statistics and parameters, whatever train() says

let keras = BatchNorm2d(64, convention: .keras)  // eps 1e-3, .decay(0.99), running variance / n
let words = BatchNorm1d(8)
let sentences = Tensor.randn(2, 8, 5)
let isWord = Tensor([1, 1, 1, 1, 1, 1, 1, 1, 0, 0] as [Float]).reshaped(2, 1, 5)
let masked = words(sentences, mask: isWord)  // padding enters neither statistics nor result

let (output, update) = keras.forward(Tensor.randn(4, 64, 7, 7))  // a pure function
if let update { keras.commit(update) }  // the running statistics follow when you say so
print(masked.shape, output.shape)
