import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Watching a network in training.
@Suite struct WatchTests {
  static func network() -> Sequential {
    withSeed(5) { Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Linear(4, 2)) }
  }

  static func batch(_ step: Int) -> Tensor {
    withSeed(UInt64(100 + step)) { Tensor.randn(6, 3) }
  }

  /// Steps of training; `look` gets the network before each.
  static func train(_ network: Sequential, steps: Int, _ look: (Int) -> Void = { _ in }) {
    let optimizer = SGD(network.parameters, learningRate: 0.1)
    for step in 0..<steps {
      look(step)
      let loss = network(batch(step)).squared().mean()
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
    }
  }

  @Test func resultsAndGradients() {
    let (network, twin) = (Self.network(), Self.network())
    var values: [[Float]] = [[], [], [], []]
    var gradients: [[Float]] = [[], [], [], []]
    Self.train(twin, steps: 5) { step in
      guard step % 2 == 0 else { return }
      // The same steps by hand; each layer's result starts its own graph.
      var results: [Tensor] = []
      var x = Self.batch(step)
      (twin[1] as? BatchNorm)?.updatesRunningStatistics = false
      for layer in twin.layers {
        let y = layer(x)
        results.append(y)
        x = y
      }
      (twin[1] as? BatchNorm)?.updatesRunningStatistics = true
      let loss = x.squared().mean()
      let found = Tensor.gradient(of: loss, at: results)
      for place in 0..<4 {
        values[place] += results[place].array(of: Float.self)
        gradients[place] += found[place].array(of: Float.self)
      }
    }
    let watch = network.watch(every: 2)
    Self.train(network, steps: 5)
    let report = watch.report()
    #expect(report.interval == 2 && report.layers.map(\.name) == ["0", "1", "2", "3"])
    for (place, layer) in report.layers.enumerated() {
      #expect(layer.calls == 5)
      #expect(layer.activations.samples == 3 && layer.gradients.samples == 3)
      ValueDistributionTests.expect(layer.activations.all, of: values[place])
      ValueDistributionTests.expect(layer.gradients.all, of: gradients[place])
      ValueDistributionTests.expect(
        layer.activations.latest, of: Array(values[place].suffix(values[place].count / 3)))
    }
    // Watching changed nothing.
    let (a, b) = (network.stateDict(), twin.stateDict())
    #expect(a.keys == b.keys && a.allSatisfy { $1.isEqual(to: b[$0] ?? .zeros([])) })
  }

  @Test func gradientsOfParameters() {
    let network = Self.network()
    network[0].freeze()
    let watch = network.watch(every: 3)
    Self.train(network, steps: 4)
    let names = watch.report().parameters.map(\.name)
    #expect(names == ["1.weight", "1.bias", "3.weight", "3.bias"])
    for (name, record) in zip(names, watch.report().parameters) {
      #expect(record.steps == 4 && record.gradients.samples == 2)
      let last = network.namedParameters.first { $0.name == name }?.parameter.grad
      ValueDistributionTests.expect(
        record.gradients.latest, of: last?.array(of: Float.self) ?? [])
    }
  }

  @Test func whatDoesNotCount() {
    let network = Self.network()
    var watch: TrainingWatch? = network.watch()
    _ = network(Self.batch(0))
    network.eval()
    _ = network(Self.batch(1))
    network.train()
    #expect(watch?.report().layers.map(\.calls) == [1, 1, 1, 1])
    #expect(watch?.report().layers.map(\.gradients.samples) == [0, 0, 0, 0])
    // A part in evaluation mode is watched while the whole network trains.
    network[1].eval()
    _ = network(Self.batch(2))
    #expect(watch?.report().layers[1].calls == 2)
    watch?.restart()
    #expect(watch?.report().layers.isEmpty == true)
    watch?.stop()
    _ = network(Self.batch(3))
    #expect(watch?.report().layers.isEmpty == true)
    // Two watches at the same time; a watch ends when it is released.
    let other = network.watch()
    watch = network.watch(every: 2)
    for step in 0..<3 { _ = network(Self.batch(step)) }
    #expect(watch?.report().layers[0].activations.samples == 2)
    watch = nil
    _ = network(Self.batch(3))
    #expect(other.report().layers[0].activations.samples == 4)
  }

  /// The second run of a checkpoint is the same call.
  @Test func checkpoints() {
    let network = Self.network()
    let watch = network.watch()
    let x = Self.batch(0).requiringGradient()
    Tensor.checkpoint(x) { network($0[0]) }.sum().backward()
    let layers = watch.report().layers
    #expect(layers.map(\.calls) == [1, 1, 1, 1])
    #expect(layers.map(\.gradients.samples) == [1, 1, 1, 1])
    #expect(layers.last?.gradients.all.mean == 1)
  }

  @Test func reports() throws {
    let network = Self.network()
    let watch = network.watch()
    Self.train(network, steps: 2)
    let report = watch.report()
    let text = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(WatchReport.self, from: text) == report)
    let lines = "\(report)".split(separator: "\n")
    #expect(lines.count == 1 + 8 + 6 && lines[1].hasPrefix("0 (Linear)"))
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines[6].hasPrefix("  gradient") && lines[15 - 1].hasPrefix("∇ 3.bias"))
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = network.watch(every: 0) }
    }
  }
}
