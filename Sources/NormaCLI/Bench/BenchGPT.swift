import Norma

// A small language model, as people write it. Benchmarks/training_rows.py has the same in PyTorch.

private final class Attention: Module, Layer {
  private let heads: Int
  private let dropout: Double
  private let qkv: Linear
  private let projection: Linear

  init(_ width: Int, heads: Int, dropout: Double) {
    (self.heads, self.dropout) = (heads, dropout)
    qkv = Linear(width, 3 * width)
    projection = Linear(width, width)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2])
    let parts = qkv(x).reshaped(batch, length, 3, heads, width / heads).permuted(2, 0, 3, 1, 4)
    let mixed = scaledDotProductAttention(
      parts[0], parts[1], parts[2], dropout: dropout, isCausal: true)
    return projection(mixed.permuted(0, 2, 1, 3).reshaped(batch, length, width))
  }
}

final class GPTBlock: Module, Layer {
  private let norm1: LayerNorm
  private let attention: Attention
  private let norm2: LayerNorm
  private let mlp: Sequential

  init(_ width: Int, heads: Int, dropout: Double) {
    norm1 = LayerNorm(width)
    attention = Attention(width, heads: heads, dropout: dropout)
    norm2 = LayerNorm(width)
    mlp = Sequential(
      Linear(width, 4 * width), GELU(), Linear(4 * width, width), Dropout(dropout))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x + attention(norm1(x))
    return y + mlp(norm2(y))
  }
}

/// A decoder of four blocks, for indices `[batch, length]`: scores `[batch * length, tokens]`.
final class SmallGPT: Module, Layer {
  private let tokens: Embedding
  private let positions: Embedding
  private let dropout: Dropout
  private let blocks: Sequential
  private let norm: LayerNorm
  private let head: Linear

  init(tokens count: Int, length: Int, width: Int, heads: Int, dropout share: Double) {
    tokens = Embedding(count, width)
    positions = Embedding(length, width)
    dropout = Dropout(share)
    blocks = Sequential((0..<4).map { _ in GPTBlock(width, heads: heads, dropout: share) })
    norm = LayerNorm(width)
    head = Linear(width, count)
  }

  func callAsFunction(_ text: Tensor) -> Tensor {
    let x = dropout(tokens(text) + positions(Tensor.arange(text.shape[1])))
    return head(norm(blocks(x))).flattened(from: 0, through: 1)
  }
}
