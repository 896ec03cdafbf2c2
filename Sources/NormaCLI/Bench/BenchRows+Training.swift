import Norma

// Forward and backward passes of normalizations. Benchmarks/compare.py runs the same in PyTorch.

extension BenchRow {
  /// Rows with gradients of the input and the parameters.
  static func training(_ sizes: BenchSizes) -> [BenchRow] {
    let images = sizes.images
    var rows = [
      batchNormGradient("batchnorm.gradient", images),
      batchNormGradient("batchnorm.gradient.channels-last", images, channelsLast: true),
      residualGradient("batchnorm.residual.gradient", images),
    ]
    // Rows keep their names when a quick check makes them smaller.
    for (shape, named) in zip(sizes.residuals, BenchSizes().residuals) {
      let size = named.map(String.init).joined(separator: "x")
      rows.append(batchNormGradient("batchnorm.gradient.\(size)", shape))
      rows.append(
        batchNormGradient("batchnorm.gradient.channels-last.\(size)", shape, channelsLast: true))
      rows.append(residualGradient("batchnorm.residual.gradient.\(size)", shape))
      rows.append(
        residualGradient(
          "batchnorm.residual.gradient.channels-last.\(size)", shape, channelsLast: true))
    }
    return rows
  }

  /// Normal random numbers for images, in either memory layout.
  private static func images(
    _ shape: [Int], _ channelsLast: Bool
  ) -> (images: Tensor, stored: Tensor) {
    let stored = channelsLast ? [shape[0], shape[2], shape[3], shape[1]] : shape
    let source = Tensor.randn(stored)
    return (channelsLast ? source.permuted(0, 3, 1, 2) : source, source)
  }

  /// A training step of one layer: the result, then all gradients.
  private static func batchNormGradient(
    _ name: String, _ shape: [Int], channelsLast: Bool = false
  ) -> BenchRow {
    BenchRow(name: name, shape: shape) {
      let (x, stored) = images(shape, channelsLast)
      let upstream = images(shape, channelsLast).images
      let layer = BatchNorm2d(shape[1])
      // x and y; x, the gradient of y, and that of x.
      return BenchWork(source: stored, byteCount: 5 * x.byteCount) {
        let start = x.requiringGradient()
        let y = layer(start).evaluated()
        y.backward(upstream: upstream)
        return start.grad?.evaluated()
      }
    }
  }

  /// The end of a residual block, relu(norm(x) + r).
  private static func residualGradient(
    _ name: String, _ shape: [Int], channelsLast: Bool = false
  ) -> BenchRow {
    BenchRow(name: name, shape: shape) {
      let (x, stored) = images(shape, channelsLast)
      let residual = images(shape, channelsLast).images
      let upstream = images(shape, channelsLast).images
      let layer = BatchNorm2d(shape[1])
      // x, r and y; the gradient of y, y, x, and both gradients.
      return BenchWork(source: stored, byteCount: 8 * x.byteCount) {
        let (a, b) = (x.requiringGradient(), residual.requiringGradient())
        let y = (layer(a) + b).relu().evaluated()
        y.backward(upstream: upstream)
        b.grad?.evaluated()
        return a.grad?.evaluated()
      }
    }
  }
}
