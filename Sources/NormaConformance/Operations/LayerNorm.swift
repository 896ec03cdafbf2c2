import NormaNN
import NormaTensor

let layerNormOperations: [String: CaseOperation] = [
  "nn.functional.layer_norm": { [try layerNorm($0).output] },
  "native_layer_norm": nativeLayerNorm,
  "nn.functional.rms_norm": functionalRMSNorm,
]

let layerNormModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.LayerNorm": layerNormModule,
  "nn.RMSNorm": rmsNormModule,
]

/// `layer_norm(x, normalized_shape, weight, bias, eps)`, with its arguments.
private func layerNorm(
  _ arguments: CaseArguments
) throws -> (output: Tensor, x: Tensor, axes: [Int], eps: Double) {
  let x = try arguments.tensor(0)
  guard let shape = try arguments.ints(1, "normalized_shape") else {
    throw arguments.missing("normalized_shape")
  }
  let eps = try arguments.double(4, "eps") ?? 1e-5
  let output = try layerNorm(
    x, normalizedShape: shape, weight: try arguments.optionalTensor(2, "weight"),
    bias: try arguments.optionalTensor(3, "bias"), eps: eps, call: "layerNorm(_:normalizedShape:)"
  ).output
  return (output, x, Array(x.shape.indices.suffix(shape.count)), eps)
}

/// The same, which also gives the mean and 1 / std of every sample.
@Sendable private func nativeLayerNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let (output, x, axes, eps) = try layerNorm(arguments)
  let variance = x.variance(over: axes, correction: 0, keepDims: true)
  return [output, x.mean(over: axes, keepDims: true), (variance + eps).rsqrt()]
}

/// `LayerNorm(normalized_shape, eps, elementwise_affine, bias)`
@Sendable private func layerNormModule(_ arguments: CaseArguments) throws -> CaseModule {
  guard let shape = try arguments.ints(0, "normalized_shape") else {
    throw arguments.missing("normalized_shape")
  }
  let layer = LayerNorm(
    shape, eps: try arguments.double(1, "eps") ?? 1e-5,
    elementwiseAffine: try arguments.bool(2, "elementwise_affine") ?? true,
    bias: try arguments.bool(3, "bias") ?? true)
  return CaseModule(layer) { [layer(try $0.tensor(0))] }
}

/// `RMSNorm(normalized_shape, eps, elementwise_affine)`
@Sendable private func rmsNormModule(_ arguments: CaseArguments) throws -> CaseModule {
  guard let shape = try arguments.ints(0, "normalized_shape") else {
    throw arguments.missing("normalized_shape")
  }
  let layer = RMSNorm(
    shape, eps: try arguments.double(1, "eps"),
    elementwiseAffine: try arguments.bool(2, "elementwise_affine") ?? true)
  return CaseModule(layer) { [layer(try $0.tensor(0))] }
}

/// `rms_norm(x, normalized_shape, weight, eps)`
@Sendable private func functionalRMSNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  guard let shape = try arguments.ints(1, "normalized_shape") else {
    throw arguments.missing("normalized_shape")
  }
  return [
    rmsNorm(
      try arguments.tensor(0), normalizedShape: shape,
      weight: try arguments.optionalTensor(2, "weight"), eps: try arguments.double(3, "eps"))
  ]
}
