/// An aspect in which two normalization layers may differ.
public enum NormOption: String, Sendable, Hashable, Codable, CaseIterable {
  /// The values that a statistic is taken over.
  case axes
  /// Whether the mean is subtracted, also before squaring.
  case meanSubtraction = "mean-subtraction"
  /// Whether the layer normalizes with the input's own statistics or the running ones.
  case statisticsSource = "statistics-source"
  /// The values of the running statistics, and their number of batches.
  case runningStatistics = "running-statistics"
  /// Added to the variance under the square root.
  case eps
  /// The scale γ.
  case weight
  /// The shift β.
  case bias
  /// The weight of a new batch in the running statistics.
  case momentum
  /// Subtracted from n in the variance that updates the running variance.
  case runningVarianceCorrection = "running-variance-correction"
  /// Whether this call updates the running statistics.
  case updates
}
