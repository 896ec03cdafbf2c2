import NormaTensor

/// How the statistics of several batches become running statistics.
public enum RecalibrationRule: Sendable, Hashable {
  /// Mean and variance of all values, as if they were one batch: exactly pooled.
  case population
  /// The mean of the batches' means and of their variances, each batch counting the same. The
  /// variance between the batches' means is lost. PyTorch: `torch.optim.swa_utils.update_bn`.
  case cumulative
  /// From the present running statistics on, as training goes on with this momentum.
  case exponential(Momentum)
}

/// In which order the layers of a network get their statistics.
public enum RecalibrationOrder: String, Sendable, Hashable, Codable {
  /// All in one pass over the data, each layer normalizing with its batch, as in training.
  case together
  /// One pass for each layer, in the order of the calls, behind layers that are done already and
  /// normalize with their new statistics: what the network will see in evaluation.
  case layerByLayer
}

/// How far a recalibration is.
public struct RecalibrationProgress: Sendable, Hashable {
  /// The pass over the data, counted from 1.
  public let pass: Int
  /// How many passes there will be, as far as it is known.
  public let passes: Int
  /// The batches of this pass that are done.
  public let batches: Int
}

/// What a recalibration made of one layer.
public struct RecalibratedLayer: Sendable, Hashable, Codable {
  /// Where the layer is: `blocks.0.bn1`.
  public let name: String
  /// How many values of each channel the new statistics rest on: the smallest number.
  public let count: Double
  /// How far the running mean moved, in standard deviations of the new variance: the largest of all
  /// channels.
  public let largestShift: Double
  /// The old running variance divided by the new one: the smallest of all channels.
  public let smallestVarianceRatio: Double
  /// The old running variance divided by the new one: the largest of all channels; infinite where
  /// one of them was or is no number.
  public let largestVarianceRatio: Double
}

/// Takes the running statistics of all batch norm layers anew from data.
///
///     try recalibrate(network, over: batches)
///
/// For networks whose running statistics do not belong to their weights or data: after averaging
/// weights, after fine-tuning, with too small a momentum or batch, on data of another kind.
/// Parameters, modes and generators are as before when it is done; the modules run in evaluation, so
/// that nothing is dropped. Frozen layers and those without running statistics are left alone; a
/// layer that is called several times pools its calls.
///
/// - Parameters:
///   - model: The network, whose batch norm layers are called once or more with every batch.
///   - data: Batches as the model takes them; run through once for each pass.
///   - rule: How batches become statistics: exactly pooled, or as PyTorch's `update_bn`.
///   - order: All layers in one pass, or one after the other.
///   - progress: Told after every batch; what it throws ends the recalibration.
///   - file: The caller's file, for the text of a mistake.
///   - line: The caller's line.
/// - Returns: The layers in the order of their calls, with how far they moved.
/// - Throws: `CancellationError` when the task is cancelled, and what `data` or `progress` throw; then
///   all running statistics are as before.
/// - Accuracy: pooled in `Double` by Chan's formula, far from zero too; rounded once to the type of
///   the running statistics. How the data are cut into batches moves the last bits only.
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

/// Takes the running statistics of all batch norm layers anew, for models and batches of any kind:
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
