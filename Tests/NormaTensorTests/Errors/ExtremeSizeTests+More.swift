import NormaTensor

// Further public calls with a size, a count or an index.

extension ExtremeSizeTests {
  static func furtherCreation(_ n: Int) -> [() -> Any] {
    let x = Tensor.ones(2, 3)
    return [
      { Tensor.geometric([n], p: 0.5) }, { Tensor.cauchy([n]) }, { Tensor.logNormal([n, 2]) },
      { Tensor.randint(like: x, 0, n) }, { Tensor.randint(like: x, n, n) },
      { Tensor.linspace(Tensor([0.0]), Tensor([1.0]), count: n) },
      { Tensor.logspace(Tensor([0.0]), Tensor([1.0]), count: n) },
      { Tensor.full([2, n], 1) }, { Tensor.ones([n]) }, { Tensor.zeros([n, n]) },
      { Tensor.rand([n]) }, { Tensor.randn([n]) }, { Tensor.randint([n], high: 3) },
      { Tensor(exactly: [1, 2], shape: [n]) }, { Tensor(exactly: [n]) },
      { [1, 2].withUnsafeBytes { Tensor(copying: $0, shape: [n], dtype: .int64) } },
      { Tensor.multinomial(Tensor([1.0, 2]), count: n) },
      { Tensor.multinomial(Tensor([1.0, 2]), count: n, replacement: true) },
      { Tensor.trilIndices(2, 2, offset: n) }, { Tensor.triuIndices(n, n) },
    ]
  }

  static func furtherViews(_ n: Int) -> [() -> Any] {
    let x = Tensor.arange(24).reshaped(2, 3, 4)
    let v = Tensor.arange(6)
    return [
      { x.reshaped([n, 24]) }, { x.permuted([0, n, 1]) }, { x.squeezed(0, n) },
      { x.flattened(from: 0, through: n) }, { x.unflattened(1, into: [n, 3]) },
      { x.unflattened(n, into: [1, 3]) }, { x.movedAxes([n], to: [0]) },
      { x.movedAxes([0], to: [n]) }, { x.transposed(0, n) }, { x.summed(to: [n]) },
      { x.summed(to: [2, n, 4]) }, { x.flipped(over: [0, n]) }, { x.rotated90(1, axes: (0, n)) },
      { x.rolled(by: [1, n], over: [n, 0]) }, { x.rolled(by: [1], over: [n]) },
      { x.diagonal(axes: (n, 0)) }, { x.diagonal(offset: n, axes: (1, 2)) },
      { v.diagEmbedded(axes: (0, n)) }, { x.replacingDiagonal(with: v, axes: (n, 1)) },
      { x[n, ..., n] }, { x[0, n, ..., 0] }, { x[..., n, 0] }, { x[n..., 0] },
      { x[AxisSlice(from: n, to: n), 0] }, { x[Tensor([[n]]), 0] }, { x.item(at: 0, n, 0) },
      { x.split([1, n], over: 1) }, { x.split(every: 1, over: n) }, { x.split(into: 2, over: n) },
      { x.split(at: [1], over: n) }, { x.chunked(2, over: n) }, { x.vsplit(at: [n]) },
      { x.unbound(over: n) }, { x.narrowed(over: n, from: 0, count: 1) },
      { x.narrowed(over: n, from: Tensor(0), count: 1) },
      { x.narrowed(over: 0, from: Tensor(0), count: n) }, { x.sliced(over: n, from: 0) },
      { x.replacing(over: n, at: 0, with: v) }, { x.replacing(over: n, from: 0, with: v) },
      { x.replacing(at: [n], with: v) }, { x.replacing(at: [Tensor([n])], with: Tensor(1)) },
      { v.repeatedInterleaved(2, over: n) }, { v.repeatedInterleaved(n, over: 0) },
      { x.repeatedInterleaved(Tensor([1, n]), over: 0) }, { v.tiled([n]) },
      { v.repeated([2, n]) }, { v.unfolded(over: n, size: 1, step: 1) },
      { v.unfolded(over: 0, size: n, step: n) }, { v.strided([n, n], strides: [n, n]) },
      { v.strided([2], strides: [1], offset: n) },
      { v.rearranged("(a b) -> a b", ["a": n]) }, { v.repeated("a -> a b", ["b": n]) },
      { v.reduced("(a b) -> a", by: .sum, ["b": n]) },
      {
        var y = x
        y[..., n] = 1
        y[n, 0] = Tensor(2)
        return y
      },
    ]
  }

