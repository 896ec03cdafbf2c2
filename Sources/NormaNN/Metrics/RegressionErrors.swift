import NormaTensor

/// How far numbers are from their targets: mean absolute and squared errors, and R².
///
/// Over all elements alike; for several outputs keep one for each. Sums are carried in `float64`, and targets' spread
/// as ``NormaValues/Moments``, so that R² keeps its digits however large the targets are. PyTorch:
/// `torchmetrics.MeanSquaredError`, `MeanAbsoluteError`, `R2Score`.
public struct RegressionErrors: Metric {
  private var absolute = 0.0
  private var squared = 0.0
  private var targets: Moments?

  /// No samples yet.
  public init() {}

  /// How many elements there were.
  public var count: Int { Int(targets?.count.first ?? 0) }

  /// Takes predictions and targets of one shape.
  public mutating func update(
    _ x: Tensor, _ target: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    change([x, target], file, line) { metric throws(TensorError) in
      let call = "RegressionErrors.update(_:_:)"
      guard x.shape == target.shape else {
        throw TensorError(
          call,
          "shapes \(x.shape) and \(target.shape) differ and would be compared each with each; "
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

  /// Adds the elements of another one.
  public mutating func merge(_ other: RegressionErrors) {
    absolute += other.absolute
    squared += other.squared
    guard let moments = other.targets else { return }
    targets = targets.flatMap { $0.merged(with: moments) } ?? moments
  }

  /// The mean of |x - y|; NaN of nothing.
  public var meanAbsoluteError: Double { absolute / Double(count) }

  /// The mean of (x - y)²; NaN of nothing.
  public var meanSquaredError: Double { squared / Double(count) }

  /// The root of the mean of (x - y)²; NaN of nothing.
  public var rootMeanSquaredError: Double { meanSquaredError.squareRoot() }

  /// 1 - Σ (x - y)² / Σ (y - mean)²: 1 is perfect, 0 no better than the mean of all targets.
  ///
  /// Of targets that are all equal, a single one too, there is nothing to explain: -∞, or NaN where the
  /// predictions are perfect. scikit-learn gives 0 and 1 there unless `force_finite=False`.
  public var r2: Double { 1 - squared / (targets?.m2.first ?? .nan) }
}
