import NormaTensor

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
    /// `n`: the sum is not divided.
    case sum
    /// `n` over this count, by which the sum is divided.
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
    /// The first weights only, each for so many channels in a row.
    case stretched(Int)
    /// The first so many weights only, over and over.
    case repeated(Int)
  }

  /// What the centred value is divided by.
  enum Divisor: Hashable {
    case deviation
    case variance
    /// The reciprocal of the deviation: a product where a quotient was meant.
    case reciprocal
    /// Nothing: the value is only centred.
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
    /// The new value weighs `1 - momentum`.
    case exchanged
    /// The mean over all batches.
    case cumulative
    /// The statistics of all batches' values taken together.
    case pooled
    /// The last batch's own statistics.
    case last
    /// A new batch weighs this much.
    case value(Double)
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
    /// Each part has its own.
    case own
    /// The mean over the parts of their means and of their variances.
    case averaged
    /// The mean over the parts of their variances, about the mean of all.
    case variances
    /// The same of their deviations.
    case deviations
    /// The same of their variances, each by its count.
    case weighted
  }

  var source: Source
  /// The shape in which `meanAxes` and `steps` count their axes; nil for the frame's.
  var shape: [Int]?
  var meanAxes: [Int]
  /// How the variance is made, applied in turn; one step unless statistics are nested.
  var steps: [Step]
  var correction: Correction = .none
  var epsilon: Double
  var placement: Placement = .inside
  var affine: Affine = .both
  var centred = true
  /// Whether squares are taken of the values themselves, as an RMS norm does, and not of their
  /// distances from the mean.
  var aboutZero = false
  var divisor: Divisor = .deviation
  var meanFactor: MeanFactor = .one
  var gain: Gain = .one
  var fold: Fold = .right
  var buffers: Buffers = .kept
  /// A function of every value that stands in for the whole formula.
  var replaced: Pointwise?
  /// The rows at the start of the batch that statistics are taken of; nil for all.
  var rows: Int?
  var narrowSteps: NarrowSteps?
  var momentum: Momentum = .layers
  var runningVariance: RunningVariance = .unbiased
  /// The correction of the variance that enters the updated running variance.
  var updateCorrection: Correction = .one
  var surroundings: Surroundings = .none
  var mask: Mask = .ignored
  var blocks: Blocks = .none
  /// Whether the layer's further factor is applied; see `LayerNumbers.extra`.
  var hasExtra = true
  /// A factor and an addend that the data show and no formula accounts for.
  var observedScale: Grid?
  var observedShift: Grid?
  /// The same factor before the bias, for each statistic.
  var observedFactors: Grid?
  /// A narrower type that the result was rounded to.
  var narrow: DType?
  /// Whether the normalized value was rounded to that type before weight and bias as well.
  var narrowsEarly = false
  /// Whether what no formula accounts for is part of the result; see `Evidence.residual`.
  var holdsResidual = false

  /// The fields that statistics depend on; recipes that agree in them share mean and variance.
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
    // On what is kept, what precedes it has no influence.
    key.surroundings = source == .running ? .none : surroundings.before
    return key
  }
}
