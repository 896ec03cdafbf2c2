import NormaTensor

/// A copy of the network with its channel norms converted to another kind.
///
///     let (small, report) = convertNorms(in: network, to: .group(32))
///
/// Converts batch norm in all its forms, frozen batch norm and group norm, in the sequence and in
/// nested sequences. The other layers are shared with the network, which does not change.
///
/// | from | to | what is kept |
/// |---|---|---|
/// | batch, ghost, split | each other | all; a split's first part, or all parts alike |
/// | any of these | frozen | the result in evaluation, permanently |
/// | frozen | batch, ghost, split | all; parameters can be trained again |
/// | any of these | group | weight, bias and eps: another function, which needs training |
/// | group | batch, ghost, split | weight, bias and eps; running statistics must be recomputed |
///
/// Settings of batch norm layers, such as ``BatchNorm/statistics`` and momentum, are kept. Norms
/// inside modules other than ``Sequential`` are not converted, and the report names them;
/// ``convertNorms(inside:to:)`` converts these in place.
///
/// - Parameters:
///   - model: The network.
///   - kind: The kind to convert to.
/// - Returns: The converted network, whose converted layers have parameters of their own and so
///   need a new optimizer, and what was done.
/// - PyTorch has `SyncBatchNorm.convert_sync_batchnorm`; timm `convert_splitbn_model`,
///   `freeze_batch_norm_2d` and `unfreeze_batch_norm_2d`.
public func convertNorms(
  in model: Sequential, to kind: NormKind
) -> (model: Sequential, report: NormConversionReport) {
  var report = NormConversionReport()
  return (converting(model, name: "", kind, &report), report)
}

private func converting(
  _ model: Sequential, name: String, _ kind: NormKind, _ report: inout NormConversionReport
) -> Sequential {
  let current = model.layers.map { $0.current as? any Layer ?? $0 }
  let layers = current.enumerated().map { index, layer -> any Layer in
    let place = name.isEmpty ? "\(index)" : "\(name).\(index)"
    if let inner = layer as? Sequential { return converting(inner, name: place, kind, &report) }
    report.rest += layer.normsInside.map {
      .init(norm: "\(place).\($0)", reason: "\(type(of: layer)) is not a Sequential")
    }
    guard let numbers = NormNumbers(layer) else { return layer }
    do throws(TensorError) {
      guard let new = try numbers.layer(of: kind) else { return layer }
      new.setOwnMode(layer.isTraining)
      report.conversions.append(
        .init(
          name: place, from: "\(type(of: layer))", to: "\(type(of: new))",
          isExactInEvaluation: numbers.isGroup == (new is GroupNorm)))
      return new
    } catch {
      report.rest.append(.init(norm: place, reason: error.reason))
      return layer
    }
  }
  let converted = Sequential(layers)
  converted.setOwnMode(model.isTraining)
  return converted
}

/// The constituents of a channel norm.
struct NormNumbers {
  let source: any Layer
  let features: Int
  let eps: Double
  let weight: Tensor?
  let bias: Tensor?
  var mean: Tensor?
  var variance: Tensor?
  var tracks = true
  /// Whether there are parameters that are not trained.
  let isFrozen: Bool

  var isGroup: Bool { source is GroupNorm }

  init?(_ layer: any Layer) {
    source = layer
    switch layer {
    case let norm as BatchNorm:
      (features, eps) = (norm.features, norm.eps)
      (weight, bias) = (norm.weight?.value.detached(), norm.bias?.value.detached())
      (mean, variance) = (norm.runningMean?.value, norm.runningVar?.value)
      tracks = mean != nil
      isFrozen = norm.weight?.isFrozen ?? false
    case let norm as FrozenBatchNorm2d:
      (features, eps) = (norm.weight.value.count, norm.eps)
      (weight, bias) = (norm.weight.value, norm.bias.value)
      (mean, variance) = (norm.runningMean.value, norm.runningVar.value)
      isFrozen = false
    case let norm as GroupNorm:
      (features, eps) = (norm.channels, norm.eps)
      (weight, bias) = (norm.weight?.value.detached(), norm.bias?.value.detached())
      isFrozen = norm.weight?.isFrozen ?? false
    default: return nil
    }
  }

  private var dtype: DType { mean?.dtype ?? weight?.dtype ?? .float32 }

