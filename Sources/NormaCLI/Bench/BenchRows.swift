import Norma

// The rows of `norma bench`. Benchmarks/compare.py runs the same in PyTorch: add new rows there as
// well.

extension BenchRow {
  /// All rows in the order of the table, the grid last.
  static func all(_ sizes: BenchSizes, grid: Bool, catalogue: Bool = false) -> [BenchRow] {
    memory(sizes) + statistics(sizes) + normalizations(sizes) + training(sizes)
      + otherNorms(sizes) + draws(sizes) + functions(sizes) + few(sizes) + products(sizes)
      + distances(sizes) + networks(sizes) + shapes
      + (grid ? batchNormGrid(sizes) : []) + (catalogue ? self.catalogue(sizes) : [])
  }

  /// A row whose operation takes normal random numbers and returns a tensor.
  private init(
    _ name: String, _ shape: [Int], outputs: Int, _ operation: @escaping (Tensor) -> Tensor
  ) {
    self.init(name: name, shape: shape) {
      let x = Tensor.randn(shape)
      return BenchWork(source: x, byteCount: x.byteCount + outputs * x.dtype.byteCount) {
        operation(x).evaluated()
      }
    }
  }

  private static func memory(_ sizes: BenchSizes) -> [BenchRow] {
    let copy = BenchRow(name: "copy", shape: sizes.images) {
      let x = Tensor.randn(sizes.images)
      let copy = BenchCopy(of: x)
      return BenchWork(source: x, byteCount: 2 * x.byteCount) {
        copy.run()
        return nil
      }
    }
    return [copy]
  }

  private static func statistics(_ sizes: BenchSizes) -> [BenchRow] {
    let (images, matrix) = (sizes.images, sizes.matrix)
    let channels = images[1]
    let pixels = images.dropFirst().reduce(1, *)
    return [
      BenchRow("sum", images, outputs: 1) { $0.sum() },
      BenchRow("mean.channels", images, outputs: channels) { $0.mean(over: 0, 2, 3) },
      BenchRow("variance.channels", images, outputs: channels) { $0.variance(over: 0, 2, 3) },
      BenchRow("variance.images", images, outputs: pixels) { $0.variance(over: 0) },
      BenchRow("variance.last", matrix, outputs: matrix[0]) { $0.variance(over: -1) },
      BenchRow("variance.first", matrix, outputs: matrix[1]) { $0.variance(over: 0) },
    ]
  }

  private static func normalizations(_ sizes: BenchSizes) -> [BenchRow] {
    let images = sizes.images
    let standardize = BenchRow(name: "standardize", shape: images) {
      let x = Tensor.randn(images)
      let mean = x.mean(over: 0, 2, 3, keepDims: true).evaluated()
      let std = x.std(over: 0, 2, 3, keepDims: true).evaluated()
      return BenchWork(source: x, byteCount: 2 * x.byteCount) {
        ((x - mean) / (std + 1e-5)).evaluated()
      }
    }
    let experiment = BenchRow(name: "experiment", shape: images) {
      let x = Tensor.rand(images)
      let layer = BatchNorm2d(images[1])
      return BenchWork(source: x, byteCount: x.byteCount) {
        let mean = x.mean(over: 0, 2, 3, keepDims: true)
        let std = x.std(over: 0, 2, 3, keepDims: true)
        let y = (x - mean) / (std + 1e-5)
        return (layer(y) - y).abs().max().evaluated()
      }
    }
    var rows = [
      standardize,
      batchNorm("batchnorm.training", images),
      batchNorm("batchnorm.training.channels-last", images, channelsLast: true),
      batchNorm("batchnorm.evaluation", images, training: false),
      experiment,
    ]
    // Rows keep their names when a quick check makes them smaller.
    for (shape, named) in zip(sizes.activations, BenchSizes().activations) {
      let size = named.map(String.init).joined(separator: "x")
      rows.append(batchNorm("batchnorm.training.\(size)", shape))
      rows.append(
        batchNorm("batchnorm.training.channels-last.\(size)", shape, channelsLast: true))
    }
    return rows
  }

