// What NumPy users write first, in Norma.

import Norma

let x = withSeed(0) { Tensor.rand(6, 3, 8, 8) }  // float32; NumPy's numbers are float64
let y = Tensor([[1.0, 2.0], [3.0, 4.0]])  // np.array([[1.0, 2.0], [3.0, 4.0]])

let means = x.mean(over: 0, 2, 3)  // x.mean(axis=(0, 2, 3))
let spread = x.std(over: 1, correction: 0)  // x.std(axis=1): NumPy divides by n
let kept = x.sum(over: -1, keepDims: true)  // x.sum(axis=-1, keepdims=True)
let rows = x.permuted(1, 0, 2, 3).reshaped(3, -1)  // x.transpose(1, 0, 2, 3).reshape(3, -1)
let every = y[..., AxisSlice(by: 2)]  // y[..., ::2]
let column = y[0..., NewAxis(), 1]  // y[0:, None, 1]
let isLarge = y .> 2  // y > 2
let chosen = Tensor.where(isLarge, y, 0)  // np.where(y > 2, y, 0)
let product = y.matmul(y.transposed())  // y @ y.T
let traces = einsum("...ii", y)  // np.einsum("...ii", y)
let table = y[0].outer(y[1])  // np.outer(y[0], y[1])
let joined = Tensor.concatenated([y, y], over: 1)  // np.concatenate([y, y], axis=1)
let whole = y.cast(to: .int32)  // y.astype(np.int32)
let numbers = y.array(of: [Double].self)  // y.tolist()
let corner = y.item(at: -1, 0)  // y[-1, 0]

for row in y {  // for row in y:
  print(row.sum())
}

print(means.shape, spread.shape, kept.shape, rows.shape, every.shape, column.shape)
print(chosen, product, traces, table, joined.shape, whole, numbers, corner)
