// A network as an ONNX file, and the file as a network.
import Foundation
import Norma
import NormaONNX

manualSeed(0)
let network = Sequential(
  Conv2d(3, 16, kernelSize: 3, stride: 2, padding: 1), BatchNorm2d(16), ReLU(),
  AdaptiveAvgPool2d(1), Flatten(), Linear(16, 10))
let images = Tensor.rand(4, 3, 32, 32)

let file = NSTemporaryDirectory() + "network.onnx"
try network.exportONNX(to: file, input: images)
let model = try ONNXModel(contentsOf: file)
print(model.inputs[0], model.outputs[0])
network.eval()
model.eval()
print((try model([images])[0] - network(images)).abs().max().item() < 1e-5)
