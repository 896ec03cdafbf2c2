// Statistics over any axes, statistics that merge, and what a normalization makes of them.

import Norma

manualSeed(0)
let x = Tensor.randn(8, 3, 32, 32) * 2 + 5  // images, channels, rows, columns

let mean = x.mean(over: 0, 2, 3, keepDims: true)  // [1, 3, 1, 1]
let std = x.std(over: 0, 2, 3, keepDims: true)  // by n - 1: PyTorch
let biased = x.std(over: 0, 2, 3, correction: 0, keepDims: true)  // by n: NumPy
print(mean.shape, (biased / std).flattened())

// Two halves, as from two files or two machines.
let halves = x.chunked(2, over: 0).map { $0.moments(over: 0, 2, 3) }
if let whole = halves[0].merged(with: halves[1]) {
  print(whole.count, Tensor(whole.mean, dtype: .float32).allClose(to: mean.flattened()))
}

// Far from zero: the mean is 10 million times the deviation.
let far = Tensor.randn(1000, dtype: .float32) + 1e7
print(far.std())  // near 1
let squares = (far * far).mean() - far.mean() * far.mean()
print(squares)  // what E[x²] - E[x]² makes of it

// A normalization is axes, moments and an affine map.
let byHand = (x - mean) / (biased.squared() + 1e-5).sqrt()
let layer = BatchNorm2d(3)
print((layer(x) - byHand).abs().max() .< 1e-5)
let rows = LayerNorm([3, 32, 32])(x)  // for each image
let groups = GroupNorm(1, 3)(x)  // the same, with a weight for each channel
print((rows - groups).abs().max() .< 1e-5)

// Robust and weighted statistics.
print(x.median(over: 0, 2, 3).shape, x.quantile(0.99).shape)
let holes = Tensor.where(x .> 9, Double.nan, x)
print(holes.nanMean().item() < x.mean().item())
