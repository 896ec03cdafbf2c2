import NormaNN
import NormaTensor

// The layers of a decoder of Llama's kind.

final class LlamaLayer: Module {
  let selfAttn: LlamaAttention
  let mlp: LlamaMaps
  let inputLayernorm: RMSNorm
  let postAttentionLayernorm: RMSNorm

  init(_ options: Llama.Options) {
    selfAttn = LlamaAttention(options)
    mlp = LlamaMaps(options)
    inputLayernorm = RMSNorm([options.width], eps: options.normEps)
    postAttentionLayernorm = RMSNorm([options.width], eps: options.normEps)
  }

  func callAsFunction(_ x: Tensor, _ first: Int, _ cache: KeyValueCache?) -> Tensor {
    let y = x + selfAttn(inputLayernorm(x), first, cache)
    return y + mlp(postAttentionLayernorm(y))
  }
}

final class LlamaAttention: Module {
  let qProj: Linear
  let kProj: Linear
  let vProj: Linear
  let oProj: Linear
  let rotary: RotaryEmbedding
  let width: Int

  init(_ options: Llama.Options) {
    width = options.width / options.heads
    let keys = width * options.keyHeads
    qProj = Linear(options.width, options.width, bias: false)
    kProj = Linear(options.width, keys, bias: false)
    vProj = Linear(options.width, keys, bias: false)
    oProj = Linear(options.width, options.width, bias: false)
    rotary = RotaryEmbedding(width, base: options.rotaryBase)
  }

  func callAsFunction(_ x: Tensor, _ first: Int, _ cache: KeyValueCache?) -> Tensor {
    func heads(_ x: Tensor) -> Tensor {
      x.reshaped(x.shape.dropLast() + [-1, width]).permuted(0, 2, 1, 3)
    }
    let mixed = causalAttention(
      rotary(heads(qProj(x)), offset: first), rotary(heads(kProj(x)), offset: first),
      heads(vProj(x)), cache)
    return oProj(mixed.permuted(0, 2, 1, 3).reshaped(x.shape))
  }
}

final class LlamaMaps: Module {
  let gateProj: Linear
  let upProj: Linear
  let downProj: Linear

  init(_ options: Llama.Options) {
    gateProj = Linear(options.width, options.innerWidth, bias: false)
    upProj = Linear(options.width, options.innerWidth, bias: false)
    downProj = Linear(options.innerWidth, options.width, bias: false)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { downProj(gateProj(x).silu() * upProj(x)) }
}
