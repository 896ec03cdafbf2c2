import NormaNN
import NormaTensor

let normalizationOperations: [String: CaseOperation] = [
  "nn.functional.batch_norm": functionalBatchNorm,
  "native_batch_norm": nativeBatchNorm,
  "_native_batch_norm_legit": nativeBatchNorm,
]

let normalizationModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.BatchNorm1d": batchNormModule { features, options in
    BatchNorm1d(
      features, eps: options.eps, momentum: .pytorch(options.momentum), affine: options.affine,
      bias: options.bias, trackRunningStats: options.trackRunningStats)
  },
  "nn.BatchNorm2d": batchNormModule { features, options in
    BatchNorm2d(
      features, eps: options.eps, momentum: .pytorch(options.momentum), affine: options.affine,
      bias: options.bias, trackRunningStats: options.trackRunningStats)
  },
  "nn.BatchNorm3d": batchNormModule { features, options in
    BatchNorm3d(
      features, eps: options.eps, momentum: .pytorch(options.momentum), affine: options.affine,
      bias: options.bias, trackRunningStats: options.trackRunningStats)
  },
]

/// Both functional forms: the normalized batch, and the updated running statistics.
private struct BatchNormCall {
  let x: Tensor
  let running: (mean: Tensor, variance: Tensor)?
  let weight: Tensor?
  let bias: Tensor?
  let training: Bool
  let momentum: Double
  let eps: Double

  /// The result, and the statistics that normalized it in training.
  func callAsFunction(
    _ arguments: CaseArguments, at place: Int
  ) throws -> (output: Tensor, statistics: NormalizationStatistics?) {
    let (output, statistics) = try batchNorm(
      x, runningMean: running?.mean, runningVar: running?.variance, weight: weight, bias: bias,
      training: training, eps: eps, call: "batchNorm(_:)")
    if training, let running, let statistics {
      arguments.mutated["in.\(place)"] = moved(running.mean, statistics.mean)
      arguments.mutated["in.\(place + 1)"] = moved(running.variance, statistics.unbiasedVariance)
    } else if let running {
      arguments.mutated["in.\(place)"] = running.mean
      arguments.mutated["in.\(place + 1)"] = running.variance
    }
    return (output, statistics)
  }

  private func moved(_ old: Tensor, _ new: Tensor) -> Tensor {
    let target = new.reshaped(old.shape)
    return (old.cast(to: .float64) * (1 - momentum) + target * momentum).cast(to: old.dtype)
  }
}

private func pair(_ mean: Tensor?, _ variance: Tensor?) -> (mean: Tensor, variance: Tensor)? {
  mean.flatMap { mean in variance.map { (mean, $0) } }
}

/// `batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)`
@Sendable private func functionalBatchNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let running = pair(
    try arguments.optionalTensor(1, "running_mean"), try arguments.optionalTensor(2, "running_var"))
  let call = BatchNormCall(
    x: try arguments.tensor(0), running: running,
    weight: try arguments.optionalTensor(3, "weight"),
    bias: try arguments.optionalTensor(4, "bias"),
    training: try arguments.bool(5, "training") ?? false,
    momentum: try arguments.double(6, "momentum") ?? 0.1,
    eps: try arguments.double(7, "eps") ?? 1e-5)
  return [try call(arguments, at: 1).output]
}

/// `native_batch_norm(x, weight, bias, running_mean, running_var, training, momentum, eps)`, which
/// also returns mean and 1 / std of the batch, or empty tensors in evaluation. One form of it has
/// no running statistics.
@Sendable private func nativeBatchNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  var hasRunning = true
  if case .bool = arguments.value(3, "training") { hasRunning = false }
  let next = hasRunning ? 5 : 3
  let running =
    hasRunning
    ? pair(
      try arguments.optionalTensor(3, "running_mean"),
      try arguments.optionalTensor(4, "running_var")) : nil
  let call = BatchNormCall(
    x: try arguments.tensor(0), running: running,
    weight: try arguments.optionalTensor(1, "weight"),
    bias: try arguments.optionalTensor(2, "bias"),
    training: try arguments.bool(next, "training") ?? false,
    momentum: try arguments.double(next + 1, "momentum") ?? 0.1,
    eps: try arguments.double(next + 2, "eps") ?? 1e-5)
  let (output, statistics) = try call(arguments, at: 3)
  guard let statistics else { return [output, .zeros([0]), .zeros([0])] }
  return [
    output, statistics.mean.flattened().cast(to: .float32),
    (statistics.variance + call.eps).rsqrt().flattened().cast(to: .float32),
  ]
}

/// The options after the number of features: `eps, momentum, affine, track_running_stats, bias`.
private struct BatchNormOptions {
  let eps: Double
  /// Nil for the mean of all batches.
  let momentum: Double?
  let affine: Bool
  let trackRunningStats: Bool
  let bias: Bool

  init(_ arguments: CaseArguments) throws {
    eps = try arguments.double(1, "eps") ?? 1e-5
    if case .some(.none) = arguments.value(2, "momentum") {
      momentum = nil
    } else {
      momentum = try arguments.double(2, "momentum") ?? 0.1
    }
    affine = try arguments.bool(3, "affine") ?? true
    trackRunningStats = try arguments.bool(4, "track_running_stats") ?? true
    bias = try arguments.bool(nil, "bias") ?? true
  }
}

private func batchNormModule(
  _ make: @escaping @Sendable (Int, BatchNormOptions) -> BatchNorm
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    guard let features = try arguments.int(0, "num_features") else {
      throw arguments.missing("num_features")
    }
    let layer = make(features, try BatchNormOptions(arguments))
    return CaseModule(
      call: { [layer(try $0.tensor(0))] },
      load: { name, tensor in
        switch name {
        case "weight": layer.weight?.value = tensor
        case "bias": layer.bias?.value = tensor
        case "running_mean": layer.runningMean?.value = tensor
        case "running_var": layer.runningVar?.value = tensor
        case "num_batches_tracked": layer.numBatchesTracked?.value = tensor
        default: throw CaseObstacle.unreadable("the state has \(name)")
        }
      },
      state: { layer.stateDict() },
      gradient: { ($0 == "weight" ? layer.weight : layer.bias)?.grad },
      setTraining: { $0 ? layer.train() : layer.eval() })
  }
}
