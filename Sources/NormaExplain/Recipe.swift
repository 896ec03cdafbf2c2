import NormaKernels

/// A formula for normalizing a tensor, as a value: what somebody may have computed.
///
/// The layer's own formula is one recipe, and a mistake is a ``Change`` to it.
struct Recipe: Hashable {
  /// Where mean and variance come from.
  enum Source: Hashable {
    case batch
    /// The running statistics as they are before the call.
    case running
    /// The running statistics after they have been updated with the batch.
    case updated
  }

  /// By what the mean squared deviation is multiplied.
  enum Correction: Hashable {
    case none
    /// `n / (n - 1)`.
    case one
    /// `n / (n - 1)` twice.
    case twice
    /// `(n - 1) / n`.
    case inverse
    /// `N / (N - 1)` with the number of images or rows `N`, whatever is averaged.
    case batchSize
  }

  enum Placement: Hashable {
    /// `sqrt(variance + eps)`.
    case inside
    /// `sqrt(variance) + eps`.
    case outside
    /// `sqrt(max(variance, eps))`.
    case larger
    /// `sqrt(variance + eps) + eps`.
    case both
    /// `1 / (1 / sqrt(variance) + eps)`.
    case reciprocal
  }

  enum Affine: Hashable {
    case both
    case none
    case weightOnly
    case biasOnly
    case onePlusWeight
    case biasFirst
    case exchanged
    case minusBias
    case weightTwice
    case dividedByWeight
  }

  /// What the centred value is divided by.
  enum Divisor: Hashable {
    case deviation
    case variance
    /// The reciprocal of the deviation: a product where a quotient was meant.
    case reciprocal
  }

  enum Statistic: String, Hashable {
    case mean
    case meanSquare = "mean square"
    case variance
    case deviation = "std"
  }

  struct Step: Hashable {
    let statistic: Statistic
    let axes: [Int]
  }

  enum Momentum: Hashable {
    case layers
    /// The new value weighs `1 - momentum`.
    case exchanged
    /// The mean over all batches.
    case cumulative
    /// The statistics of all batches' values taken together.
    case pooled
    /// The last batch's own statistics.
    case last
  }

  enum RunningVariance: Hashable {
    case unbiased
    case biased
  }

  enum Surroundings: Hashable {
    case none
    /// A bias that belongs in front of the layer, added behind it.
    case shiftAfter
    /// A bias in front of the layer, left out.
    case shiftMissing
    case rectifiedAfter
    case rectifiedBefore
  }

  enum Mask: Hashable {
    case ignored
    /// Statistics over unmasked positions only.
    case statistics
    /// The same, and zero at masked positions.
    case zeroed
  }

  var source: Source
  var meanAxes: [Int]
  /// How the variance is made, applied in turn; one step unless statistics are nested.
  var steps: [Step]
  var correction: Correction = .none
  var epsilon: Double
  var placement: Placement = .inside
  var affine: Affine = .both
  var centred = true
  var divisor: Divisor = .deviation
  var momentum: Momentum = .layers
  var runningVariance: RunningVariance = .unbiased
  /// The correction of the variance that enters the updated running variance.
  var updateCorrection: Correction = .one
  var surroundings: Surroundings = .none
  var mask: Mask = .ignored
  /// The number of parts of the batch with statistics of their own.
  var blocks = 1
  /// Whether the parts' statistics are averaged, as machines do that each see a part.
  var averagesBlocks = false
  /// A factor and an addend per channel that the data show and no formula accounts for.
  var observedScale: [Double]?
  var observedShift: [Double]?
  /// A narrower type that the result was rounded to.
  var narrow: DType?

  /// The fields that statistics depend on; recipes that agree in them share mean and variance.
  var statisticsKey: Recipe {
    var key = self
    key.epsilon = 0
    key.placement = .inside
    key.affine = .both
    key.divisor = .deviation
    key.observedScale = nil
    key.observedShift = nil
    key.narrow = nil
    if mask == .zeroed { key.mask = .statistics }
    if [.rectifiedAfter, .shiftAfter, .shiftMissing].contains(surroundings) {
      key.surroundings = .none
    }
    return key
  }
}
