// A small GPT learns a text by characters, and goes on with it.

import Norma

final class Attention: Module, Layer {
  let heads: Int
  let qkv: Linear
  let projection: Linear

  init(_ width: Int, heads: Int) {
    self.heads = heads
    qkv = Linear(width, 3 * width)
    projection = Linear(width, width)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2])
    let parts = qkv(x).reshaped(batch, length, 3, heads, width / heads).permuted(2, 0, 3, 1, 4)
    let mixed = scaledDotProductAttention(parts[0], parts[1], parts[2], isCausal: true)
    return projection(mixed.permuted(0, 2, 1, 3).reshaped(batch, length, width))
  }
}

final class Block: Module, Layer {
  let norm1: LayerNorm
  let attention: Attention
  let norm2: LayerNorm
  let mlp: Sequential

  init(_ width: Int, heads: Int) {
    norm1 = LayerNorm(width)
    attention = Attention(width, heads: heads)
    norm2 = LayerNorm(width)
    mlp = Sequential(Linear(width, 4 * width), GELU(), Linear(4 * width, width), Dropout(0.05))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x + attention(norm1(x))
    return y + mlp(norm2(y))
  }
}

final class GPT: Module, Layer {
  let context: Int
  let tokens: Embedding
  let positions: Embedding
  let blocks: Sequential
  let norm: LayerNorm

  init(characters: Int, context: Int, width: Int, heads: Int, blocks count: Int) {
    self.context = context
    tokens = Embedding(characters, width)
    positions = Embedding(context, width)
    blocks = Sequential((0..<count).map { _ in Block(width, heads: heads) })
    norm = LayerNorm(width)
    super.init()
    for table in [tokens, positions] { table.weight.value = table.weight.value * 0.05 }
  }

  /// Scores `[batch, length, characters]` of what follows each position of `[batch, length]`.
  func callAsFunction(_ text: Tensor) -> Tensor {
    let x = tokens(text) + positions(Tensor.arange(text.shape[1]))
    // The head is the table of tokens again: one parameter, two uses.
    return Tensor.linear(norm(blocks(x)), weight: tokens.weight.value)
  }

  /// `text` and `count` more tokens, drawn among the `best` of each step.
  func continued(_ text: Tensor, count: Int, temperature: Double, best: Int) -> Tensor {
    withoutGradients {
      var text = text
      for _ in 0..<count {
        let seen = text[0..., max(0, text.shape[1] - context)...]
        var scores = self(seen)[0..., -1] / temperature
        let worst = scores.topK(best).values.min(over: -1, keepDims: true)
        scores = Tensor.where(scores .< worst, -Double.infinity, scores)
        text = .concatenated([text, Tensor.categorical(logits: scores).unsqueezed(1)], over: 1)
      }
      return text
    }
  }
}

let text = String(repeating: "norma learns what a text is by reading it. ", count: 30)
let characters = Set(text).sorted()
let numbers = Dictionary(uniqueKeysWithValues: zip(characters, 0...))
let data = Tensor(text.compactMap { numbers[$0].map { Int64($0) } })

manualSeed(0)
let context = 24
let network = GPT(characters: characters.count, context: context, width: 48, heads: 4, blocks: 2)
let optimizer = AdamW(network.parameters, learningRate: 3e-3)
for step in 0..<60 {
  let starts = Tensor.randint([16, 1], low: 0, high: data.count - context)
  let positions = starts + Tensor.arange(context)
  let scores = network(data[positions])
  let loss = crossEntropy(scores.flattened(from: 0, through: 1), data[positions + 1].flattened())
  optimizer.zeroGrad()
  loss.backward()
  try clipGradients(of: network.parameters, norm: 1)
  optimizer.step()
  if step % 20 == 19 { print("step \(step): loss \(loss.item())") }
}

network.eval()
let start = Tensor([[0, 1, 2].map { data[$0].item(as: Int64.self) }] as [[Int64]])
let sample = network.continued(start, count: 80, temperature: 0.8, best: 5)
print(String(sample[0].array(of: Int.self).map { characters[$0] }))
