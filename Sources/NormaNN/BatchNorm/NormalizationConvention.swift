import NormaTensor

/// The constants that a framework uses by default in batch norm.
///
///     BatchNorm2d(64, convention: .keras)
///
/// Weights that were trained under one convention give other results under another: a different eps
/// matters wherever variances are small, the other constants only in further training.
public struct NormalizationConvention: Sendable, Hashable, Codable {
  /// Added to the variance under the square root.
  public var eps: Double
  /// The weight of a new batch in the running statistics.
  public var momentum: Momentum
  /// The running variance is updated with Σ (x - mean)² / (n - this).
  public var runningVarianceCorrection: Double

  /// A convention with these constants.
  public init(eps: Double, momentum: Momentum, runningVarianceCorrection: Double) {
    self.eps = eps
    self.momentum = momentum
    self.runningVarianceCorrection = runningVarianceCorrection
  }

  /// eps 1e-5, a new batch has weight 0.1, running variance divided by n - 1.
  public static let pytorch = NormalizationConvention(
    eps: 1e-5, momentum: 0.1, runningVarianceCorrection: 1)

  /// eps 1e-3, the old value has weight 0.99, running variance divided by n.
  public static let keras = NormalizationConvention(
    eps: 1e-3, momentum: .decay(0.99), runningVarianceCorrection: 0)

  /// eps 1e-5, the old value has weight 0.99, running variance divided by n.
  public static let flax = NormalizationConvention(
    eps: 1e-5, momentum: .decay(0.99), runningVarianceCorrection: 0)

  /// eps 1e-5, a new batch has weight 0.1, running variance divided by n: MLX Swift, and MLX until
  /// July 2026. Later versions of MLX divide by n - 1, as in ``pytorch``.
  public static let mlx = NormalizationConvention(
    eps: 1e-5, momentum: 0.1, runningVarianceCorrection: 0)
}

extension BatchNorm {
  /// A layer under the convention of another framework.
  public convenience init(
    _ features: Int, convention: NormalizationConvention, affine: Bool = true, bias: Bool = true,
    trackRunningStats: Bool = true, dtype: DType = .float32
  ) {
    self.init(
      features, eps: convention.eps, momentum: convention.momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype)
    runningVarianceCorrection = convention.runningVarianceCorrection
  }
}