  /// The layer converted to this kind; nil if it is of this kind already.
  func layer(of kind: NormKind) throws(TensorError) -> (any Layer)? {
    let call = "convertNorms(in:to:)"
    guard features > 0 else { throw TensorError(call, "its number of channels is not known yet") }
    switch kind {
    case .batch:
      if let norm = source as? BatchNorm,
        !(norm is GhostBatchNorm || norm is SplitBatchNorm2d || norm is SyncBatchNorm)
      {
        return nil
      }
      // A frozen layer may have been a norm for inputs of any rank.
      return source is SplitBatchNorm2d
        ? filled(made(BatchNorm2d.init)) : filled(made(BatchNorm.init))
    case .frozen:
      if source is FrozenBatchNorm2d { return nil }
      guard let norm = source as? BatchNorm, tracks else {
        throw TensorError(call, "it has no running statistics to be frozen")
      }
      return FrozenBatchNorm2d(norm)
    case .ghost(let size):
      guard size > 0 else { throw TensorError(call, "the part size must be positive, got \(size)") }
      if (source as? GhostBatchNorm)?.partSize == size { return nil }
      return filled(
        GhostBatchNorm(
          features, partSize: size, eps: eps, momentum: momentum, affine: weight != nil,
          bias: bias != nil, trackRunningStats: tracks, dtype: dtype))
    case .split(let splits):
      guard splits > 1 else { throw TensorError(call, "expected at least 2 parts, got \(splits)") }
      if let split = source as? SplitBatchNorm2d, split.auxBn.count + 1 == splits { return nil }
      if source is BatchNorm1d || source is BatchNorm3d {
        throw TensorError(call, "SplitBatchNorm2d takes images, and \(type(of: source)) does not")
      }
      let split = SplitBatchNorm2d(
        features, splits: splits, eps: eps, momentum: momentum, affine: weight != nil,
        bias: bias != nil, trackRunningStats: tracks, dtype: dtype)
      for part in split.auxBn { fill(part) }
      return filled(split)
    case .group(let groups):
      if (source as? GroupNorm)?.groups == groups { return nil }
      try requireGroups(groups, features, call: call)
      let norm = GroupNorm(
        groups, features, eps: eps, affine: weight != nil, bias: bias != nil, dtype: dtype)
      copy(to: norm.weight, norm.bias)
      return norm
    }
  }

  /// Batch norm over the batches of all processes; nil for layers that are not plain batch norm.
  func synchronized(by exchange: any StatisticsExchange) -> SyncBatchNorm? {
    guard let norm = source as? BatchNorm,
      !(norm is GhostBatchNorm || norm is SplitBatchNorm2d || norm is SyncBatchNorm)
    else { return nil }
    let new = SyncBatchNorm(
      features, eps: eps, momentum: momentum, affine: weight != nil, bias: bias != nil,
      trackRunningStats: tracks, dtype: dtype, exchange: exchange, file: #fileID, line: #line)
    fill(new)
    return new
  }

  private var momentum: Momentum { (source as? BatchNorm)?.momentum ?? 0.1 }

  private func made<Norm>(
    _ make: (Int, Double, Momentum, Bool, Bool, Bool, DType, StaticString, UInt) -> Norm
  ) -> Norm {
    make(features, eps, momentum, weight != nil, bias != nil, tracks, dtype, #fileID, #line)
  }

  private func filled(_ norm: BatchNorm) -> BatchNorm {
    fill(norm)
    return norm
  }

  /// Copies parameters, statistics and settings.
  private func fill(_ norm: BatchNorm) {
    copy(to: norm.weight, norm.bias)
    if let mean { norm.runningMean?.value = mean }
    if let variance { norm.runningVar?.value = variance }
    guard let old = source as? BatchNorm else { return }
    if let batches = old.numBatchesTracked?.value { norm.numBatchesTracked?.value = batches }
    norm.statistics = old.statistics
    norm.updatesRunningStatistics = old.updatesRunningStatistics
    norm.singleValuePolicy = old.singleValuePolicy
    norm.nonFinitePolicy = old.nonFinitePolicy
    norm.runningVarianceCorrection = old.runningVarianceCorrection
    norm.setFrozen(old.isFrozen)
  }

  private func copy(to newWeight: Parameter?, _ newBias: Parameter?) {
    if let weight { newWeight?.value = weight }
    if let bias { newBias?.value = bias }
    newWeight?.isFrozen = isFrozen
    newBias?.isFrozen = isFrozen
  }
}
