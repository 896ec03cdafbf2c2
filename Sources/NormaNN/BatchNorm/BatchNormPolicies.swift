/// The statistics that a layer normalizes with.
public enum StatisticsSource: String, Sendable, Hashable, Codable {
  /// Those of the batch in training, the running ones in evaluation.
  case auto
  /// Those of the batch, in evaluation too.
  case batch
  /// The running ones, in training too. Training still updates them unless
  /// ``BatchNorm/updatesRunningStatistics`` is false.
  case running
}

/// What to do with a batch that has one value per channel, whose variance is meaningless.
public enum SingleValuePolicy: String, Sendable, Hashable, Codable {
  /// The batch is an error, as in PyTorch.
  case error
  /// The batch is normalized with the running statistics, and does not update them.
  case running
  /// The value is its own mean, so the result is the bias. The running statistics are not updated.
  /// As in Keras and older PyTorch.
  case zero
}

/// What to do with a training batch that contains NaN or infinity.
public enum NonFinitePolicy: String, Sendable, Hashable, Codable {
  /// The values propagate into the result and the running statistics, as in PyTorch.
  case propagate
  /// The batch is an error, and nothing changes. Each call has to evaluate the batch's statistics
  /// immediately.
  case error
  /// The values propagate into the result, but the running statistics do not change. Same cost as
  /// `error`.
  case skipUpdate
}