  static func reductions(_ n: Int) -> [() -> Any] {
    let x = Tensor.arange(24).reshaped(2, 3, 4).cast(to: .float32)
    return [
      { x.sum(over: [n]) }, { x.product(over: n) }, { x.product(over: [0, n]) },
      { x.min(over: n) }, { x.min(over: [n]) }, { x.max(over: [n, n]) }, { x.any(over: n) },
      { x.any(over: [n]) }, { x.all(over: n) }, { x.all(over: [n]) }, { x.countNonZero(over: n) },
      { x.countNonZero(over: [n]) }, { x.nanSum(over: n) }, { x.nanSum(over: [n]) },
      { x.nanMean(over: n) }, { x.nanMean(over: [n]) }, { x.mean(over: [n]) },
      { x.variance(over: [n]) }, { x.std(over: n) }, { x.std(over: [0, n]) },
      { x.nanVariance(over: n) }, { x.nanStd(over: n) }, { x.norm(3, over: [n]) },
      { x.logSumExp(over: n) }, { x.logSumExp(over: [n]) }, { x.logSoftmax(over: n) },
      { x.argmin(over: n) }, { x.maxWithIndices(over: n).values },
      { x.minWithIndices(over: n).values }, { x.minMax(over: n).min },
      { x.cumulativeProduct(over: n) }, { x.logCumulativeSumExp(over: n) },
      { x.cumulativeMax(over: n).values }, { x.cumulativeMin(over: n).values },
      { x.renormalized(over: n, maximum: 1) }, { x.moments(over: n) }, { x.moments(over: [n]) },
      { x.argsorted(over: n) }, { x.mode(over: n).values }, { x.unique(over: n).values },
      { x.kthValue(1, over: n).values }, { x.nanMedian(over: n) },
      { x.nanMedianWithIndices(over: n).values }, { x.quantile(0.5, over: n) },
      { x.quantile([0.5, 0.7], over: [n]) }, { x.quantile(Tensor([0.5]), over: [n]) },
      { x.nanQuantile(0.5, over: n) }, { x.nanQuantile([0.5], over: [n]) },
      { x.skewness(over: n) }, { x.kurtosis(over: n) }, { x.standardized(over: n) },
      { x.vecdot(x, over: n) }, { x.matrixNorm(over: (n, 0)) },
      { x.matrixNorm(.nuclear, over: (0, n)) },
      { x.tensordot(x, over: [0], and: [n]) }, { x.scattered(Tensor([[[n]]]), 1, over: 0) },
      { x.scattered(Tensor([[[0]]]), 1, over: n) },
      { x.scattered(Tensor([[[n]]]), Tensor([[[1]]] as [[[Float]]]), over: 0, reducing: .max) },
      { x.scatteredAdding(Tensor([[[0]]]), Tensor([[[1]]] as [[[Float]]]), over: n) },
      { x.indexCopied(Tensor([n]), x[0..<1], over: 0) }, { x.indexCopied(Tensor([0]), x, over: n) },
      { x.indexFilled(Tensor([n]), over: 0, with: Tensor(1)) },
      { x.indexFilled(Tensor([0]), over: n, with: 1) },
      { x.indexAdded(Tensor([0]), x[0..<1], over: n) }, { x.takenAlong(Tensor([[[0]]]), over: n) },
      { checkedOrder(n) },
    ]
  }

