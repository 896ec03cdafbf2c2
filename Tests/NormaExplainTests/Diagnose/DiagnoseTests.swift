import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Every defect, created in a small network, is named with its layers; healthy networks are clean.
@Suite struct DiagnoseTests {
  typealias Small = SmallNetworks

  static func expect(
    _ diagnosis: Diagnosis, _ defect: Defect, in layers: [String] = Small.layers,
    channels: [String: [Int]] = [:], location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      diagnosis.findings.map(\.defect) == [defect], "\(diagnosis)", sourceLocation: location)
    #expect(diagnosis.findings.first?.layers == layers, "\(diagnosis)", sourceLocation: location)
    #expect(diagnosis.findings.first?.channels == channels, sourceLocation: location)
    #expect(diagnosis.description.contains(defect.rawValue), sourceLocation: location)
  }

  /// Sizes of every kind give a diagnosis or an error that names the number.
  @Test func extremeSizes() throws {
    let network = Small.trained()
    let batch = Small.batch[0..<4]
    for n in [0, 1, -1, Int.min, Int.max, Int.max / 2, 1 << 62] {
      for isSize in [true, false] {
        let call = {
          try catchingTensorErrors {
            network.diagnosis(
              on: batch, batches: isSize ? 10 : n, batchSize: isSize ? n : 4)
          }
        }
        if n < (isSize ? 1 : 0) {
          let error = try #require(#expect(throws: TensorError.self) { _ = try call() })
          #expect(error.description.contains("\(isSize ? "batchSize" : "batches") is \(n)"))
        } else {
          #expect(try call().samples == 4)
        }
      }
      let samples = {
        try catchingTensorErrors { network.diagnosis(samples: n) { network(batch) } }
      }
      if n < 0 {
        let error = #expect(throws: TensorError.self) { _ = try samples() }
        #expect(error?.reason.contains("samples is \(n)") == true)
      } else {
        _ = try samples()
      }
    }
  }

  @Test func healthyNetworksAreClean() {
    let network = Small.trained()
    for size in [16, 64, 128] {
      for (batches, batchSize) in [(nil, nil), (200, 32)] as [(Int?, Int?)] {
        let found = network.diagnosis(
          on: Small.batch[0..<size], batches: batches, batchSize: batchSize)
        #expect(found.isHealthy && found.layers.map(\.name) == Small.layers, "\(found)")
        #expect(found.description.hasPrefix("Healthy"))
      }
    }
    // Other settings that are consistent.
    let keras = Small.network(eps: [1e-3, 1e-3, 1e-3], momentum: .decay(0.9))
    Small.train(keras, steps: 200)
    #expect(keras.diagnosis(on: Small.batch, batches: 200, batchSize: 32).isHealthy)
  }

  @Test func firstValues() {
    let network = Small.trained()
    Small.norm(network, "4").resetRunningStatistics()
    Self.expect(network.diagnosis(on: Small.batch, batches: 200), .neverTrained, in: ["4"])
    for name in Small.layers { Small.norm(network, name).resetRunningStatistics() }
    Self.expect(network.diagnosis(on: Small.batch), .neverTrained)
  }

  /// And recalibration makes it healthy.
  @Test func aMomentumTooSmall() throws {
    let network = Small.network(momentum: 0.001)
    Small.train(network, steps: 150)
    Self.expect(network.diagnosis(on: Small.batch, batches: 150, batchSize: 32), .notConverged)
    Self.expect(network.diagnosis(on: Small.batch), .notConverged)
    let x = Small.points(1500, seed: 2).x
    try recalibrate(network, over: (0..<15).map { x[($0 * 100)..<($0 * 100 + 100)] })
    #expect(network.diagnosis(on: Small.batch).findings.isEmpty)
  }

  @Test func standingStill() {
    let network = Small.network()
    Small.train(network, steps: 200) { step in
      if step == 19 { Small.norm(network, "4").updatesRunningStatistics = false }
    }
    for batches in [nil, 200] {
      Self.expect(network.diagnosis(on: Small.batch, batches: batches), .stale, in: ["4"])
    }
  }

  /// Without a count of batches the layers' own settings tell, and recalibration repairs.
  @Test func frozenWhileMoving() throws {
    let network = Small.network()
    Small.train(network, steps: 200) { step in
      if step == 19 {
        for name in Small.layers { Small.norm(network, name).updatesRunningStatistics = false }
      }
    }
    let found = network.diagnosis(on: Small.batch)
    #expect(found.findings.map(\.defect) == [.stale], "\(found)")
    let (x, labels) = Small.points(1500, seed: 2)
    func accuracy() -> Double {
      (network(x).argmax(over: 1) .== labels).cast(to: .float64).mean().item()
    }
    let before = accuracy()
    try recalibrate(network, over: [x[0..<700], x[700...]], order: .layerByLayer)
    #expect(accuracy() > before, "\(before) \(accuracy())")
    for name in Small.layers { Small.norm(network, name).updatesRunningStatistics = true }
    #expect(network.diagnosis(on: Small.batch).isHealthy)
  }

  @Test func numbersThatAreNone() {
    let network = Small.trained()
    let norm = Small.norm(network, "4")
    var values = norm.runningVar?.value.array(of: Float.self) ?? []
    (values[2], values[5]) = (-1e-6, -1)
    norm.runningVar?.value = Tensor(values)
    Self.expect(
      network.diagnosis(on: Small.batch), .negativeVariance, in: ["4"], channels: ["4": [2, 5]])
    (values[2], values[5]) = (.nan, .infinity)
    norm.runningVar?.value = Tensor(values)
    Self.expect(network.diagnosis(on: Small.batch), .nonFinite, in: ["4"], channels: ["4": [2, 5]])
  }

  @Test func statisticsOfAnotherLayer() {
    let network = Small.trained()
    let (a, b) = (Small.norm(network, "1"), Small.norm(network, "7"))
    let cells = [a, b].map { [$0.runningMean, $0.runningVar].compactMap { $0 } }
    let values = cells.map { $0.map(\.value) }
    for (cell, value) in zip(cells[1], values[0]) { cell.value = value }
    Self.expect(network.diagnosis(on: Small.batch, batches: 200), .exchanged, in: ["7"])
    for (cell, value) in zip(cells[0], values[1]) { cell.value = value }
    Self.expect(network.diagnosis(on: Small.batch), .exchanged, in: ["1", "7"])
  }

  @Test func updatedTwice() {
    let network = Small.network()
    let other = Small.points(400, seed: 9).x
    Small.train(network, steps: 200) { step in
      withoutGradients { _ = network(other[(step % 12 * 32)..<(step % 12 * 32 + 32)]) }
    }
    Self.expect(network.diagnosis(on: Small.batch, batches: 200, batchSize: 32), .doubleUpdate)
  }

  @Test func tooFewValues() {
    let network = Small.network(momentum: 0.9)
    Small.train(network, steps: 400, batchSize: 4, rate: 0.02)
    Self.expect(network.diagnosis(on: Small.batch, batches: 400, batchSize: 4), .noisy)
  }

  @Test func anotherEpsilon() {
    // All layers, and one that only its neighbors reveal.
    let all = Small.network(eps: [3, 3, 3])
    Small.load(all)
    Self.expect(all.diagnosis(on: Small.batch, batches: 200, batchSize: 32), .epsilon)
    let one = Small.network(eps: [1e-5, 3, 1e-5])
    Small.load(one)
    Self.expect(one.diagnosis(on: Small.batch), .epsilon, in: ["4"])
    // The last has nothing after it, but is unlike the others.
    let last = Small.network(eps: [1e-5, 1e-5, 3])
    Small.load(last)
    Self.expect(last.diagnosis(on: Small.batch), .epsilon, in: ["7"])
  }

  /// Inputs so small that epsilon outweighs their variance.
  @Test func anEpsilonThatDominates() throws {
    let network = Sequential(BatchNorm1d(6), Linear(6, 8, bias: false), BatchNorm1d(8))
    let x = Small.points(300, seed: 5).x * 1e-4
    try recalibrate(network, over: [x])
    Self.expect(network.diagnosis(on: x[0..<100]), .epsilon, in: ["0"])
    try recalibrate(network, over: [x * 1e4])
    #expect(network.diagnosis(on: x[0..<100] * 1e4).isHealthy)
  }

  @Test func otherData() {
    let network = Small.trained()
    for shifted in [Small.batch * 0.3, Small.batch + 3, Small.batch * 200] {
      let found = network.diagnosis(on: shifted, batches: 200, batchSize: 32)
      #expect(found.findings.first?.defect == .domainShift, "\(found)")
      #expect(found.findings.first?.layers.first == "1")
    }
  }

  /// A layer with a lower count missed batches, even if the others' momentum would explain it.
  @Test func standingStillByCount() {
    let network = Small.network()
    Small.train(network, steps: 200) { step in
      if step == 9 { Small.norm(network, "4").updatesRunningStatistics = false }
    }
    Small.norm(network, "4").updatesRunningStatistics = true
    for batches in [nil, 200] {
      Self.expect(network.diagnosis(on: Small.batch, batches: batches), .stale, in: ["4"])
    }
  }

  /// Images that are a little too bright: the first layer alone shows it.
  @Test func dataThatDifferALittle() throws {
    let network = withSeed(3) {
      Sequential(
        Conv2d(3, 8, kernelSize: 3, bias: false), BatchNorm2d(8), ReLU(),
        Conv2d(8, 8, kernelSize: 3, bias: false), BatchNorm2d(8), ReLU())
    }
    network.eval()
    let (x, images) = withSeed(4) { (Tensor.randn(128, 3, 10, 10), Tensor.randn(64, 3, 10, 10)) }
    try recalibrate(network, over: [x])
    #expect(
      network.diagnosis(on: images).isHealthy && network.diagnosis(on: images * 1.03).isHealthy)
    Self.expect(network.diagnosis(on: images * 1.2), .domainShift, in: ["1"])
  }

  @Test func constantChannels() throws {
    let network = Small.trained()
    let norm = Small.norm(network, "4")
    var values = norm.weight?.value.array(of: Float.self) ?? []
    (values[2], values[5]) = (0, 1e-8)
    norm.weight?.value = Tensor(values)
    var shifts = norm.bias?.value.array(of: Float.self) ?? []
    (shifts[2], shifts[5], shifts[9]) = (-0.1, -0.1, -20)
    norm.bias?.value = Tensor(shifts)
    let x = Small.points(1500, seed: 2).x
    for _ in 0..<2 {
      Self.expect(
        network.diagnosis(on: Small.batch), .deadChannels, in: ["4"], channels: ["4": [2, 5, 9]])
      // Also if the later layers have adapted to it.
      try recalibrate(network, over: [x[0..<750], x[750...]])
    }
  }

  @Test func numbersOfAChannel() throws {
    let network = Small.trained()
    let first = Linear(6, 16, bias: false)
    first.weight.value = (network[0] as? Linear)?.weight.value ?? .zeros(16, 6)
    let inputs = first(Small.batch)
    let layer = try #require(network.diagnosis(on: Small.batch).layers.first)
    let norm = Small.norm(network, "1")
    let running = norm.runningMean?.value.array(of: Double.self) ?? []
    for c in [0, 7, 15] {
      let values = inputs[0..., c].array(of: Double.self)
      let mean = values.reduce(0, +) / 128
      let squares = values.map { ($0 - mean) * ($0 - mean) }
      let variance = squares.reduce(0, +) / 127
      let biased = variance * 127 / 128
      let spread = squares.reduce(0) { $0 + ($1 - biased) * ($1 - biased) } / 127
      let channel = layer.channels[c]
      #expect(abs(channel.mean - mean) < 1e-6 && abs(channel.variance - variance) < 1e-5)
      #expect(channel.runningMean == running[c])
      #expect(abs(channel.shift - (running[c] - mean) / (variance + 1e-5).squareRoot()) < 1e-5)
      #expect(abs(channel.standardErrorOfMean - (variance / 128).squareRoot()) < 1e-6)
      #expect(abs(channel.standardErrorOfVariance - (spread / 128).squareRoot()) < 1e-5)
    }
    #expect(layer.count == 128 && layer.kind == "BatchNorm1d" && layer.batchesTracked == 200)
  }

  @Test func theEffectOfALayer() throws {
    let network = Small.trained()
    let norm = Small.norm(network, "7")
    let before = network(Small.batch)
    norm.runningMean?.value = (norm.runningMean?.value ?? .zeros(16)) + 2
    let found = network.diagnosis(on: Small.batch)
    let off = try #require(found.layers.last)
    let after = network(Small.batch)
    let change = (after - before).squared().mean().item().squareRoot()
    let expected = change / after.std(correction: 0).item()
    // The batch's own statistics are not quite the running ones.
    #expect(
      off.isOff && abs((off.effect ?? 0) / expected - 1) < 0.2, "\(off.effect ?? -1) \(expected)")
    #expect(found.layers[0].effect == nil)
  }

  @Test func nothingChanges() {
    let network = Small.trained()
    network.train()
    network[4].eval()
    let before = network.stateDict().mapValues { $0.array(of: Double.self) }
    _ = network.diagnosis(on: Small.batch + 5)
    #expect(network.stateDict().allSatisfy { before[$0] == $1.array(of: Double.self) })
    #expect(network[1].isTraining && !network[4].isTraining)
    _ = network(Small.batch)
    #expect(network.stateDict()["1.num_batches_tracked"]?.item() == 201)
  }

  /// Padding is ignored.
  @Test func masks() throws {
    let bn = BatchNorm1d(3)
    let mask = Tensor((0..<64).map { $0 % 4 < 2 }, shape: [16, 1, 4])
    let x = Tensor.where(mask, withSeed(4) { Tensor.randn(16, 3, 4) * 2 + 5 }, 1e6)
    try recalibrate(bn, over: [x]) { _ = $0($1, mask: mask) }
    let found = bn.diagnosis(samples: 16) { bn(x, mask: mask) }
    #expect(found.isHealthy && found.layers[0].count == 32 && found.layers[0].gap < 1e-3)
    #expect(!bn.diagnosis(samples: 16) { bn(x) }.isHealthy)
  }

  @Test func othersAndText() throws {
    final class Plain: Module {
      let fc = Linear(6, 2)
    }
    let plain = Plain()
    let nothing = plain.diagnosis(samples: 4) { plain.fc(Tensor.randn(4, 6)) }
    #expect(nothing.isHealthy && nothing.description.contains("no batch normalization"))
    let found = Small.network().diagnosis(on: Small.batch)
    let text = try JSONEncoder().encode(found)
    #expect(try JSONDecoder().decode(Diagnosis.self, from: text) == found)
    #expect(found.description.split(separator: "\n").allSatisfy { $0.count <= 80 })
    // One sample has no variance, and shows nothing.
    #expect(Small.trained().diagnosis(on: Small.batch[0..<1]).isHealthy)
  }
}
