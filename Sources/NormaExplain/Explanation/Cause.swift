/// The kinds of mistake that an explanation can name.
///
/// The raw values are the identifiers in conformance cases, JSON and scripts.
public enum CauseName: String, Codable, Sendable, Hashable, CaseIterable {
  /// Statistics taken over other axes than the layer's.
  case axes
  /// `n - 1` (or another divisor) instead of `n` in the variance that divides.
  case correction
  /// Epsilon outside the square root, as a lower bound, or twice.
  case epsilonPlacement = "epsilon-placement"
  /// Another epsilon than the layer's, none, or one on both sides.
  case epsilonValue = "epsilon-value"
  /// Weight or bias left out, exchanged or applied in another way.
  case affine
  /// A momentum that weighs the old value instead of the new one.
  case momentumConvention = "momentum-convention"
  /// Running statistics instead of the batch's own, or vice versa.
  case runningVersusBatch = "running-vs-batch-statistics"
  /// A running variance averaged over `n` instead of `n - 1`.
  case runningVarianceCorrection = "running-variance-correction"
  /// The right steps in the wrong order, such as a bias added after the layer.
  case orderOfOperations = "order-of-operations"
  /// Channels assigned to other groups than the layer's.
  case groupAssignment = "group-assignment"
  /// Intermediate results rounded to a narrower type.
  case rounding = "dtype-rounding"
  /// The mean was not subtracted.
  case meanNotSubtracted = "mean-not-subtracted"
  /// A statistic of statistics: a mean of standard deviations, a deviation of deviations.
  case perAxisComposition = "per-axis-composition"
  /// Padded positions included in, or excluded from, the statistics.
  case mask = "mask/padding"
  /// A different formula altogether.
  case other
}

extension Explanation {
  /// One reason why two results differ, and its share of the gap.
  public struct Cause: Codable, Sendable, Hashable {
    /// The kind of mistake.
    public let name: CauseName

    /// Kinds that the data cannot distinguish from `name`; empty if it is certain.
    public let alternatives: [CauseName]

    /// The Shapley value: this cause's fair share of the gap.
    ///
    /// The shares of all causes and ``Explanation/unexplained`` add up to 1. A negative share means
    /// that this cause hides a part of the gap caused by others: fixing it alone increases the gap.
    public let share: Double

    /// The largest difference that remains when only this cause is fixed.
    public let gapWhenFixed: Double

    /// The largest difference when all other causes are fixed.
    public let gapAlone: Double

    /// What the user's computation did.
    public let yours: String

    /// What the layer does.
    public let layers: String

    /// Why that makes a difference, in a sentence or two.
    public let reason: String
  }
}
