import Norma

// Layers at shapes from real networks, most of them in cache. Benchmarks/compare.py runs the same
// in PyTorch (shape_rows.py).

extension BenchRow {
  /// Rows `shape.NAME.SIZES`: forward without gradients; names that end in `.gradient` include all
  /// gradients.
  static var shapes: [BenchRow] {
    norms + activations
      + pair("logsoftmax", [32, 1000]) { $0.logSoftmax(over: 1) }
      + pair("softmax", [8, 12, 128, 128]) { $0.softmax(over: -1) }
      + pair("maxpool", [8, 64, 112, 112]) { maxPool2d($0, kernelSize: 3, stride: 2, padding: 1) }
      + [crossEntropyRow([4096, 86])] + attention([32, 4, 128, 32])
      + attention([1, 8, 4096, 64]) + recurrences([32, 128, 256]) + block([8, 256, 384])
  }

  private static var norms: [BenchRow] {
    let layers: [(String, [[Int]], ([Int]) -> any Layer)] = [
      ("layernorm", [[8, 128, 768], [32, 128, 128]], { LayerNorm($0[2]) }),
      ("rmsnorm", [[8, 128, 768]], { RMSNorm($0[2]) }),
      ("groupnorm", [[8, 64, 56, 56]], { GroupNorm(32, $0[1]) }),
      ("batchnorm", [[8, 64, 56, 56]], { BatchNorm2d($0[1]) }),
      ("instancenorm", [[8, 64, 56, 56]], { InstanceNorm2d($0[1], affine: true) }),
    ]
    let rows = layers.flatMap { name, shapes, make in
      shapes.flatMap { shape in
        let layer = make(shape)
        return pair(name, shape) { layer($0) }
      }
    }
    let (summed, evaluated) = (LayerNorm(768), BatchNorm2d(64))
    evaluated.eval()
    return rows
      + pair("batchnorm.evaluation", [8, 64, 56, 56]) { evaluated($0) }
      + pair("layernorm.sum", [8, 128, 768]) { x in summed(x + x) }
  }

  private static var activations: [BenchRow] {
    [[8, 128, 3072], [32, 128, 512]].flatMap { shape in pair("gelu", shape) { $0.gelu() } }
  }

  private static func name(_ name: String, _ shape: [Int]) -> String {
    "shape.\(name).\(shape.map(String.init).joined(separator: "x"))"
  }

  /// An operation forward, and forward and backward.
  private static func pair(
    _ name: String, _ shape: [Int], _ operation: @escaping (Tensor) -> Tensor
  ) -> [BenchRow] {
    [
      BenchRow(name: self.name(name, shape), shape: shape) {
        let x = Tensor.randn(shape)
        return BenchWork(source: x, byteCount: 2 * x.byteCount) {
          withoutGradients { operation(x).evaluated() }
        }
      },
      BenchRow(name: self.name(name, shape) + ".gradient", shape: shape) {
        let x = Tensor.randn(shape)
        let upstream = Tensor.randn(withoutGradients { operation(x).shape })
        return BenchWork(source: x, byteCount: 5 * x.byteCount) {
          let start = x.requiringGradient()
          operation(start).backward(upstream: upstream)
          return start.grad?.evaluated()
        }
      },
    ]
  }

  private static func crossEntropyRow(_ shape: [Int]) -> BenchRow {
    BenchRow(name: name("crossentropy", shape) + ".gradient", shape: shape) {
      let x = Tensor.randn(shape)
      let labels = Tensor.randint([shape[0]], high: shape[1])
      return BenchWork(source: x, byteCount: 2 * x.byteCount) {
        let start = x.requiringGradient()
        crossEntropy(start, labels).backward()
        return start.grad?.evaluated()
      }
    }
  }

  private static func attention(_ shape: [Int]) -> [BenchRow] {
    pair("attention", shape) { scaledDotProductAttention($0, $0, $0, isCausal: true) }
  }

  private static func block(_ shape: [Int]) -> [BenchRow] {
    let block = GPTBlock(shape[2], heads: 6, dropout: 0)
    return pair("gptblock", shape) { block($0) }
  }

  private static func recurrences(_ shape: [Int]) -> [BenchRow] {
    let lstm = LSTM(shape[2], shape[2], batchFirst: true)
    let gru = GRU(shape[2], shape[2], batchFirst: true)
    return pair("lstm", shape) { lstm($0).output } + pair("gru", shape) { gru($0).output }
  }
}
