import NormaNN
import NormaTensor

let transformerModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.MultiheadAttention": multiheadAttentionModule,
  "nn.TransformerEncoderLayer": encoderLayerModule,
  "nn.TransformerDecoderLayer": decoderLayerModule,
  "nn.Transformer": transformerModule,
]

/// `MultiheadAttention(embed_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim,
/// batch_first)`
@Sendable private func multiheadAttentionModule(_ arguments: CaseArguments) throws -> CaseModule {
  guard let width = try arguments.int(0, "embed_dim"),
    let heads = try arguments.int(1, "num_heads")
  else { throw arguments.missing("embed_dim or num_heads") }
  let layer = MultiheadAttention(
    width, heads, dropout: try arguments.double(2, "dropout") ?? 0,
    bias: try arguments.bool(3, "bias") ?? true,
    addBiasKV: try arguments.bool(4, "add_bias_kv") ?? false,
    addZeroAttn: try arguments.bool(5, "add_zero_attn") ?? false,
    kdim: try arguments.int(6, "kdim"), vdim: try arguments.int(7, "vdim"),
    batchFirst: try arguments.bool(8, "batch_first") ?? false)
  return CaseModule(layer) { call in
    let result = layer(
      try call.tensor(0, "query"), try call.tensor(1, "key"), try call.tensor(2, "value"),
      keyPaddingMask: try call.optionalTensor(3, "key_padding_mask"),
      needsWeights: try call.bool(4, "need_weights") ?? true,
      mask: try call.optionalTensor(5, "attn_mask"),
      averagesWeights: try call.bool(6, "average_attn_weights") ?? true,
      isCausal: try call.bool(7, "is_causal") ?? false)
    return [result.output] + (result.weights.map { [$0] } ?? [])
  }
}

/// `dim_feedforward, dropout, activation` from a position on, then, after `skipped` others,
/// `layer_norm_eps, batch_first, norm_first, bias`.
private func options(
  _ arguments: CaseArguments, from first: Int, skipping skipped: Int = 0
) throws -> TransformerOptions {
  let activation = try arguments.text(first + 2, "activation") ?? "relu"
  guard ["relu", "gelu"].contains(activation) else {
    throw CaseObstacle.notWritable("activation \(activation)")
  }
  let rest = first + 3 + skipped
  return TransformerOptions(
    dimFeedforward: try arguments.int(first, "dim_feedforward") ?? 2048,
    dropout: try arguments.double(first + 1, "dropout") ?? 0.1,
    activation: activation == "relu" ? .relu : .gelu,
    layerNormEps: try arguments.double(rest, "layer_norm_eps") ?? 1e-5,
    batchFirst: try arguments.bool(rest + 1, "batch_first") ?? false,
    normFirst: try arguments.bool(rest + 2, "norm_first") ?? false,
    bias: try arguments.bool(rest + 3, "bias") ?? true)
}

private func sizes(_ arguments: CaseArguments) throws -> (width: Int, heads: Int) {
  guard let width = try arguments.int(0, "d_model"), let heads = try arguments.int(1, "nhead")
  else { throw arguments.missing("d_model or nhead") }
  return (width, heads)
}

/// `TransformerEncoderLayer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
/// batch_first, norm_first, bias)`
@Sendable private func encoderLayerModule(_ arguments: CaseArguments) throws -> CaseModule {
  let (width, heads) = try sizes(arguments)
  let layer = TransformerEncoderLayer(width, heads, try options(arguments, from: 2))
  return CaseModule(layer) { call in
    [
      layer(
        try call.tensor(0, "src"), mask: try call.optionalTensor(1, "src_mask"),
        keyPaddingMask: try call.optionalTensor(2, "src_key_padding_mask"),
        isCausal: try call.bool(3, "is_causal") ?? false)
    ]
  }
}

/// `TransformerDecoderLayer(...)`, with the options of the encoder's layer.
@Sendable private func decoderLayerModule(_ arguments: CaseArguments) throws -> CaseModule {
  let (width, heads) = try sizes(arguments)
  let layer = TransformerDecoderLayer(width, heads, try options(arguments, from: 2))
  return CaseModule(layer) { call in
    [
      layer(
        try call.tensor(0, "tgt"), try call.tensor(1, "memory"),
        mask: try call.optionalTensor(2, "tgt_mask"),
        memoryMask: try call.optionalTensor(3, "memory_mask"),
        keyPaddingMask: try call.optionalTensor(4, "tgt_key_padding_mask"),
        memoryKeyPaddingMask: try call.optionalTensor(5, "memory_key_padding_mask"),
        isCausal: try call.bool(6, "tgt_is_causal") ?? false,
        memoryIsCausal: try call.bool(7, "memory_is_causal") ?? false)
    ]
  }
}

/// `Transformer(d_model, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout,
/// activation, custom_encoder, custom_decoder, layer_norm_eps, batch_first, norm_first, bias)`
@Sendable private func transformerModule(_ arguments: CaseArguments) throws -> CaseModule {
  let module = Transformer(
    try arguments.int(0, "d_model") ?? 512, try arguments.int(1, "nhead") ?? 8,
    numEncoderLayers: try arguments.int(2, "num_encoder_layers") ?? 6,
    numDecoderLayers: try arguments.int(3, "num_decoder_layers") ?? 6,
    try options(arguments, from: 4, skipping: 2))
  return CaseModule(module) { call in
    [
      module(
        try call.tensor(0, "src"), try call.tensor(1, "tgt"),
        sourceMask: try call.optionalTensor(2, "src_mask"),
        targetMask: try call.optionalTensor(3, "tgt_mask"),
        memoryMask: try call.optionalTensor(4, "memory_mask"),
        sourceKeyPaddingMask: try call.optionalTensor(5, "src_key_padding_mask"),
        targetKeyPaddingMask: try call.optionalTensor(6, "tgt_key_padding_mask"),
        memoryKeyPaddingMask: try call.optionalTensor(7, "memory_key_padding_mask"),
        targetIsCausal: try call.bool(9, "tgt_is_causal") ?? false)
    ]
  }
}
