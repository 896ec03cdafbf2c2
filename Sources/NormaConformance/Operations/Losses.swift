import NormaNN
import NormaTensor

let lossOperations: [String: CaseOperation] = [
  "nn.functional.mse_loss": loss { mseLoss($0, $1, reduction: $2) },
  "nn.functional.l1_loss": loss { l1Loss($0, $1, reduction: $2) },
  "nn.functional.soft_margin_loss": loss { softMarginLoss($0, $1, reduction: $2) },
  "nn.functional.smooth_l1_loss": { arguments in
    let beta = try arguments.double(nil, "beta") ?? 1
    return try loss { smoothL1Loss($0, $1, beta: beta, reduction: $2) }(arguments)
  },
  "nn.functional.huber_loss": { arguments in
    let delta = try arguments.double(nil, "delta") ?? 1
    return try loss { huberLoss($0, $1, delta: delta, reduction: $2) }(arguments)
  },
  "nn.functional.binary_cross_entropy": { arguments in
    let weight = try arguments.optionalTensor(2, "weight")
    return try loss { binaryCrossEntropy($0, $1, weight: weight, reduction: $2) }(arguments)
  },
  "nn.functional.binary_cross_entropy_with_logits": { arguments in
    let weight = try arguments.optionalTensor(2, "weight")
    let posWeight = try arguments.optionalTensor(nil, "pos_weight")
    return try loss {
      binaryCrossEntropyWithLogits($0, $1, weight: weight, posWeight: posWeight, reduction: $2)
    }(arguments)
  },
  "nn.functional.kl_div": { arguments in
    let isLog = try arguments.bool(nil, "log_target") ?? false
    let batch = try arguments.text("reduction") == "batchmean"
    let x = try arguments.tensor(0)
    let result = try loss(reductions: ["batchmean": .sum]) {
      klDivergence($0, $1, logTarget: isLog, reduction: $2)
    }(arguments)
    return batch ? [result[0] / Double(x.shape.first ?? 1)] : result
  },
  "nn.functional.hinge_embedding_loss": { arguments in
    let margin = try arguments.double(nil, "margin") ?? 1
    return try loss { hingeEmbeddingLoss($0, $1, margin: margin, reduction: $2) }(arguments)
  },
  "nn.functional.cosine_embedding_loss": ofThree { a, b, y, margin, reduction in
    cosineEmbeddingLoss(a, b, y, margin: margin ?? 0, reduction: reduction)
  },
  "nn.functional.margin_ranking_loss": ofThree { a, b, y, margin, reduction in
    marginRankingLoss(a, b, y, margin: margin ?? 0, reduction: reduction)
  },
  "nn.functional.triplet_margin_loss": { arguments in
    let swap = try arguments.bool(nil, "swap") ?? false
    return try ofThree { anchor, near, far, margin, reduction in
      tripletMarginLoss(anchor, near, far, margin: margin ?? 1, swap: swap, reduction: reduction)
    }(arguments)
  },
  "nn.functional.nll_loss": { arguments in
    let weight = try arguments.optionalTensor(2, "weight")
    let ignored = try arguments.int(nil, "ignore_index") ?? -100
    return try loss {
      nllLoss($0, $1, weight: weight, ignoreIndex: ignored, reduction: $2)
    }(arguments)
  },
  "nn.functional.cross_entropy": { arguments in
    let weight = try arguments.optionalTensor(2, "weight")
    let ignored = try arguments.int(nil, "ignore_index") ?? -100
    let smoothing = try arguments.double(nil, "label_smoothing") ?? 0
    return try loss {
      crossEntropy(
        $0, $1, weight: weight, ignoreIndex: ignored, labelSmoothing: smoothing, reduction: $2)
    }(arguments)
  },
]

private typealias Loss = @Sendable (Tensor, Tensor, LossReduction) throws -> Tensor

extension CaseArguments {
  func reduction(
    _ more: [String: LossReduction] = [:]
  ) throws -> LossReduction {
    switch try text("reduction") {
    case nil, "mean": return .mean
    case "sum": return .sum
    case "none": return .none
    case let name?:
      guard let reduction = more[name] else { throw TensorError("reduction", name) }
      return reduction
    }
  }
}

private func loss(
  reductions: [String: LossReduction] = [:],
  _ function: @escaping (Tensor, Tensor, LossReduction) throws -> Tensor
) -> (CaseArguments) throws -> [Tensor] {
  { arguments in
    [
      try function(
        try arguments.tensor(0), try arguments.tensor(1, "target"),
        try arguments.reduction(reductions))
    ]
  }
}

private func loss(
  _ function: @escaping @Sendable (Tensor, Tensor, LossReduction) throws -> Tensor
) -> CaseOperation {
  { arguments in
    [
      try function(
        try arguments.tensor(0), try arguments.tensor(1, "target"), try arguments.reduction())
    ]
  }
}

private func ofThree(
  _ function: @escaping @Sendable (Tensor, Tensor, Tensor, Double?, LossReduction) -> Tensor
) -> CaseOperation {
  { arguments in
    [
      function(
        try arguments.tensor(0), try arguments.tensor(1, "other"), try arguments.tensor(2, "y"),
        try arguments.double(nil, "margin"), try arguments.reduction())
    ]
  }
}

let lossModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.MSELoss": lossModule("mse_loss"), "nn.L1Loss": lossModule("l1_loss"),
  "nn.SmoothL1Loss": lossModule("smooth_l1_loss"), "nn.HuberLoss": lossModule("huber_loss"),
  "nn.BCELoss": lossModule("binary_cross_entropy"),
  "nn.BCEWithLogitsLoss": lossModule("binary_cross_entropy_with_logits"),
  "nn.KLDivLoss": lossModule("kl_div"), "nn.NLLLoss": lossModule("nll_loss"),
  "nn.CrossEntropyLoss": lossModule("cross_entropy"),
  "nn.CosineEmbeddingLoss": lossModule("cosine_embedding_loss"),
  "nn.HingeEmbeddingLoss": lossModule("hinge_embedding_loss"),
  "nn.MarginRankingLoss": lossModule("margin_ranking_loss"),
  "nn.SoftMarginLoss": lossModule("soft_margin_loss"),
]

/// PyTorch's loss modules are the functions with the constructor's options; Norma has the
/// functions.
func lossModule(
  _ name: String
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { options in
    guard let function = operations["nn.functional.\(name)"] else {
      throw CaseObstacle.unsupported(name)
    }
    options.readEverything()
    return CaseModule(
      call: { try function($0.with(options)) }, load: { _, _ in }, state: { [:] },
      gradient: { _ in nil }, setTraining: { _ in })
  }
}
