import NormaNN
import NormaTensor

let tableOperations: [String: CaseOperation] = [
  // PyTorch's sampler passes the table first.
  "nn.functional.embedding": { arguments in
    guard try arguments.double(nil, "max_norm") == nil else {
      throw CaseObstacle.unsupported("max_norm")
    }
    if try arguments.bool(nil, "scale_grad_by_freq") ?? false {
      throw CaseObstacle.unsupported("scale_grad_by_freq")
    }
    return [
      Tensor.embedding(
        try arguments.tensor(1), weight: try arguments.tensor(0),
        paddingIndex: try arguments.int(nil, "padding_idx"))
    ]
  },
  "nn.functional.bilinear": { arguments in
    [
      bilinear(
        try arguments.tensor(0), try arguments.tensor(1), weight: try arguments.tensor(2),
        bias: try arguments.optionalTensor(3, "bias"))
    ]
  },
  "nn.functional.pairwise_distance": { arguments in
    [
      pairwiseDistance(
        try arguments.tensor(0), try arguments.tensor(1), p: try arguments.double(2, "p") ?? 2,
        eps: try arguments.double(3, "eps") ?? 1e-6,
        keepDims: try arguments.bool(4, "keepdim") ?? false)
    ]
  },
]

let tableModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.Embedding": { arguments in
    guard let rows = try arguments.int(0, "num_embeddings"),
      let features = try arguments.int(1, "embedding_dim")
    else { throw arguments.missing("num_embeddings, embedding_dim") }
    let layer = Embedding(rows, features, paddingIndex: try arguments.int(2, "padding_idx"))
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  },
  "nn.Bilinear": { arguments in
    guard let first = try arguments.int(0, "in1_features"),
      let second = try arguments.int(1, "in2_features"),
      let outputs = try arguments.int(2, "out_features")
    else { throw arguments.missing("in1_features, in2_features, out_features") }
    let layer = Bilinear(first, second, outputs, bias: try arguments.bool(3, "bias") ?? true)
    return CaseModule(layer) { [layer(try $0.tensor(0), try $0.tensor(1))] }
  },
]
