// One example for each page of the documentation.

import Norma

manualSeed(0)

// Layers.
let network = Sequential(
  Conv2d(1, 8, kernelSize: 3, stride: 2, padding: 1), BatchNorm2d(8), ReLU(),
  Flatten(), Dropout(0.1), Linear(8 * 14 * 14, 10))
print(network.summary(inputShape: [1, 1, 28, 28]))

// Losses.
let images = Tensor.rand(16, 1, 28, 28)
let labels = Tensor.randint([16], low: 0, high: 10)
let loss = crossEntropy(network(images), labels, labelSmoothing: 0.1)
let error = mseLoss(Tensor([1, 2] as [Float]), Tensor([1, 4] as [Float]))  // 2

// Optimizers and schedules.
let optimizer = AdamW(network.parameters, learningRate: 1e-3, weightDecay: 0.01)
let scheduler = Scheduler(
  optimizer,
  SequentialSchedule([LinearWarmup(from: 0.01, steps: 10), CosineAnnealing(steps: 90)], at: [10]))
for _ in 0..<100 {
  let loss = crossEntropy(network(images), labels)
  optimizer.zeroGrad()
  loss.backward()
  try clipGradients(of: network.parameters, norm: 1)
  optimizer.step()
  scheduler.step()
}
print(loss.item(), error, optimizer.learningRate)

// Metrics.
network.eval()
var confusion = ConfusionMatrix(classes: 10)
withoutGradients { confusion.update(network(images), labels) }
print(confusion.f1(.macro))

// Gradients.
let x = Tensor([1, 2, 3] as [Float]).requiringGradient()
let y = x.squared().sum()
y.backward()
if let gradient = x.grad { print(gradient) }  // [2, 4, 6]
let slope = Tensor.gradient(of: { $0.sin() }, at: Tensor(0.5))
print(slope.allClose(to: Tensor(0.5).cos()))

// Files.
try Tensor.arange(6).reshaped(2, 3).write(npy: "numbers.npy")
let numbers = try Tensor(contentsOf: "numbers.npy")
try SafeTensors.write(["numbers": numbers], to: "numbers.safetensors")
let file = try StateFile(contentsOf: "numbers.safetensors")
print(try file.tensors().keys)

// Random numbers.
let first = withSeed(7) { Tensor.randn(3) }
let second = withSeed(7) { Tensor.randn(3) }
print(first.isEqual(to: second))
