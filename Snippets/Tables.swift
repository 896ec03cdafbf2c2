// A table, from its file to a checkpoint and back: what is missing, categories, scales.

import Foundation
import Norma

let folder = FileManager.default.temporaryDirectory.path
let path = "\(folder)/norma-houses.csv"
try """
rooms;area;kind
3;71,5;flat
5;;house
4;96,0;flat
NA;180,25;house
""".write(toFile: path, atomically: true, encoding: .utf8)

let houses = try CSV(contentsOf: path, options: .init(separator: ";", decimalMark: ","))
let (kinds, names) = try houses.classes("kind")
let raw = try houses.tensor(["rooms", "area"])
let imputer = Imputer(fitting: raw, with: .median, addsFlags: true)
let scaler = StandardScaler(fitting: imputer(raw))
let kind = kinds.oneHot(classes: names.count).cast(to: .float32)
let x = Tensor.concatenated([scaler(imputer(raw)), kind], over: 1)

let network = Linear(x.shape[1], 1)
print(network(x))

var checkpoint = Checkpoint(model: network.stateDict())
try checkpoint.encode(imputer, as: "imputer")
try checkpoint.encode(scaler, as: "scaler")
try checkpoint.encode(names, as: "kinds")
try checkpoint.write(to: "\(folder)/norma-houses.safetensors")

// A second run, with another table.
let saved = try Checkpoint(contentsOf: "\(folder)/norma-houses.safetensors")
try network.load(saved.model)
let fill = try saved.decode(Imputer.self, from: "imputer")
let scale = try saved.decode(StandardScaler.self, from: "scaler")
let known = try saved.decode([String].self, from: "kinds")
let others = try CSV(text: "rooms,area,kind\n4,,house\n")
let labels = try others.classes("kind", names: known).oneHot(classes: known.count)
let inputs = scale(fill(try others.tensor(["rooms", "area"])))
print(network(.concatenated([inputs, labels.cast(to: .float32)], over: 1)))
