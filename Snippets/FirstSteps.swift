// First steps: two spirals, and a network that learns to tell them apart.

import Norma

/// Points on two spirals, `[2 * count, 2]`, and the spiral of each, `[2 * count]`.
func spirals(_ count: Int) -> (points: Tensor, labels: Tensor) {
  let turn = Tensor.rand(2, count).sqrt() * 7
  let start = Tensor([0, Double.pi], dtype: .float32).unsqueezed(1)
  let radius = turn / 7 + Tensor.randn(2, count) * 0.01
  let x = radius * (turn + start).cos()
  let y = radius * (turn + start).sin()
  let labels = Tensor([0, 1] as [Int]).unsqueezed(1).broadcast(to: [2, count])
  return (Tensor.stacked([x, y], over: 2).reshaped(-1, 2), labels.reshaped(-1))
}

manualSeed(0)
let (points, labels) = spirals(400)
print(points.shape, labels.shape)

let network = Sequential(
  Linear(2, 64), Tanh(), Linear(64, 64), BatchNorm1d(64), ReLU(), Linear(64, 2))
let optimizer = AdamW(network.parameters, learningRate: 3e-2)
let loader = DataLoader(TensorDataset(points, labels), batchSize: 64, shuffle: true)

for epoch in 1...40 {
  var sum = 0.0
  for batch in loader {
    let loss = crossEntropy(network(batch[0]), batch[1])
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    sum += loss.item()
  }
  if epoch % 10 == 0 { print("epoch \(epoch): loss \(sum / Double(loader.count))") }
}

network.eval()  // batch norm now uses its running statistics
let (others, answers) = spirals(200)
var accuracy = Accuracy()
withoutGradients { accuracy.update(network(others), answers) }
print("\(Int(accuracy.value * 100)) % of new points")

// What the network believes about the square from -1 to 1.
let line = Tensor.linspace(-1, 1, count: 41)
let grid = Tensor.meshgrid([line, -Tensor.linspace(-1, 1, count: 21)], indexing: .xy)
let square = Tensor.stacked(grid, over: 2).reshaped(-1, 2)
let cells = withoutGradients { network(square) }.argmax(over: 1).reshaped(21, 41)
for row in 0..<21 {
  print(String(cells[row].array(of: Int.self).map { $0 == 1 ? "#" : "." }))
}

try Checkpoint(model: network.stateDict()).write(to: "spirals.safetensors")
let again = Sequential(
  Linear(2, 64), Tanh(), Linear(64, 64), BatchNorm1d(64), ReLU(), Linear(64, 2))
try again.load(contentsOf: "spirals.safetensors")
again.eval()
print(withoutGradients { (again(others) .== network(others)).all() })
