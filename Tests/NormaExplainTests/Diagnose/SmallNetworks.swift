import NormaNN
import NormaTensor

/// A network of three batch norms that learns to tell clusters apart, in a second.
enum SmallNetworks {
  static let layers = ["1", "4", "7"]

  /// Points around one of three centers away from zero, and which.
  static func points(_ count: Int, seed: UInt64) -> (x: Tensor, labels: Tensor) {
    withSeed(seed) {
      let labels = Tensor.randint([count], low: 0, high: 3)
      let centers = withSeed(7) { Tensor.randn(3, 6) * 1.5 + 2 }
      let near = Tensor.where(
        labels.unsqueezed(1) .== 0, centers[0],
        Tensor.where(labels.unsqueezed(1) .== 1, centers[1], centers[2]))
      return ((near + Tensor.randn(count, 6)).evaluated(), labels)
    }
  }

  static func network(eps: [Double] = [1e-5, 1e-5, 1e-5], momentum: Momentum = 0.1) -> Sequential {
    withSeed(1) {
      var parts: [any Layer] = []
      for (k, inputs) in [6, 16, 16].enumerated() {
        parts.append(Linear(inputs, 16, bias: false))
        parts.append(BatchNorm1d(16, eps: eps[k], momentum: momentum))
        parts.append(ReLU())
      }
      return Sequential(parts + [Linear(16, 3)])
    }
  }

  static func norm(_ network: Sequential, _ name: String) -> BatchNorm {
    network[Int(name) ?? 0] as? BatchNorm ?? BatchNorm(1)
  }

  /// Trains with steps that become smaller, so that the statistics come to rest.
  static func train(
    _ network: Sequential, steps: Int, batchSize: Int = 32, rate: Double = 0.1,
    each: (Int) -> Void = { _ in }
  ) {
    let (x, labels) = points(1500, seed: 2)
    let optimizer = SGD(network.parameters, learningRate: rate, momentum: 0.9)
    network.train()
    for step in 0..<steps {
      optimizer.groups[0].learningRate = rate * Double(steps - step) / Double(steps)
      let start = step * batchSize % (1500 - batchSize)
      network.zeroGrad()
      let rows = start..<(start + batchSize)
      crossEntropy(network(x[rows]), labels[rows]).backward()
      optimizer.step()
      each(step)
    }
    network.eval()
  }

  /// A network that has learned 200 batches of 32.
  static func trained() -> Sequential {
    let network = Self.network()
    load(network)
    return network
  }

  /// Gives a network of another setting what was learned.
  static func load(_ network: Sequential) {
    do {
      try network.load(learned)
    } catch {
      fatalError("\(error)")
    }
    network.eval()
  }

  private static let learned: StateDict = {
    let network = Self.network()
    train(network, steps: 200)
    return network.stateDict().evaluated()
  }()

  static let batch = points(128, seed: 3).x
}
