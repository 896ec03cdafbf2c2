// Drawing from scores, as a language model does: with a temperature, among the best.

import Norma

manualSeed(0)
let logits = Tensor.randn(4, 50)  // a row of scores for each text
let (temperature, best) = (0.8, 10)

var scores = logits / temperature
let worst = scores.topK(best).values.min(over: -1, keepDims: true)
scores = Tensor.where(scores .< worst, -Double.infinity, scores)
let next = Tensor.categorical(logits: scores)
print(next)

// By weight, some of each row, none twice.
let weights = Tensor([[1, 2, 3], [0, 1, 1]] as [[Float]])
print(Tensor.multinomial(weights, count: 2))
