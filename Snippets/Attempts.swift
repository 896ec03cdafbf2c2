// Seven ways to normalize a batch by hand, and what batch norm still does to each result.

import Norma

manualSeed(0)
let x = Tensor.rand(6, 64, 224, 224)

/// What a new layer does to a batch that is supposed to be normalized already.
func gap(_ y: Tensor) -> Tensor {
  let bn = BatchNorm2d(64)
  return (bn(y) - y).abs().max()
}

let pixelMean = x.mean(over: 0)
let pixelStd = x.std(over: 0)
print(gap((x - pixelMean) / (pixelStd + 1e-5)))  // 0.1949

let biasedPixelStd = x.std(over: 0, correction: 0)
print(gap((x - pixelMean) / (biasedPixelStd + 1e-5)))  // 8.3447e-05

let mean = x.mean(over: 0, 2, 3, keepDims: true)
let std = x.std(over: 0, 2, 3, keepDims: true)
print(gap((x - mean) / (std + 1e-5)))  // 5.4717e-05

let biasedStd = x.std(over: 0, 2, 3, correction: 0, keepDims: true)
print(gap((x - mean) / (biasedStd + 1e-5)))  // 5.1856e-05

let variance = x.variance(over: 0, 2, 3, correction: 0, keepDims: true)
print(gap((x - mean) / (variance + 1e-5).sqrt()))  // 9.5963e-05

var (means, deviations) = (x, x)
for axis in [3, 2, 0] {
  means = means.mean(over: axis, keepDims: true)
  deviations = deviations.std(over: axis, keepDims: true)
}
print(gap((x - means) / (deviations + 1e-5)))  // 3604.5842

let rows = x.permuted(1, 0, 2, 3).reshaped(64, -1)
let standardized =
  (rows - rows.mean(over: 1, keepDims: true)) / (rows.std(over: 1, keepDims: true) + 1e-5)
print(gap(standardized.reshaped(64, 6, 224, 224).permuted(1, 0, 2, 3)))  // 5.4717e-05

let y = (x - pixelMean) / (pixelStd + 1e-5)
let explanation = BatchNorm2d(64).explain(y, expecting: y, from: x)
for cause in explanation.causes {
  print(cause.name.rawValue, cause.share, cause.reason)
}

let exact = (x - mean) / variance.sqrt()
let bn = BatchNorm2d(64, eps: 1e-12)
print((bn(exact) - exact).abs().max())  // 2.3842e-07
