// Datasets: of your own, from folders of images, as streams, and sampled as you like.

import Norma

/// Words of one length, read when they are asked for.
struct Words: Dataset {
  let words = ["red", "sea", "sun", "sky", "ice", "oak"]
  let labels = [0, 1, 1, 1, 1, 0]

  var count: Int { words.count }

  func batch(_ indices: [Int]) throws -> [Tensor] {
    let letters = indices.map { words[$0].utf8.map(Int64.init) }
    return [Tensor(letters) - 97, Tensor(indices.map { labels[$0] })]
  }
}

manualSeed(0)
for batch in DataLoader(Words(), batchSize: 4, shuffle: true) {
  print(batch[0].shape, batch[1])
}

// Some samples, and a part kept for validation.
let parts = Words().randomSplit(fractions: [0.5, 0.5])
print(parts.map(\.count))

// Each class as often as the other.
let weights = Words().labels.map { $0 == 0 ? 1 / 2.0 : 1 / 4.0 }
let balanced = DataLoader(
  Words(), batchSize: 6, sampler: WeightedSampler(weights: weights, count: 6))
for batch in balanced { print(batch[1].sum().item() as Int, "of 6") }

// Images of digits, changed on the way into the network.
let digits = TensorDataset(
  Tensor.randint([64, 1, 28, 28], low: 0, high: 256).cast(to: .uint8),
  Tensor.randint([64], low: 0, high: 10))
let augmented = digits.transformed(
  .unitRange, .randomCrop(28, 28, padding: 2), .randomHorizontalFlip(),
  .normalize(mean: [0.5], std: [0.5]))
let loader = DataLoader(augmented, batchSize: 32, shuffle: true)
for batch in loader { print(batch[0].shape, batch[0].dtype) }

// A folder with a folder of images for each class, if one is given: swift run Data photos
if let folder = CommandLine.arguments.dropFirst().first {
  let photos = try ImageFolder(folder)
  print(photos.classes, photos.count)
}

// A stream of unknown length.
let stream = SampleSequence(0..<1000) { number in [Tensor(Float(number))] }
for batch in StreamLoader(stream, batchSize: 400, shuffleWindow: 200) { print(batch[0].shape) }
