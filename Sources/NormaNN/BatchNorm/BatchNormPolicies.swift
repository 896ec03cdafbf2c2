/// Which statistics normalize.
public enum StatisticsSource: String, Sendable, Hashable, Codable {
  /// Those of the batch in training, the running ones in evaluation.
  case auto
  /// Those of the batch, in evaluation too.
  case batch
  /// The running ones, in training too; they follow the batches all the same unless
  /// ``BatchNorm/updatesRunningStatistics`` is false.
  case running
}

/// What becomes of a batch with one value per channel, whose variance says nothing.
public enum SingleValuePolicy: String, Sendable, Hashable, Codable {
  /// It is refused, as in PyTorch.
  case error
  /// The running statistics normalize it, and do not follow.
  case running
  /// It is its own mean: the result is the bias. The running statistics do not follow. Keras and
  /// older PyTorch.
  case zero
}

/// What becomes of a training batch with NaN or infinity in it.
public enum NonFinitePolicy: String, Sendable, Hashable, Codable {
  /// They enter result and running statistics, as in PyTorch.
  case propagate
  /// The batch is refused, and nothing changes. Costs looking at each batch's statistics at once.
  case error
  /// The result has them, the running statistics stay as they are. Costs the same.
  case skipUpdate
}
