// A regression on a table: missing values, categories, scales, validation, early stopping, and a
// second run.

import Foundation
import Norma

/// A table as people send it: decimal commas, `NA` and empty fields, words.
func table(rows: Int, seed: Int) -> String {
  withSeed(seed) {
    let area = Tensor.uniform([rows], low: 30, high: 200).array(of: Double.self)
    let isHouse = Tensor.randint([rows], low: 0, high: 2).array(of: Bool.self)
    let noise = Tensor.randn(rows).array(of: Double.self)
    let lines = (0..<rows).map { row in
      let rooms = row % 9 == 0 ? "NA" : "\(Int(area[row] / 28))"
      let size = row % 11 == 0 ? "" : String(format: "%.1f", area[row])
      let price = 0.5 + area[row] / 60 + (isHouse[row] ? 0.8 : 0) + noise[row] / 20
      return [rooms, size, isHouse[row] ? "house" : "flat", String(format: "%.3f", price)]
        .joined(separator: ";").replacingOccurrences(of: ".", with: ",")
    }
    return (["rooms;area;kind;price"] + lines).joined(separator: "\n")
  }
}

/// What the rows of training say about all rows; it is kept with the network.
struct Preparation: Codable {
  let imputer: Imputer
  let scaler: StandardScaler
  let kinds: [String]

  func callAsFunction(_ table: CSV) throws -> Tensor {
    let kind = try table.classes("kind", names: kinds).oneHot(classes: kinds.count)
    let numbers = scaler(imputer(try table.tensor(["rooms", "area"])))
    return .concatenated([numbers, kind.cast(to: .float32)], over: 1)
  }
}

func makeNetwork(inputs: Int) -> Sequential {
  Sequential(Linear(inputs, 32), ReLU(), Linear(32, 1), Flatten(from: 0))
}

let folder = FileManager.default.temporaryDirectory.path
let path = "\(folder)/norma-houses.csv"
try table(rows: 600, seed: 1).write(toFile: path, atomically: true, encoding: .utf8)

let houses = try CSV(contentsOf: path, options: .init(separator: ";", decimalMark: ","))
let (kinds, names) = try houses.classes("kind")
let raw = try houses.tensor(["rooms", "area"])
let imputer = Imputer(fitting: raw, with: .median, addsFlags: true)
let scaler = StandardScaler(fitting: imputer(raw))
let kind = kinds.oneHot(classes: names.count).cast(to: .float32)
let x = Tensor.concatenated([scaler(imputer(raw)), kind], over: 1)

// Rows of validation are prepared with the numbers of those of training.
let preparation = Preparation(imputer: imputer, scaler: scaler, kinds: names)
let others = try CSV(text: table(rows: 150, seed: 2), options: houses.options)
let (inputs, prices) = (try preparation(others), try others.tensor(["price"]).squeezed(1))

manualSeed(0)
let network = makeNetwork(inputs: x.shape[1])
let optimizer = AdamW(network.parameters, learningRate: 1e-2)
let training = TensorDataset(x, try houses.tensor(["price"]).squeezed(1))
let loader = DataLoader(training, batchSize: 50, shuffle: true)
var stopping = EarlyStopping(patience: 5)
for _ in 0..<60 {
  for batch in loader {
    let loss = mseLoss(network(batch[0]), batch[1])
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
  var errors = RegressionErrors()
  withoutGradients { errors.update(network(inputs), prices) }
  if stopping.step(errors.rootMeanSquaredError, network) {
    var checkpoint = Checkpoint(model: network.stateDict())
    try checkpoint.encode(preparation, as: "preparation")
    try checkpoint.write(to: "\(folder)/norma-houses.safetensors")
  }
  if stopping.shouldStop { break }
}
print("error", stopping.state.best ?? .nan, "after", stopping.state.stepCount, "epochs")

// A second run, with another table.
let saved = try Checkpoint(contentsOf: "\(folder)/norma-houses.safetensors")
let prepare = try saved.decode(Preparation.self, from: "preparation")
let offers = try CSV(text: "rooms,area,kind\n4,,house\n2,55.5,flat\n")
let columns = try prepare(offers)
let again = makeNetwork(inputs: columns.shape[1])
try again.load(saved.model)
print(withoutGradients { again(columns) })  // near 3.4 and 1.4
