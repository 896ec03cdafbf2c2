/// What two normalization layers may do differently.
public enum NormOption: String, Sendable, Hashable, Codable, CaseIterable {
  /// Which values a statistic takes together.
  case axes
  /// Whether the mean is subtracted, and squares are taken of distances from it.
  case meanSubtraction = "mean-subtraction"
  /// Whether the input's own statistics normalize, or the running ones.
  case statisticsSource = "statistics-source"
  /// The values of the running statistics, and how many batches they have seen.
  case runningStatistics = "running-statistics"
  /// What is added to the variance under the root.
  case eps
  /// γ.
  case weight
  /// β.
  case bias
  /// How much a new batch counts in the running statistics.
  case momentum
  /// What is taken off n in the variance that the running variance follows.
  case runningVarianceCorrection = "running-variance-correction"
  /// Whether the running statistics follow this call.
  case updates
}
