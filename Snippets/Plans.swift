// What runs together, and how many bytes move.

import Norma

let x = Tensor.rand(32, 64, 56, 56)
let mean = x.mean(over: 0, 2, 3, keepDims: true)
let std = x.std(over: 0, 2, 3, keepDims: true)
let y = (x - mean) / (std + 1e-5)
print(y.explainPlan())

let rows = Tensor.rand(4096, 1024)
let centered = rows - rows.mean(over: 1, keepDims: true)
print((centered / rows.std(over: 1, keepDims: true)).explainPlan())
