import NormaTensor

/// A formula for normalizing a tensor, as a value: a possible computation of the user.
///
/// The layer's own formula is a recipe, and a mistake is a ``Change`` to it.
struct Recipe: Hashable {
  /// The source of mean and variance.
  enum Source: Hashable {
    case batch
    /// The running statistics before the call.
    case running
    /// The running statistics after they were updated with the batch.
    case updated
  }

  /// The factor of the mean squared deviation.
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
    /// `n`: the sum is not divided.
    case sum
    /// `n` over this count, when the sum is divided by the count.
    case count(Int)
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
    /// `max(sqrt(variance), eps)`.
    case largerDeviation
    /// `sqrt((sum + eps) / n)`, with the sum of squares.
    case sum
  }

  enum Affine: Hashable {
    case both
    case none
    case weightOnly
    case biasOnly
    case onePlusWeight
    case weightMinusOne
    case absoluteWeight
    case biasFirst
    case exchanged
    case minusBias
    case weightTwice
    case dividedByWeight
    /// Along another axis of the same size.
    case along(Int)
    /// In another order: the weight of `c` is that at `c % groups * (C / groups) + c / groups`.
    case interleaved(Int)
    /// Only the first weights, each for this many consecutive channels.
    case stretched(Int)
    /// Only the first weights, this many, repeated.
    case repeated(Int)
  }

  /// The divisor of the centered value.
  enum Divisor: Hashable {
    case deviation
    case variance
    /// The reciprocal of the deviation: a product instead of a quotient.
    case reciprocal
    /// One: the value is only centered.
    case one
  }

  enum Statistic: String, Hashable {
    case mean
    case variance
    case deviation = "std"
    case absolute = "mean absolute deviation"
  }

  struct Step: Hashable {
    let statistic: Statistic
    let axes: [Int]
  }

  enum Momentum: Hashable {
    case layers
    /// The new value has weight `1 - momentum`.
    case exchanged
    /// The mean over all batches.
    case cumulative
    /// The statistics of all values of all batches together.
    case pooled
    /// The last batch's own statistics.
    case last
    /// The weight of a new batch.
    case value(Double)
  }

  enum RunningVariance: Hashable {
    case unbiased
    case biased
  }

  enum Surroundings: Hashable {
    case none
    /// A bias that belongs before the layer is added after it.
    case shiftAfter
    /// A bias before the layer is left out.
    case shiftMissing
    case rectifiedAfter
    case rectifiedBefore
    /// Weight and bias applied to the input instead of the result.
    case affineBefore
    /// The input added to the result.
    case inputAdded

    /// What happens to the input before statistics are taken.
    var before: Surroundings {
      switch self {
      case .none, .rectifiedAfter, .inputAdded: .none
      default: self
      }
    }
  }

  enum Mask: Hashable {
    case ignored
    /// Statistics over unmasked positions only.
    case statistics
    /// The same, and zero at masked positions.
    case zeroed
    /// Statistics over all positions, with zero at masked ones.
    case filled
  }

  /// Statistics of known parts of the batch, such as those of several machines.
  enum Blocks: Hashable {
    case none
    /// Each part has its own statistics.
    case own
    /// The mean over the parts of their means and variances.
    case averaged
    /// The mean over the parts of their variances, about the overall mean.
    case variances
    /// The same for their deviations.
    case deviations
    /// The same for their variances, weighted by count.
    case weighted
  }

  var source: Source
  /// The shape that the axes in `meanAxes` and `steps` refer to; nil for the frame's.
  var shape: [Int]?
  var meanAxes: [Int]
  /// How the variance is computed, step by step; a single step unless statistics are nested.
  var steps: [Step]
  var correction: Correction = .none
  var epsilon: Double
  var placement: Placement = .inside
  var affine: Affine = .both
  var centred = true
  /// Whether squares are taken of the values themselves, as in RMS norm, rather than of their
  /// distances from the mean.
  var aboutZero = false
  var divisor: Divisor = .deviation
  var meanFactor: MeanFactor = .one
  var gain: Gain = .one
  var fold: Fold = .right
  var buffers: Buffers = .kept
  /// A function of every value that replaces the whole formula.
  var replaced: Pointwise?
  /// The number of rows at the start of the batch that statistics are taken of; nil for all.
  var rows: Int?
  var narrowSteps: NarrowSteps?
  var momentum: Momentum = .layers
  var runningVariance: RunningVariance = .unbiased
  /// The correction of the variance in the updated running variance.
  var updateCorrection: Correction = .one
  var surroundings: Surroundings = .none
  var mask: Mask = .ignored
  var blocks: Blocks = .none
  /// Whether the layer's additional factor is applied; see `LayerNumbers.extra`.
  var hasExtra = true
  /// A factor and an addend that fit the data but no formula.
  var observedScale: Grid?
  var observedShift: Grid?
  /// The same factor before the bias, for each statistic.
  var observedFactors: Grid?
  /// A narrower type that the result was rounded to.
  var narrow: DType?
  /// Whether the normalized value was rounded to that type before weight and bias as well.
  var narrowsEarly = false
  /// Whether the part that no formula accounts for is included in the result; see
  /// `Evidence.residual`.
  var holdsResidual = false

  /// The fields that statistics depend on; recipes with the same key share mean and variance.
  var statisticsKey: Recipe {
    var key = self
    key.epsilon = 0
    key.placement = .inside
    key.affine = .both
    key.hasExtra = true
    key.divisor = .deviation
    key.gain = .one
    key.fold = .right
    key.replaced = nil
    key.observedScale = nil
    key.observedShift = nil
    key.observedFactors = nil
    key.narrow = nil
    key.narrowsEarly = false
    key.holdsResidual = false
    if mask == .zeroed { key.mask = .statistics }
    // Stored statistics do not depend on what precedes the layer.
    key.surroundings = source == .running ? .none : surroundings.before
    return key
  }
}
