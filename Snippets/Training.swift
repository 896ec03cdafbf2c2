// A network from data to checkpoint.

import Norma

final class Classifier: Module, Layer {
  let conv = Conv2d(1, 16, kernelSize: 3, padding: 1, bias: false)
  let bn = BatchNorm2d(16)
  let fc = Linear(16, 10)

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(bn(conv(x)).relu().mean(over: 2, 3))
  }
}

manualSeed(0)  // the parameters are PyTorch's after torch.manual_seed(0)
let images = Tensor.rand(256, 1, 28, 28)
let labels = Tensor.randint([256], low: 0, high: 10)
let loader = DataLoader(TensorDataset(images, labels), batchSize: 32, shuffle: true)

let network = Classifier()
let optimizer = AdamW(network.parameters, learningRate: 1e-3)
for _ in 0..<2 {
  for batch in loader {
    let loss = crossEntropy(network(batch[0]), batch[1])
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
}

network.eval()
var (total, mean) = (0.0, Tensor(0.0))
withoutGradients {
  for batch in loader {
    let loss = crossEntropy(network(batch[0]), batch[1])
    total += loss.item()
    mean = (mean + loss).evaluated()
  }
}
print(total, mean)

let scores = withoutGradients { network(images[0..<4]) }
print(scores.argmax(over: 1))

var checkpoint = Checkpoint(model: network.stateDict())
checkpoint.optimizer = optimizer.state
checkpoint.loader = loader.state
try checkpoint.write(to: "classifier.safetensors")
try network.load(Checkpoint(contentsOf: "classifier.safetensors").model)
