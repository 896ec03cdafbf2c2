import NormaNN
import NormaTensor

// Norms of single samples: group and instance norm.

let groupedNormOperations: [String: CaseOperation] = [
  "nn.functional.group_norm": functionalGroupNorm,
  "native_group_norm": nativeGroupNorm,
  "nn.functional.instance_norm": functionalInstanceNorm,
]

let groupedNormModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.GroupNorm": groupNormModule,
  "nn.InstanceNorm1d": instanceNormModule(InstanceNorm1d.self),
  "nn.InstanceNorm2d": instanceNormModule(InstanceNorm2d.self),
  "nn.InstanceNorm3d": instanceNormModule(InstanceNorm3d.self),
]

/// `group_norm(x, num_groups, weight, bias, eps)`
@Sendable private func functionalGroupNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  guard let groups = try arguments.int(1, "num_groups") else {
    throw arguments.missing("num_groups")
  }
  return [
    groupNorm(
      try arguments.tensor(0), groups: groups,
      weight: try arguments.optionalTensor(2, "weight"),
      bias: try arguments.optionalTensor(3, "bias"), eps: try arguments.double(4, "eps") ?? 1e-5)
  ]
}

/// `native_group_norm(x, weight, bias, N, C, HxW, group, eps)`, which also gives mean and 1 / std.
@Sendable private func nativeGroupNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  _ = (try arguments.int(3, "N"), try arguments.int(4, "C"), try arguments.int(5, "HxW"))
  guard let groups = try arguments.int(6, "group") else { throw arguments.missing("group") }
  let eps = try arguments.double(7, "eps") ?? 1e-5
  let output = groupNorm(
    x, groups: groups, weight: try arguments.optionalTensor(1, "weight"),
    bias: try arguments.optionalTensor(2, "bias"), eps: eps)
  let split = x.reshaped([x.shape[0], groups, x.shape[1] / groups] + x.shape.dropFirst(2))
  let axes = Array(2..<split.rank)
  let variance = split.variance(over: axes, correction: 0)
  return [output, split.mean(over: axes), (variance + eps).rsqrt()]
}

/// `GroupNorm(num_groups, num_channels, eps, affine, bias)`
@Sendable private func groupNormModule(_ arguments: CaseArguments) throws -> CaseModule {
  guard let groups = try arguments.int(0, "num_groups"),
    let channels = try arguments.int(1, "num_channels")
  else { throw arguments.missing("num_groups, num_channels") }
  let layer = GroupNorm(
    groups, channels, eps: try arguments.double(2, "eps") ?? 1e-5,
    affine: try arguments.bool(3, "affine") ?? true,
    bias: try arguments.bool(nil, "bias") ?? true)
  return CaseModule(layer) { [layer(try $0.tensor(0))] }
}

/// `instance_norm(x, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)`
@Sendable private func functionalInstanceNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  let means = try arguments.optionalTensor(1, "running_mean")
  let variances = try arguments.optionalTensor(2, "running_var")
  let momentum = try arguments.double(6, "momentum") ?? 0.1
  let (output, statistics) = try instanceNorm(
    x, channelAxis: 1, runningMean: means, runningVar: variances,
    weight: try arguments.optionalTensor(3, "weight"),
    bias: try arguments.optionalTensor(4, "bias"),
    useInputStats: try arguments.bool(5, "use_input_stats") ?? true,
    eps: try arguments.double(7, "eps") ?? 1e-5, call: "instanceNorm(_:)")
  func leave(_ old: Tensor?, _ new: Tensor?, as name: String, at place: Int) {
    guard let old else { return }
    let mean = new?.mean(over: 0).flattened() ?? old
    let moved = (old.cast(to: .float64) * (1 - momentum) + mean * momentum).cast(to: old.dtype)
    for key in ["in.\(place)", "kw.\(name)"] { arguments.mutated[key] = moved }
  }
  leave(means, statistics?.mean, as: "running_mean", at: 1)
  leave(variances, statistics?.unbiasedVariance, as: "running_var", at: 2)
  return [output]
}

/// `InstanceNorm(num_features, eps, momentum, affine, track_running_stats, bias)`
private func instanceNormModule<Norm: InstanceNorm>(
  _ type: Norm.Type
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    guard let features = try arguments.int(0, "num_features") else {
      throw arguments.missing("num_features")
    }
    var momentum = try arguments.double(2, "momentum") ?? 0.1
    if case .some(.none) = arguments.value(2, "momentum") { momentum = 0 }
    let layer = type.init(
      features, eps: try arguments.double(1, "eps") ?? 1e-5, momentum: .pytorch(momentum),
      affine: try arguments.bool(3, "affine") ?? false,
      bias: try arguments.bool(nil, "bias") ?? true,
      trackRunningStats: try arguments.bool(4, "track_running_stats") ?? false)
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}
