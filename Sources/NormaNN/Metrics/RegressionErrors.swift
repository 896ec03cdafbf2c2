import NormaTensor

/// The distance of predictions from their targets: mean absolute and squared errors, and R².
///
/// All elements count equally; for several outputs keep one metric for each. Sums are kept in
/// `float64`, and the targets' spread as ``NormaValues/Moments``, so that R² keeps its digits
/// however large the targets are. PyTorch: `torchmetrics.MeanSquaredError`, `MeanAbsoluteError`,
/// `R2Score`.
public struct RegressionErrors: Metric {
  private var absolute = 0.0
  private var squared = 0.0
  private var targets: Moments?

  /// No samples yet.
  public init() {}

  /// The number of elements.
  public var count: Int { Int(targets?.count.first ?? 0) }

  /// Adds predictions and targets of the same shape.
  public mutating func update(
    _ x: Tensor, _ target: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    change([x, target], file, line) { metric throws(TensorError) in
      let call = "RegressionErrors.update(_:_:)"
      guard x.shape == target.shape else {
        throw TensorError(
          call,
          "shapes \(x.shape) and \(target.shape) differ and would broadcast to all pairs; "
            + "reshaped(_:) makes them equal")
      }
      if x.count == 0 { return }
      let wide = target.detached().cast(to: .float64)
      let errors = x.detached().cast(to: .float64) - wide
      metric.absolute += errors.abs().sum().item()
      metric.squared += errors.squared().sum().item()
      let moments = wide.flattened().moments(over: 0)
      metric.targets = metric.targets.flatMap { $0.merged(with: moments) } ?? moments
    }
  }

  /// Adds the elements of another metric.
  public mutating func merge(_ other: RegressionErrors) {
    absolute += other.absolute
    squared += other.squared
    guard let moments = other.targets else { return }
    targets = targets.flatMap { $0.merged(with: moments) } ?? moments
  }

  /// The mean of |x - y|; NaN without elements.
  public var meanAbsoluteError: Double { absolute / Double(count) }

  /// The mean of (x - y)²; NaN without elements.
  public var meanSquaredError: Double { squared / Double(count) }

  /// The square root of the mean of (x - y)²; NaN without elements.
  public var rootMeanSquaredError: Double { meanSquaredError.squareRoot() }

  /// 1 - Σ (x - y)² / Σ (y - mean)²: 1 is perfect, 0 no better than the mean of all targets.
  ///
  /// If all targets are equal, or there is only one, there is no variance to explain: -∞, or NaN
  /// where the predictions are perfect. scikit-learn returns 0 and 1 there unless
  /// `force_finite=False`.
  public var r2: Double { 1 - squared / (targets?.m2.first ?? .nan) }
}