  /// A forward pass; in training it updates the running statistics.
  private static func batchNorm(
    _ name: String, _ shape: [Int], channelsLast: Bool = false, training: Bool = true
  ) -> BenchRow {
    BenchRow(name: name, shape: shape) {
      let stored = channelsLast ? [shape[0], shape[2], shape[3], shape[1]] : shape
      let source = Tensor.randn(stored)
      let x = channelsLast ? source.permuted(0, 3, 1, 2) : source
      let layer = BatchNorm2d(shape[1])
      if !training { layer.eval() }
      return BenchWork(source: source, byteCount: 2 * source.byteCount) {
        withoutGradients { layer(x).evaluated() }
      }
    }
  }

  private static func draws(_ sizes: BenchSizes) -> [BenchRow] {
    func draw(_ name: String, _ operation: @escaping ([Int]) -> Tensor) -> BenchRow {
      BenchRow(name: name, shape: sizes.images) {
        let like = Tensor.randn(sizes.images)
        return BenchWork(source: like, byteCount: like.byteCount) {
          operation(sizes.images).evaluated()
        }
      }
    }
    return [draw("rand") { Tensor.rand($0) }, draw("randn") { Tensor.randn($0) }]
  }

  private static func functions(_ sizes: BenchSizes) -> [BenchRow] {
    let count = sizes.values.reduce(1, *)
    let log = BenchRow(name: "log", shape: sizes.values) {
      let x = Tensor.rand(sizes.values)
      return BenchWork(source: x, byteCount: 2 * x.byteCount) { x.log().evaluated() }
    }
    return [
      BenchRow("exp", sizes.values, outputs: count) { $0.exp() },
      log,
      BenchRow("tanh", sizes.values, outputs: count) { $0.tanh() },
      BenchRow("erf", sizes.values, outputs: count) { $0.erf() },
    ]
  }

  /// The overhead of an operation besides its arithmetic.
  private static func few(_ sizes: BenchSizes) -> [BenchRow] {
    let shape = [sizes.few]
    let one = BenchRow(name: "operation.64", shape: shape) {
      let x = Tensor.randn(shape)
      return BenchWork(source: x, byteCount: 2 * x.byteCount) { (x * 0.5).evaluated() }
    }
    let chain = BenchRow(name: "chain.64", shape: shape) {
      let x = Tensor.randn(shape)
      return BenchWork(source: x, byteCount: 2 * x.byteCount, operations: sizes.chain) {
        var y = x
        for step in 0..<sizes.chain { y = step % 2 == 0 ? y * 0.5 : y + 0.25 }
        return y.evaluated()
      }
    }
    return [one, chain]
  }

  private static func products(_ sizes: BenchSizes) -> [BenchRow] {
    zip(sizes.products, BenchSizes().products).map { side, named in
      BenchRow(name: "matmul.\(named)", shape: [side, side]) {
        let (a, b) = (Tensor.randn(side, side), Tensor.randn(side, side))
        return BenchWork(source: a, byteCount: 3 * a.byteCount) { a.matmul(b).evaluated() }
      }
    }
  }

  /// The distances between all pairs of vectors.
  private static func distances(_ sizes: BenchSizes) -> [BenchRow] {
    zip(sizes.vectors, BenchSizes().vectors).map { shape, named in
      BenchRow(name: "cdist.\(named[1])", shape: shape) {
        let (a, b) = (Tensor.randn(shape), Tensor.randn(shape))
        let results = shape[0] * shape[0] * a.dtype.byteCount
        return BenchWork(source: a, byteCount: 2 * a.byteCount + results) {
          a.cdist(b).evaluated()
        }
      }
    }
  }

  private static func batchNormGrid(_ sizes: BenchSizes) -> [BenchRow] {
    sizes.grid.channels.flatMap { channels in
      sizes.grid.sides.flatMap { side -> [BenchRow] in
        let shape = [sizes.grid.images, channels, side, side]
        guard shape.reduce(4, *) <= sizes.largest else { return [] }
        let name = "batchnorm.grid.c\(channels).h\(side)"
        let rows = [batchNorm(name, shape)]
        // With one channel or pixel both layouts are the same.
        if channels == 1 || side == 1 { return rows }
        return rows + [batchNorm(name + ".channels-last", shape, channelsLast: true)]
      }
    }
  }
}
