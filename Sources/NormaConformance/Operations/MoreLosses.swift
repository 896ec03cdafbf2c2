import NormaNN
import NormaTensor

// Likelihoods, margins, attention and pooling by powers.

let moreLossOperations: [String: CaseOperation] = [
  "nn.functional.gaussian_nll_loss": { arguments in
    [
      gaussianNLLLoss(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        variance: try arguments.tensor(2, "var"), full: try arguments.bool(nil, "full") ?? false,
        eps: try arguments.double(nil, "eps") ?? 1e-6, reduction: try arguments.reduction())
    ]
  },
  "nn.functional.poisson_nll_loss": { arguments in
    [
      poissonNLLLoss(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        logInput: try arguments.bool(nil, "log_input") ?? true,
        full: try arguments.bool(nil, "full") ?? false,
        eps: try arguments.double(nil, "eps") ?? 1e-8, reduction: try arguments.reduction())
    ]
  },
  "nn.functional.multi_margin_loss": { arguments in
    [
      multiMarginLoss(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        p: try arguments.int(nil, "p") ?? 1, margin: try arguments.double(nil, "margin") ?? 1,
        weight: try arguments.optionalTensor(nil, "weight"),
        reduction: try arguments.reduction())
    ]
  },
  "nn.functional.multilabel_margin_loss": { arguments in
    [
      multiLabelMarginLoss(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        reduction: try arguments.reduction())
    ]
  },
  "nn.functional.multilabel_soft_margin_loss": { arguments in
    [
      multiLabelSoftMarginLoss(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        weight: try arguments.optionalTensor(nil, "weight"),
        reduction: try arguments.reduction())
    ]
  },
  "nn.functional.cosine_similarity": { arguments in
    [
      cosineSimilarity(
        try arguments.tensor(0), try arguments.tensor(1),
        over: try arguments.int(2, "dim") ?? 1, eps: try arguments.double(3, "eps") ?? 1e-8)
    ]
  },
  "nn.functional.scaled_dot_product_attention": { arguments in
    let (query, key) = (try arguments.tensor(0), try arguments.tensor(1))
    let value = try arguments.tensor(2)
    let mask = try arguments.optionalTensor(3, "attn_mask")
    let dropout = try arguments.double(4, "dropout_p") ?? 0
    let isCausal = try arguments.bool(5, "is_causal") ?? false
    let scale = try arguments.double(nil, "scale")
    let enableGQA = try arguments.bool(nil, "enable_gqa") ?? false
    // PyTorch's samples of random operations set this seed before each call.
    return withSeed(42) {
      [
        scaledDotProductAttention(
          query, key, value, mask: mask, dropout: dropout, isCausal: isCausal, scale: scale,
          enableGQA: enableGQA)
      ]
    }
  },
  "nn.functional.lp_pool1d": powerPool {
    lpPool1d($0, p: $1, kernelSize: $2, stride: $3, ceilMode: $4)
  },
  "nn.functional.lp_pool2d": powerPool {
    lpPool2d($0, p: $1, kernelSize: $2, stride: $3, ceilMode: $4)
  },
  "nn.functional.lp_pool3d": powerPool {
    lpPool3d($0, p: $1, kernelSize: $2, stride: $3, ceilMode: $4)
  },
]

/// `lp_pool(x, norm_type, kernel_size, stride, ceil_mode)`
private func powerPool(
  _ pool: @escaping @Sendable (Tensor, Double, Extents, Extents?, Bool) -> Tensor
) -> CaseOperation {
  { arguments in
    guard let p = try arguments.double(1, "norm_type") else {
      throw arguments.missing("norm_type")
    }
    return [
      pool(
        try arguments.tensor(0), p, try arguments.neededExtents(2, "kernel_size"),
        try arguments.extents(3, "stride"), try arguments.bool(4, "ceil_mode") ?? false)
    ]
  }
}

let moreLossModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.GaussianNLLLoss": lossModule("gaussian_nll_loss"),
  "nn.PoissonNLLLoss": lossModule("poisson_nll_loss"),
  "nn.MultiMarginLoss": lossModule("multi_margin_loss"),
  "nn.MultiLabelMarginLoss": lossModule("multilabel_margin_loss"),
  "nn.MultiLabelSoftMarginLoss": lossModule("multilabel_soft_margin_loss"),
  "nn.LPPool1d": powerPoolModule { LPPool1d($0, kernelSize: $1, stride: $2, ceilMode: $3) },
  "nn.LPPool2d": powerPoolModule { LPPool2d($0, kernelSize: $1, stride: $2, ceilMode: $3) },
  "nn.LPPool3d": powerPoolModule { LPPool3d($0, kernelSize: $1, stride: $2, ceilMode: $3) },
]

/// `LPPool(norm_type, kernel_size, stride, ceil_mode)`
private func powerPoolModule(
  _ make: @escaping @Sendable (Double, Extents, Extents?, Bool) -> LPPool
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    guard let p = try arguments.double(0, "norm_type") else {
      throw arguments.missing("norm_type")
    }
    let layer = make(
      p, try arguments.neededExtents(1, "kernel_size"), try arguments.extents(2, "stride"),
      try arguments.bool(3, "ceil_mode") ?? false)
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}
