// The same bits on any number of threads, and what keeps its digits.

import Norma

manualSeed(0)
let x = Tensor.randn(64, 3, 56, 56)

// One thread and two give the same bits, fused or step by step.
let together = withThreads(2) { ((x - x.mean()) / x.std()).exp().sum() }
let alone = withThreads(1) {
  let centered = (x - x.mean()).evaluated()
  return (centered / x.std()).evaluated().exp().evaluated().sum()
}
print(together.isEqual(to: alone))  // true

// A sum of ten million 16-bit numbers is rounded once, at its end.
let ones = Tensor.ones(10_000_000, dtype: .bfloat16)
print(ones.sum(), ones.mean())

// A constant has no variance, and a constant channel comes out as exactly the bias.
let constant = Tensor.full([1000], Float(0.1))
print(constant.variance())  // 0
print(BatchNorm1d(1)(constant.reshaped(-1, 1)).abs().max())  // 0

// Data that are far from zero keep their digits.
let far = Tensor.randn(10_000) + Float(1e7)
let exact = far.cast(to: .float64).std()
print((far.std().cast(to: .float64) / exact - 1).abs().item() < 1e-6)  // true

// The generator is the one of PyTorch's CPU.
manualSeed(42)
print(Tensor.randn(3))  // torch.manual_seed(42); torch.randn(3)
