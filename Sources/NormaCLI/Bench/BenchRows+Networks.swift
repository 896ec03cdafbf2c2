import Norma
import NormaModels

// Training and optimizer steps. Benchmarks/compare.py runs the same in PyTorch.

extension BenchRow {
  /// Complete steps: forward, loss, backward, optimizer.
  static func networks(_ sizes: BenchSizes) -> [BenchRow] {
    [optimizer(sizes), mlp(sizes), gpt(0), gpt(0.1)]
      + sizes.widths.flatMap {
        [
          residualStep($0, sizes), residualEvaluation($0, sizes, isFolded: false),
          residualEvaluation($0, sizes, isFolded: true),
        ]
      }
      + photoNetworks(sizes) + [100, 1000].map { token(at: $0, sizes) }
  }

  /// ResNet-18 and MobileNet-v2 at the size of ImageNet: evaluation with and without folded batch
  /// norms, and a training step; ResNet-18 also by Winograd's algorithm.
  private static func photoNetworks(_ sizes: BenchSizes) -> [BenchRow] {
    let makers: [(String, () -> any Layer)] = [
      ("resnet18", { ResNet18() }), ("mobilenet", { MobileNetV2() }),
    ]
    return makers.flatMap { name, make in
      [8, 1].flatMap { batch in
        [false, true].map {
          evaluation(
            "\(name).\($0 ? "folded" : "evaluation").\(batch)", [batch] + sizes.photo,
            isFolded: $0, make)
        }
      }
    }
      + [8, 1].map { batch in
        evaluation(
          "resnet18.winograd.\(batch)", [batch] + sizes.photo, isFolded: true, usesWinograd: true
        ) { ResNet18() }
      } + [
        photoStep("resnet18.step.16", nil, sizes),
        photoStep("resnet18.step.16.bfloat16", .bfloat16, sizes),
      ]
  }

  /// - Parameter type: The type of matrix products and convolutions.
  private static func photoStep(_ name: String, _ type: DType?, _ sizes: BenchSizes) -> BenchRow {
    BenchRow(name: name, shape: [16] + sizes.photo) {
      let x = Tensor.randn([16] + sizes.photo)
      let labels = Tensor.randint([16], low: 0, high: 1000)
      let network = ResNet18()
      let optimizer = SGD(network.parameters, learningRate: 0.01, momentum: 0.9)
      return BenchWork(source: x, byteCount: x.byteCount) {
        autocast(type) { step(network, optimizer, x, labels) }
      }
    }
  }

  private static func evaluation(
    _ name: String, _ shape: [Int], isFolded: Bool, usesWinograd: Bool = false,
    _ make: @escaping () -> any Layer
  ) -> BenchRow {
    BenchRow(name: name, shape: shape) {
      let x = Tensor.randn(shape)
      let network = make()
      network.eval()
      if isFolded { fold(network, x) }
      return BenchWork(source: x, byteCount: x.byteCount) {
        withWinograd(usesWinograd) { withoutGradients { network(x) } }.evaluated()
      }
    }
  }

  private static func fold(_ network: some Layer, _ x: Tensor) {
    foldBatchNorms(inside: network, on: x)
  }

  /// AdamW on one large parameter: reads value, gradient and two moments, writes all but the
  /// gradient.
  private static func optimizer(_ sizes: BenchSizes) -> BenchRow {
    BenchRow(name: "adamw", shape: sizes.parameter) {
      let parameter = Parameter(.randn(sizes.parameter))
      let gradient = Tensor.randn(sizes.parameter)
      let optimizer = AdamW([parameter], learningRate: 1e-3)
      return BenchWork(source: gradient, byteCount: 7 * gradient.byteCount) {
        parameter.grad = gradient
        optimizer.step()
        return nil
      }
    }
  }

