// What PyTorch users write first, in Norma.

import Norma

manualSeed(0)  // torch.manual_seed(0)
let x = Tensor.rand(6, 3, 8, 8)  // torch.rand(6, 3, 8, 8), the same numbers

let channelMean = x.mean(over: 0, 2, 3)  // x.mean(dim=(0, 2, 3))
let biased = x.variance(over: 1, correction: 0)  // x.var(dim=1, correction=0)
let rows = x.permuted(1, 0, 2, 3).reshaped(3, -1)  // x.permute(1, 0, 2, 3).reshape(3, -1)
let first = x[0, ..., 1..<3]  // x[0, ..., 1:3]
let isLarge = x .> 0.5  // x > 0.5
let kept = Tensor.where(isLarge, x, 0)  // torch.where(x > 0.5, x, 0)
let half = x.cast(to: .float16)  // x.half()
let largest = x.max().item()  // x.max().item()
let numbers = x.array(of: Float.self)  // x.flatten().tolist()

let bn = BatchNorm2d(3)  // nn.BatchNorm2d(3)
let trained = bn(x)  // bn(x)
bn.eval()  // bn.eval()
let state = bn.stateDict()  // bn.state_dict()

let parts = [x[0..<2], x[2..<6]].map { $0.moments(over: 0, 2, 3) }
if let whole = parts[0].merged(with: parts[1]) {
  print(whole.count, whole.mean, whole.variance())
}

print(channelMean, biased.shape, rows.shape, first.shape, kept.summary, half.dtype)
print(largest, numbers.count, trained.summary, state.keys.sorted())

do {
  let answer = try catchingTensorErrors { x.mean(over: 4).item() }
  print(answer)
} catch {
  print(error)
}

let generated = withSeed(42) { Tensor.randn(2, 3) }
print(generated)
