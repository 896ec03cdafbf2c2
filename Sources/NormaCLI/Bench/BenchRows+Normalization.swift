import Norma

// The other normalizations, forward only and with all gradients. Benchmarks/compare.py runs the
// same in PyTorch.

extension BenchRow {
  /// Large tensors, then small ones, where the call itself dominates.
  static func otherNorms(_ sizes: BenchSizes) -> [BenchRow] {
    var rows = [softmax(sizes.matrix), masked(sizes.images)]
    rows += rowNorms(sizes.matrix, "") + imageNorms(sizes.images, "")
    rows += rowNorms(sizes.smallMatrix, ".small") + imageNorms(sizes.smallImages, ".small")
    rows += pair("batchnorm.small", sizes.smallImages) { BatchNorm2d($0[1]) }
    return rows
  }

  private static func rowNorms(_ shape: [Int], _ ending: String) -> [BenchRow] {
    pair("layernorm" + ending, shape) { LayerNorm($0[$0.count - 1]) }
      + pair("rmsnorm" + ending, shape) { RMSNorm($0[$0.count - 1]) }
  }

  private static func imageNorms(_ shape: [Int], _ ending: String) -> [BenchRow] {
    pair("groupnorm" + ending, shape) { GroupNorm(min(32, $0[1]), $0[1]) }
      + pair("instancenorm" + ending, shape) { InstanceNorm2d($0[1], affine: true) }
  }

  /// A layer forward, and forward and backward.
  private static func pair(
    _ name: String, _ shape: [Int], _ layer: @escaping ([Int]) -> any Layer
  ) -> [BenchRow] {
    [
      BenchRow(name: name, shape: shape) {
        let (x, layer) = (Tensor.randn(shape), layer(shape))
        return BenchWork(source: x, byteCount: 2 * x.byteCount) {
          withoutGradients { layer(x).evaluated() }
        }
      },
      BenchRow(name: name + ".gradient", shape: shape) {
        let (x, upstream, layer) = (Tensor.randn(shape), Tensor.randn(shape), layer(shape))
        // x and y; x, the gradient of y, and that of x.
        return BenchWork(source: x, byteCount: 5 * x.byteCount) {
          let start = x.requiringGradient()
          let y = layer(start).evaluated()
          y.backward(upstream: upstream)
          return start.grad?.evaluated()
        }
      },
    ]
  }

  /// Batch norm of images with a tenth of the pixels masked.
  private static func masked(_ shape: [Int]) -> BenchRow {
    BenchRow(name: "batchnorm.masked", shape: shape) {
      let x = Tensor.randn(shape)
      let mask = (Tensor.rand(shape[0], 1, shape[2], shape[3]) .> 0.1).evaluated()
      let layer = BatchNorm2d(shape[1])
      return BenchWork(source: x, byteCount: 2 * x.byteCount) {
        withoutGradients { layer(x, mask: mask).evaluated() }
      }
    }
  }

  private static func softmax(_ shape: [Int]) -> BenchRow {
    BenchRow(name: "softmax", shape: shape) {
      let x = Tensor.randn(shape)
      return BenchWork(source: x, byteCount: 2 * x.byteCount) { x.softmax(over: -1).evaluated() }
    }
  }
}