  private static func mlp(_ sizes: BenchSizes) -> BenchRow {
    let shape = [32, 784]
    return BenchRow(name: "mlp.step", shape: shape) {
      let x = Tensor.randn(shape)
      let labels = Tensor.randint([shape[0]], low: 0, high: 10)
      let network = Sequential(Linear(784, 256), ReLU(), Linear(256, 10))
      let optimizer = SGD(network.parameters, learningRate: 0.01, momentum: 0.9)
      return BenchWork(source: x, byteCount: x.byteCount) {
        step(network, optimizer, x, labels)
      }
    }
  }

  /// A step of a language model on 32 texts of 128 characters, without dropout or with a tenth.
  private static func gpt(_ dropout: Double) -> BenchRow {
    let shape = [32, 128]
    return BenchRow(name: dropout > 0 ? "gpt.step.dropout" : "gpt.step", shape: shape) {
      let text = Tensor.randint(shape, low: 0, high: 86)
      let targets = Tensor.randint([shape[0] * shape[1]], low: 0, high: 86)
      let network = SmallGPT(tokens: 86, length: 128, width: 128, heads: 4, dropout: dropout)
      let optimizer = AdamW(network.parameters, learningRate: 3e-4)
      // What is copied beside a step: the vectors of its characters.
      return BenchWork(source: .zeros(shape + [128]), byteCount: 4 * 128 * text.count) {
        step(network, optimizer, text, targets)
      }
    }
  }

  /// One token of GPT-2 after `position` others, or up to 20 more, which lie in a cache.
  private static func token(at position: Int, _ sizes: BenchSizes) -> BenchRow {
    let generator = sizes.generator
    return BenchRow(name: "gpt2.token.\(position)", shape: [1, generator.width]) {
      var options = GPT2.Options()
      options.width = generator.width
      options.layers = generator.layers
      options.tokens = generator.tokens
      options.heads = max(generator.width / 64, 2)
      let (network, text) = (GPT2(options), Tensor.randint([1, position], high: options.tokens))
      network.eval()
      let caches = network.makeCaches()
      let parameters = network.parameters.reduce(0) { $0 + $1.value.byteCount }
      return BenchWork(source: .zeros(1, options.width), byteCount: parameters) {
        withoutGradients {
          if caches[0].count == 0 || caches[0].count >= position + 20 {
            for cache in caches { cache.removeAll() }
            network(text, caches: caches).evaluated()
          }
          return network(text[0..., ..<1], caches: caches).evaluated()
        }
      }
    }
  }

  private static func residualStep(_ width: Int, _ sizes: BenchSizes) -> BenchRow {
    let shape = [sizes.networkBatch, 1, 28, 28]
    return BenchRow(name: "residual.step.\(width)", shape: shape) {
      let x = Tensor.randn(shape)
      let labels = Tensor.randint([shape[0]], low: 0, high: 10)
      let network = ResidualNetwork(width: width)
      let optimizer = SGD(
        network.parameters, learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4, nesterov: true)
      return BenchWork(source: x, byteCount: x.byteCount) {
        step(network, optimizer, x, labels)
      }
    }
  }

  private static func residualEvaluation(
    _ width: Int, _ sizes: BenchSizes, isFolded: Bool
  ) -> BenchRow {
    let shape = [4 * sizes.networkBatch, 1, 28, 28]
    let name = isFolded ? "residual.folded" : "residual.evaluation"
    return BenchRow(name: "\(name).\(width)", shape: shape) {
      let x = Tensor.randn(shape)
      let network = ResidualNetwork(width: width)
      network.eval()
      if isFolded { foldBatchNorms(inside: network, on: x) }
      return BenchWork(source: x, byteCount: x.byteCount) {
        withoutGradients { network(x).argmax(over: 1) }.evaluated()
      }
    }
  }

  private static func step(
    _ network: some Layer, _ optimizer: some Optimizer, _ x: Tensor, _ labels: Tensor
  ) -> Tensor {
    let loss = crossEntropy(network(x), labels)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss.evaluated()
  }
}
