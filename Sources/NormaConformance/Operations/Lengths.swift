import NormaNN
import NormaTensor

// Lengths of vectors, normalization by length, and norms across channels.

let lengthOperations: [String: CaseOperation] = [
  "norm": norm,
  "norm@fro": norm,
  "norm@inf": norm,
  "linalg.vector_norm": vectorNorm,
  "nn.functional.normalize": functionalNormalize,
  "nn.functional.local_response_norm": functionalLocalResponseNorm,
]

let lengthModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.LocalResponseNorm": localResponseNormModule
]

/// `norm(x, p, dim, keepdim)`
@Sendable private func norm(_ arguments: CaseArguments) throws -> [Tensor] {
  try length(arguments, "p")
}

/// `vector_norm(x, ord, dim, keepdim)`
@Sendable private func vectorNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  try length(arguments, "ord")
}

private func length(_ arguments: CaseArguments, _ name: String) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  return [
    x.norm(
      try arguments.double(1, name) ?? 2, over: try arguments.axes(2, of: x),
      keepDims: try arguments.bool(3, "keepdim") ?? false)
  ]
}

/// `normalize(x, p, dim, eps)`
@Sendable private func functionalNormalize(_ arguments: CaseArguments) throws -> [Tensor] {
  [
    Tensor.normalize(
      try arguments.tensor(0), p: try arguments.double(1, "p") ?? 2,
      axis: try arguments.int(2, "dim") ?? 1, eps: try arguments.double(3, "eps") ?? 1e-12)
  ]
}

/// `local_response_norm(x, size, alpha, beta, k)`
@Sendable private func functionalLocalResponseNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  guard let size = try arguments.int(1, "size") else { throw arguments.missing("size") }
  return [
    localResponseNorm(
      try arguments.tensor(0), size: size, alpha: try arguments.double(2, "alpha") ?? 1e-4,
      beta: try arguments.double(3, "beta") ?? 0.75, k: try arguments.double(4, "k") ?? 1)
  ]
}

/// `LocalResponseNorm(size, alpha, beta, k)`
@Sendable private func localResponseNormModule(_ arguments: CaseArguments) throws -> CaseModule {
  guard let size = try arguments.int(0, "size") else { throw arguments.missing("size") }
  let layer = LocalResponseNorm(
    size, alpha: try arguments.double(1, "alpha") ?? 1e-4,
    beta: try arguments.double(2, "beta") ?? 0.75, k: try arguments.double(3, "k") ?? 1)
  return CaseModule(layer) { [layer(try $0.tensor(0))] }
}
