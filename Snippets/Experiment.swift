// Why is batch norm of normalized data not the identity?

import Norma

manualSeed(0)
let x = Tensor.rand(6, 64, 224, 224)  // the same numbers as torch.manual_seed(0)
let bn = BatchNorm2d(64)  // weight 1, bias 0, eps 1e-5, training
let mean = x.mean(over: 0, 2, 3, keepDims: true)
let std = x.std(over: 0, 2, 3, keepDims: true)  // several axes at once; n - 1, like PyTorch
let y = (x - mean) / (std + 1e-5)
print((bn(y) - y).abs().max())  // 5.4717e-05
print(bn.explain(y, expecting: y, from: x))  // why it is not zero, cause by cause
