import NormaTensor

extension BatchNorm {
  /// The normalized batch and the update that it implies for the running statistics; changes
  /// nothing.
  ///
  /// The result is that of a call. `update` is nil if a call would not change the running
  /// statistics: in evaluation, frozen, without running statistics, or where a policy says so.
  ///
  ///     let (y, update) = bn.forward(x)
  ///     if let update { bn.commit(update) }
  public func forward(
    _ x: Tensor, mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> (output: Tensor, update: RunningStatisticsUpdate?) {
    if let standIn {
      if let norm = standIn as? BatchNorm {
        return norm.forward(x, mask: mask, file: file, line: line)
      }
      return (mask.map { self(x, mask: $0, file: file, line: line) } ?? self(x), nil)
    }
    do throws(TensorError) {
      return x.isPoisoned ? (x, nil) : try normalized(x, mask: mask)
    } catch {
      report(error, file: file, line: line)
      return (.poisoned, nil)
    }
  }

  /// Updates the running statistics with those of a batch. A batch without values leaves them
  /// unchanged, and counts as a batch except with cumulative momentum.
  ///
  /// new = (1 - share) * old + share * batch, in `float64`, with the share of ``momentum``.
  /// Channels without values in the batch do not change. The update is pending until it is read.
  public func commit(
    _ update: RunningStatisticsUpdate, file: StaticString = #fileID, line: UInt = #line
  ) {
    guard let runningMean, let runningVar, let numBatchesTracked else { return }
    let targets = update.targets(correction: runningVarianceCorrection)
    if let targets, targets.mean.value.count != features {
      let reason = "\(targets.mean.value.count) channels for a layer of \(features)"
      report(TensorError("commit(_:)", reason), file: file, line: line)
      return
    }
    if targets == nil && momentum.share == nil { return }
    let number = numBatchesTracked.countBatch()
    guard let targets else { return }
    // Runs the previous update, so that pending updates do not pile up over training steps.
    Tensor.evaluate([runningMean.value, runningVar.value])
    let share = momentum.share(ofBatch: number)
    runningMean.value = runningMean.value.following(targets.mean, share)
    runningVar.value = runningVar.value.following(targets.variance, share)
  }

  /// The pure part of a call.
  func normalized(
    _ x: Tensor, mask: Tensor?
  ) throws(TensorError) -> (output: Tensor, update: RunningStatisticsUpdate?) {
    try check(x)
    var usesBatch = usesBatchStatistics
    var follows = isTraining && updatesRunningStatistics && !isFrozen && runningMean != nil
    let isShard = usesBatch && normalizesShards
    if usesBatch && !isShard && mask == nil && x.count == features && singleValuePolicy != .error {
      follows = false
      usesBatch = singleValuePolicy == .zero || runningMean == nil
    }
    if usesBatch, mask == nil, x.count > features || isShard, let own = try normalizedByItself(x) {
      guard follows else { return (own.output, nil) }
      return try finite((own.output, RunningStatisticsUpdate(.whole(own.statistics))))
    }
    if let mask {
      guard takesMasks else { throw TensorError(call, "this kind of batch norm takes no mask") }
      return try finite(masked(x, mask, usesBatch: usesBatch, follows: follows))
    }
    let (output, statistics) = try batchNorm(
      x, runningMean: runningMean?.value, runningVar: runningVar?.value, weight: weight?.value,
      bias: bias?.value, training: usesBatch, eps: eps,
      allowsSingleValues: singleValuePolicy == .zero, call: call)
    guard follows else { return (output, nil) }
    if let statistics { return try finite((output, RunningStatisticsUpdate(.whole(statistics)))) }
    guard !usesBatch, x.count > features else {
      return (output, x.count == 0 ? RunningStatisticsUpdate(.nothing) : nil)
    }
    let own = x.detached().normalizationStatistics(over: reducedAxes(x))
    return try finite((output, RunningStatisticsUpdate(.whole(own))))
  }

  /// Normalizes the values that the mask selects; 0 elsewhere.
  private func masked(
    _ x: Tensor, _ mask: Tensor, usesBatch: Bool, follows: Bool
  ) throws(TensorError) -> (output: Tensor, update: RunningStatisticsUpdate?) {
    guard x.dtype.isFloatingPoint else {
      throw TensorError(call, "\(x.dtype) cannot be normalized; cast(to: .float32) first")
    }
    guard mask.stretches(to: x.shape) else {
      throw TensorError(
        call, "the mask has shape \(mask.shape), which does not stretch to \(x.shape)")
    }
    var shape = [Int](repeating: 1, count: x.rank)
    shape[1] = features
    let (weight, bias) = (weight?.value.reshaped(shape), bias?.value.reshaped(shape))
    var (usesBatch, follows) = (usesBatch, follows)
    let axes = reducedAxes(x)
    let (output, statistics) = try x.normalized(
      over: axes, mask: mask, eps: eps, weight: weight, bias: bias, call: call)
    if usesBatch || follows {
      // Run together with the output, which reads the batch while it is in cache.
      if usesBatch { output.evaluated() }
      let counts = statistics.count.array(of: Double.self)
      if counts.contains(1) {
        if usesBatch && singleValuePolicy == .error {
          throw TensorError(
            call,
            "the mask leaves one value in channel \(counts.firstIndex(of: 1) ?? 0), which has no "
              + "variance: train with a larger batch, call eval(), or set singleValuePolicy")
        }
        follows = false
        usesBatch = usesBatch && (singleValuePolicy == .zero || runningMean == nil)
      }
    }
    let update = follows ? RunningStatisticsUpdate(.masked(statistics)) : nil
    if usesBatch { return (output, update) }
    let holds = mask.detached().cast(to: .bool)
    let zero = Tensor.zeros([], dtype: x.dtype)
    // Masked values may be NaN and must not reach the gradients either.
    let everywhere = try batchNorm(
      Tensor.where(holds, x, zero), runningMean: runningMean?.value, runningVar: runningVar?.value,
      weight: self.weight?.value, bias: self.bias?.value, training: false, eps: eps, call: call
    ).output
    return (Tensor.where(holds, everywhere, zero), update)
  }

  /// The result under the policy for batches with NaN or infinity.
  private func finite(
    _ result: (output: Tensor, update: RunningStatisticsUpdate?)
  ) throws(TensorError) -> (output: Tensor, update: RunningStatisticsUpdate?) {
    guard nonFinitePolicy != .propagate, let channels = result.update?.nonFiniteChannels,
      !channels.isEmpty
    else { return result }
    if nonFinitePolicy == .skipUpdate { return (result.output, nil) }
    let named = channels.prefix(8).map(String.init).joined(separator: ", ")
    throw TensorError(
      call,
      "the batch has NaN or infinite values in \(channels.count) of \(features) channels (\(named)"
        + "\(channels.count > 8 ? ", ..." : "")); nothing was changed, nonFinitePolicy "
        + ".skipUpdate would continue")
  }

  private func reducedAxes(_ x: Tensor) -> [Int] { x.shape.indices.filter { $0 != 1 } }
}
