import NormaTensor

/// Rare mistakes, each with a kind of its own.
extension Recipe {
  /// The factor of the subtracted mean.
  enum MeanFactor: Hashable {
    case one
    /// The mean is added.
    case negative
    /// The sum is divided by this count, but squares are taken about the true mean.
    case count(Int)
    /// The same, with squares about the modified mean.
    case countBoth(Int)
  }

  /// The factor of the normalized value, with the count `n` of the layer's statistics.
  enum Gain: Hashable {
    case one
    /// `n`
    case count
    /// `sqrt(n)`
    case root
    /// `1 / n`
    case inverseCount
    /// `1 / sqrt(n)`
    case inverseRoot

    func factor(_ n: Double) -> Double {
      switch self {
      case .one: 1
      case .count: n
      case .root: n.squareRoot()
      case .inverseCount: 1 / n
      case .inverseRoot: 1 / n.squareRoot()
      }
    }
  }

  /// Changes of running statistics before they are used.
  enum Buffers: Hashable {
    case kept
    /// They are still 0 and 1.
    case initial
    /// Both are multiplied by a factor that was never divided out.
    case times(Double)
    /// Only the variance is.
    case varianceTimes(Double)
    /// Only the mean is.
    case meanTimes(Double)
    /// The running variance is mistaken for a deviation.
    case deviation
    /// The running variance is mistaken for the reciprocal of a deviation.
    case reciprocal

    func mean(_ value: Double) -> Double {
      switch self {
      case .initial: 0
      case .times(let factor), .meanTimes(let factor): value * factor
      default: value
      }
    }

    func variance(_ value: Double) -> Double {
      switch self {
      case .initial: 1
      case .times(let factor), .varianceTimes(let factor): value * factor
      case .deviation: value * value
      case .reciprocal: 1 / (value * value)
      default: value
      }
    }
  }

  /// The factor of the mean when a layer is folded into one product and one sum: `x * weight /
  /// deviation + (bias - mean * ...)`.
  enum Fold: Hashable {
    /// `weight / deviation`.
    case right
    /// No factor.
    case plain
    case weight
    /// `1 / deviation`
    case reciprocal

    /// The factor, from the correct one, the weight and the divisor.
    func factor(_ right: Double, weight: Double, divisor: Double) -> Double {
      switch self {
      case .right: right
      case .plain: 1
      case .weight: weight
      case .reciprocal: 1 / divisor
      }
    }
  }

  /// Steps whose results are rounded to a narrower type.
  struct NarrowSteps: Hashable {
    enum Step: String, Hashable, CaseIterable {
      case input = "the input"
      case mean
      case squares = "squared distances"
      case variance
      case reciprocal = "the reciprocal root"
      case normalized = "the normalized value"
    }

    let type: DType
    let steps: Set<Step>

    /// The sets of steps that are commonly computed in a half type.
    static let usual: [Set<Step>] = [
      [.reciprocal], [.squares, .variance], [.variance], [.mean], [.mean, .variance],
      [.mean, .squares, .variance], [.normalized], [.squares, .variance, .reciprocal],
      [.mean, .squares, .variance, .reciprocal, .normalized],
      [.squares, .variance, .reciprocal, .normalized], [.input], [.input, .normalized],
      [.input, .mean, .squares, .variance, .reciprocal, .normalized],
    ]

    func contains(_ step: Step) -> Bool { steps.contains(step) }
  }
}
