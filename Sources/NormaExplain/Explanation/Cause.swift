/// The kinds of mistake that an explanation can name.
///
/// The raw values are the identifiers that conformance cases, JSON and scripts use.
public enum CauseName: String, Codable, Sendable, Hashable, CaseIterable {
  /// The statistics were taken over other axes than the layer's.
  case axes
  /// `n - 1` (or another divisor) instead of `n` in the variance that divides.
  case correction
  /// Epsilon outside the root, as a lower bound, or in two places.
  case epsilonPlacement = "epsilon-placement"
  /// Another epsilon than the layer's, none, or one on both sides.
  case epsilonValue = "epsilon-value"
  /// Weight or bias left out, exchanged or applied in another way.
  case affine
  /// The momentum weighs the old value instead of the new one.
  case momentumConvention = "momentum-convention"
  /// Running statistics in place of the batch's own, or the other way round.
  case runningVersusBatch = "running-vs-batch-statistics"
  /// Running variance averaged over `n` instead of `n - 1`.
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
  /// Padded positions counted, or left out, in the statistics.
  case mask = "mask/padding"
  /// A different formula altogether.
  case other
}

extension Explanation {
  /// One reason why two results differ, and how much of the gap it carries.
  public struct Cause: Codable, Sendable, Hashable {
    /// What kind of mistake it is.
    public let name: CauseName

    /// Kinds that the data at hand cannot tell from `name`; empty when it is certain.
    public let alternatives: [CauseName]

    /// The Shapley value: the part of the gap that this cause carries, fairly split.
    ///
    /// The shares of all causes and ``Explanation/unexplained`` add up to 1. A negative share
    /// means that this cause hides a part of the gap that the others make: put right before them, it
    /// leaves more than there was.
    public let share: Double

    /// The largest difference that is left when only this cause is put right.
    public let gapWhenFixed: Double

    /// The largest difference that this cause makes when all others are put right.
    public let gapAlone: Double

    /// What the user's result was made with.
    public let yours: String

    /// What the layer does.
    public let layers: String

    /// Why that makes a difference, in a sentence or two.
    public let reason: String
  }
}