  /// Whether a gradient is right to an order.
  private static func checkedOrder(_ n: Int) -> Any {
    do {
      try checkGradient(of: { $0[0].squared() }, at: [Tensor([1.5])], order: n)
      return true
    } catch {
      return error
    }
  }

  static func windows(_ n: Int) -> [() -> Any] {
    let x = Tensor.ones(1, 2, 4, 4)
    let y = Tensor.ones(1, 2, 4, 4, 4)
    let (weight, cube) = (Tensor.ones(2, 2, 2, 2), Tensor.ones(2, 2, 2, 2, 2))
    let line = x[0]
    let e = Extents(n)
    let (pooled, places) = maxPool2dWithIndices(x, kernelSize: 2)
    let (row, rowPlaces) = maxPool1dWithIndices(line, kernelSize: 2)
    let (block, blockPlaces) = maxPool3dWithIndices(y, kernelSize: 2)
    return [
      { conv2d(x, weight: weight, stride: e) },
      { conv2d(x, weight: weight, padding: ConvolutionPadding(e)) },
      { conv2d(x, weight: weight, dilation: [1, n]) }, { conv2d(x, weight: weight, groups: n) },
      { conv3d(y, weight: cube, stride: e, dilation: e) }, { conv3d(y, weight: cube, groups: n) },
      { conv3d(y, weight: cube, padding: ConvolutionPadding(e)) },
      { convTranspose2d(x, weight: weight, stride: e) },
      { convTranspose2d(x, weight: weight, padding: e, dilation: e) },
      { convTranspose2d(x, weight: weight, stride: 3, outputPadding: [0, n]) },
      { convTranspose3d(y, weight: cube, stride: e) },
      { convTranspose3d(y, weight: cube, groups: n) },
      { maxPool2d(x, kernelSize: e) }, { maxPool2d(x, kernelSize: 2, stride: [n, 1]) },
      { maxPool2dWithIndices(x, kernelSize: 2, padding: e).values },
      { maxPool1dWithIndices(line, kernelSize: e).values }, { maxPool3d(y, kernelSize: e) },
      { maxPool3dWithIndices(y, kernelSize: 2, dilation: e).values },
      { avgPool2d(x, kernelSize: e) }, { avgPool2d(x, kernelSize: 2, divisorOverride: n) },
      { avgPool3d(y, kernelSize: e) }, { avgPool3d(y, kernelSize: 2, padding: e) },
      { adaptiveAvgPool2d(x, outputSize: AdaptiveSize([n, 2])) },
      { adaptiveAvgPool3d(y, outputSize: AdaptiveSize([2, n, 2])) },
      { adaptiveMaxPool2d(x, outputSize: AdaptiveSize([n, nil])) },
      { adaptiveMaxPool3d(y, outputSize: AdaptiveSize([n])) },
      { adaptiveMaxPool1dWithIndices(line, outputSize: AdaptiveSize([n])).values },
      { adaptiveMaxPool2dWithIndices(x, outputSize: AdaptiveSize([n])).values },
      { adaptiveMaxPool3dWithIndices(y, outputSize: AdaptiveSize([n])).values },
      { maxUnpool2d(pooled, indices: places, kernelSize: e) },
      { maxUnpool2d(pooled, indices: places, kernelSize: 2, outputSize: [n, 4]) },
      { maxUnpool2d(pooled, indices: places * n, kernelSize: 2) },
      { maxUnpool1d(row, indices: rowPlaces, kernelSize: 2, stride: e) },
      { maxUnpool3d(block, indices: blockPlaces, kernelSize: 2, padding: e) },
      { Tensor.interpolate(x, size: [n, 2]) }, { Tensor.interpolate(y, size: e) },
      { Tensor.fold(Tensor.ones(1, 8, 9), outputSize: 4, kernelSize: e) },
      { Tensor.fold(Tensor.ones(1, 8, 9), outputSize: 4, kernelSize: 2, padding: e) },
      { Tensor.unfold(x, kernelSize: 2, dilation: e) },
    ]
  }
}
