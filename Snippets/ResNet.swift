// ResNet-18 with torchvision's names, so that a state of one is a state of the other.

import Foundation
import Norma

final class Block: Module, Layer {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let downsample: Sequential?

  init(_ inputs: Int, _ outputs: Int, stride: Int) {
    conv1 = Conv2d(inputs, outputs, kernelSize: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(outputs, outputs, kernelSize: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(outputs)
    downsample =
      stride == 1 && inputs == outputs
      ? nil
      : Sequential(
        Conv2d(inputs, outputs, kernelSize: 1, stride: stride, bias: false), BatchNorm2d(outputs))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn2(conv2(bn1(conv1(x)).relu()))
    return (y + (downsample?(x) ?? x)).relu()
  }
}

final class ResNet18: Module, Layer {
  let conv1 = Conv2d(3, 64, kernelSize: 7, stride: 2, padding: 3, bias: false)
  let bn1 = BatchNorm2d(64)
  let pool = MaxPool2d(kernelSize: 3, stride: 2, padding: 1)
  let layer1 = ResNet18.stage(64, 64, stride: 1)
  let layer2 = ResNet18.stage(64, 128, stride: 2)
  let layer3 = ResNet18.stage(128, 256, stride: 2)
  let layer4 = ResNet18.stage(256, 512, stride: 2)
  let fc: Linear

  init(classes: Int) { fc = Linear(512, classes) }

  private static func stage(_ inputs: Int, _ outputs: Int, stride: Int) -> Sequential {
    Sequential(Block(inputs, outputs, stride: stride), Block(outputs, outputs, stride: 1))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = layer4(layer3(layer2(layer1(pool(bn1(conv1(x)).relu())))))
    return fc(y.mean(over: 2, 3))
  }
}

manualSeed(0)
let network = ResNet18(classes: 10)
if CommandLine.arguments.count > 1 {
  // torch.save(model.state_dict(), ...), or safetensors.
  try network.load(contentsOf: CommandLine.arguments[1])
}
print(network.stateDict().count, "tensors, such as")
for (name, tensor) in network.stateDict() where name.contains("layer2.0.downsample") {
  print(name, tensor.shape)
}

// Fine tuning: the last layer learns ten times as fast.
let images = Tensor.randn(4, 3, 64, 64)
let labels = Tensor([3, 1, 4, 1] as [Int64])
let isHead = { (name: String) in name.hasPrefix("fc.") }
let named = network.namedParameters
let optimizer = SGD(
  named.filter { !isHead($0.name) }.map(\.parameter), learningRate: 0.001, momentum: 0.9)
optimizer.addGroup(named.filter { isHead($0.name) }.map(\.parameter)) { $0.learningRate = 0.01 }
for _ in 0..<3 {
  let loss = crossEntropy(network(images), labels)
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
  print("loss", loss.item())
}

// Its own state goes through a file; PyTorch reads it by safetensors.torch.load_file.
let path = "\(FileManager.default.temporaryDirectory.path)/norma-resnet18.safetensors"
try SafeTensors.write(network.stateDict(), to: path)
let other = ResNet18(classes: 10)
try other.load(contentsOf: path)
network.eval()
other.eval()
withoutGradients { print((network(images) - other(images)).abs().max()) }  // 0.0
