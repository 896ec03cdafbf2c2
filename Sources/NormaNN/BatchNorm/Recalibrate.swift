import NormaTensor

/// How the statistics of several batches combine into running statistics.
public enum RecalibrationRule: Sendable, Hashable {
  /// Mean and variance of all values, exactly pooled as if they were one batch.
  case population
  /// The average of the batches' means and of their variances, with equal weights. The variance
  /// between the batches' means is lost. PyTorch: `torch.optim.swa_utils.update_bn`.
  case cumulative
  /// Continues from the current running statistics with this momentum, as in training.
  case exponential(Momentum)
}

/// The order in which the layers of a network get their statistics.
public enum RecalibrationOrder: String, Sendable, Hashable, Codable {
  /// All in one pass over the data, with each layer normalizing with its batch, as in training.
  case together
  /// One pass for each layer, in call order. Layers that are done normalize with their new
  /// statistics, so each layer sees what it will see in evaluation.
  case layerByLayer
}

/// The progress of a recalibration.
public struct RecalibrationProgress: Sendable, Hashable {
  /// The current pass over the data, starting at 1.
  public let pass: Int
  /// The total number of passes, as far as it is known.
  public let passes: Int
  /// The number of batches of this pass that are done.
  public let batches: Int
}

/// The effect of a recalibration on one layer.
public struct RecalibratedLayer: Sendable, Hashable, Codable {
  /// The layer's name: `blocks.0.bn1`.
  public let name: String
  /// The number of values per channel behind the new statistics: the smallest over all channels.
  public let count: Double
  /// The largest change of the running mean over all channels, in standard deviations of the new
  /// variance.
  public let largestShift: Double
  /// The old running variance divided by the new one: the smallest over all channels.
  public let smallestVarianceRatio: Double
  /// The old running variance divided by the new one: the largest over all channels; infinite if
  /// one of them was or is NaN.
  public let largestVarianceRatio: Double
}

/// Recomputes the running statistics of all batch norm layers from data.
///
///     try recalibrate(network, over: batches)
///
/// For networks whose running statistics do not match their weights or data: after averaging
/// weights, after fine-tuning, with too small a momentum or batch, or on data of another kind.
/// Parameters, modes and generators are unchanged afterwards; the modules run in evaluation mode,
/// so that nothing is dropped. Frozen layers and those without running statistics are skipped. A
/// layer that is called several times pools its calls.
///
/// - Parameters:
///   - model: The network; its batch norm layers are called one or more times per batch.
///   - data: Batches as the model takes them; iterated once for each pass.
///   - rule: How batches are combined: exactly pooled, or as in PyTorch's `update_bn`.
///   - order: All layers in one pass, or one after the other.
///   - progress: Called after every batch; an error that it throws ends the recalibration.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Returns: The layers in call order, with the change of each.
/// - Throws: `CancellationError` when the task is cancelled, and whatever `data` or `progress`
///   throw; all running statistics are then restored.
/// - Accuracy: pooled in `Double` by Chan's formula, also for data far from zero; rounded once to
///   the type of the running statistics. How the data are split into batches affects only the last
///   bits.
@discardableResult
public func recalibrate<Model: Layer, Data: Sequence>(
  _ model: Model, over data: Data, rule: RecalibrationRule = .population,
  order: RecalibrationOrder = .together,
  progress: ((RecalibrationProgress) throws -> Void)? = nil,
  file: StaticString = #fileID, line: UInt = #line
) throws -> [RecalibratedLayer] where Data.Element == Tensor {
  try recalibrate(model, over: data, rule: rule, order: order, progress: progress) {
    $0($1, file: file, line: line).evaluated()
  }
}

/// Recomputes the running statistics of all batch norm layers, for models and batches of any kind:
/// `forward` calls the model with a batch and evaluates the result.
@discardableResult
public func recalibrate<Model: Module, Data: Sequence>(
  _ model: Model, over data: Data, rule: RecalibrationRule = .population,
  order: RecalibrationOrder = .together,
  progress: ((RecalibrationProgress) throws -> Void)? = nil,
  forward: @escaping (Model, Data.Element) throws -> Void
) throws -> [RecalibratedLayer] {
  try Recalibration(model, rule: rule, order: order).run(progress) { step in
    for batch in data { try step { try forward(model, batch) } }
  }
}

/// ``recalibrate(_:over:rule:order:progress:forward:)`` with the first tensors of a loader's
/// batches.
@discardableResult
public func recalibrate<Model: Layer, Samples: Dataset>(
  _ model: Model, over loader: DataLoader<Samples>, rule: RecalibrationRule = .population,
  order: RecalibrationOrder = .together,
  progress: ((RecalibrationProgress) throws -> Void)? = nil,
  file: StaticString = #fileID, line: UInt = #line
) throws -> [RecalibratedLayer] {
  try Recalibration(model, rule: rule, order: order).run(progress) { step in
    try loader.forEach { batch in
      try step { if let x = batch.first { model(x, file: file, line: line).evaluated() } }
    }
  }
}

/// Recomputes the running statistics from the data of several processes, exactly pooled: `pool`
/// merges the number of batches and the moments of a layer over all of them.
package func recalibrate<Model: Module, Data: Sequence>(
  _ model: Model, over data: Data, order: RecalibrationOrder,
  progress: ((RecalibrationProgress) throws -> Void)?,
  pool: @escaping (Int, Moments) throws -> (batches: Int, moments: Moments),
  forward: @escaping (Model, Data.Element) throws -> Void
) throws -> [RecalibratedLayer] {
  try Recalibration(model, rule: .population, order: order, pool: pool).run(progress) { step in
    for batch in data { try step { try forward(model, batch) } }
  }
}
