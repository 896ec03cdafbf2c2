import NormaNN
import NormaTensor

/// The computation of a normalization layer, by options, so that the options of two layers can be
/// mixed.
struct NormFormula {
  /// The values that a statistic is taken over.
  enum Reach: Hashable {
    /// A channel, at axis 1.
    case channels
    /// A channel of a sample: this many last axes.
    case space(Int)
    /// A group of channels of a sample, with this many groups.
    case groups(Int)
    /// These axes; if nil, the last ones.
    case axes([Int]?, last: Int)
  }

  var reach: Reach
  var subtractsMean = true
  var usesInput = true
  var runningMean: [Double]?
  var runningVariance: [Double]?
  var batches = 0
  var eps: Double
  var weight: Tensor?
  var bias: Tensor?
  var momentum: Momentum = 0.1
  var correction = 1.0
  var updates = false
  /// Whether a batch can update running statistics at all.
  var hasUpdates = true

  /// The formula of a layer for inputs of a shape and type; nil if it is not one of these.
  init?(_ layer: any Layer, _ shape: [Int], _ dtype: DType) {
    func along(_ axes: [Int], _ parameter: Tensor?) -> Tensor? {
      parameter?.detached().cast(to: .float64)
        .reshaped(shape.indices.map { axes.contains($0) ? shape[$0] : 1 })
    }
    switch layer {
    case let norm as BatchNorm:
      let isPlain = type(of: norm) == BatchNorm.self || norm is BatchNorm1d || norm is BatchNorm2d
      guard isPlain || norm is BatchNorm3d || !norm.usesBatchStatistics else { return nil }
      (reach, eps) = (.channels, norm.eps)
      (weight, bias) = (along([1], norm.weight?.value), along([1], norm.bias?.value))
      usesInput = norm.usesBatchStatistics
      runningMean = norm.runningMean?.value.array()
      runningVariance = norm.runningVar?.value.array()
      batches = Int(norm.numBatchesTracked?.value.item() ?? 0)
      (momentum, correction) = (norm.momentum, norm.runningVarianceCorrection)
      updates =
        norm.isTraining && norm.updatesRunningStatistics && !norm.isFrozen && runningMean != nil
    case let norm as FrozenBatchNorm2d:
      (reach, eps, usesInput, hasUpdates) = (.channels, norm.eps, false, false)
      (weight, bias) = (along([1], norm.weight.value), along([1], norm.bias.value))
      runningMean = norm.runningMean.value.array()
      runningVariance = norm.runningVar.value.array()
    case let norm as GroupNorm:
      (reach, eps) = (.groups(norm.groups), norm.eps)
      (weight, bias) = (along([1], norm.weight?.value), along([1], norm.bias?.value))
    case let norm as InstanceNorm:
      let space = norm is InstanceNorm1d ? 1 : norm is InstanceNorm3d ? 3 : 2
      let axis = shape.count - space - 1
      (reach, eps) = (.space(space), norm.eps)
      (weight, bias) = (along([axis], norm.weight?.value), along([axis], norm.bias?.value))
      usesInput = norm.isTraining || norm.runningMean == nil
      runningMean = norm.runningMean?.value.array()
      runningVariance = norm.runningVar?.value.array()
      batches = Int(norm.numBatchesTracked?.value.item() ?? 0)
      (momentum, updates) = (norm.momentum, norm.isTraining && runningMean != nil)
    case let norm as LayerNorm:
      reach = .axes(norm.axes, last: norm.normalizedShape.count)
      eps = norm.eps
      let axes = Self.axes(reach, shape.count)
      (weight, bias) = (along(axes, norm.weight?.value), along(axes, norm.bias?.value))
    case let norm as RMSNorm:
      reach = .axes(norm.axes, last: norm.normalizedShape.count)
      subtractsMean = false
      eps = norm.eps ?? (dtype == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne))
      weight = along(Self.axes(reach, shape.count), norm.weight?.value)
    default: return nil
    }
  }

  static func axes(_ reach: Reach, _ rank: Int) -> [Int] {
    switch reach {
    case .channels: (0..<rank).filter { $0 != 1 }
    case .space(let space): Array(rank - space..<rank)
    case .groups: Array(2...rank)
    case .axes(let axes, let last):
      axes?.map { $0 < 0 ? $0 + rank : $0 } ?? Array(rank - last..<rank)
    }
  }

  /// Mean and variance that normalize x, and x in the shape that they broadcast to.
  func own(_ x: Tensor) -> (seen: Tensor, mean: Tensor, variance: Tensor) {
    let axes = Self.axes(reach, x.rank)
    var seen = x
    if case .groups(let groups) = reach {
      seen = x.reshaped([x.shape[0], groups, x.shape[1] / groups] + x.shape.dropFirst(2))
    }
    let mean = seen.mean(over: axes, keepDims: true)
    if subtractsMean {
      return (seen, mean, seen.variance(over: axes, correction: 0, keepDims: true))
    }
    return (seen, mean * 0, seen.squared().mean(over: axes, keepDims: true))
  }

  /// The result for a `float64` input.
  func result(_ x: Tensor) -> Tensor {
    var y: Tensor
    if usesInput || runningMean == nil {
      let (seen, mean, variance) = own(x)
      y = ((seen - mean) / (variance + eps).sqrt()).reshaped(x.shape)
    } else {
      let shape = channelShape(x)
      let mean = Tensor(runningMean ?? [], dtype: .float64).reshaped(shape)
      let variance = Tensor(runningVariance ?? [], dtype: .float64).reshaped(shape)
      y = (x - (subtractsMean ? mean : mean * 0)) / (variance + eps).sqrt()
    }
    if let weight { y = y * weight }
    if let bias { y = y + bias }
    return y.evaluated()
  }

  func channelShape(_ x: Tensor) -> [Int] {
    var axis = 1
    if case .space(let space) = reach { axis = x.rank - space - 1 }
    return x.shape.indices.map { $0 == axis ? x.shape[$0] : 1 }
  }

  /// Running mean and variance after the call; nil if there are none.
  func running(_ x: Tensor) -> (mean: Tensor, variance: Tensor)? {
    guard let runningMean, let runningVariance else { return nil }
    let old = (Tensor(runningMean, dtype: .float64), Tensor(runningVariance, dtype: .float64))
    guard updates else { return old }
    let share = momentum.share(after: batches)
    let channels = channelShape(x)
    let axis = channels.firstIndex { $0 != 1 } ?? 1
    var axes = x.shape.indices.filter { $0 != axis }
    // First each sample's statistics, then their mean over the samples.
    if case .space(let space) = reach { axes = Array(x.rank - space..<x.rank) }
    let rest = x.shape.indices.filter { !axes.contains($0) && $0 != axis }
    let count = Double(axes.reduce(1) { $0 * x.shape[$1] })
    var mean = x.mean(over: axes, keepDims: true)
    var variance =
      x.variance(over: axes, correction: 0, keepDims: true) * (count / max(count - correction, 0))
    if !rest.isEmpty {
      mean = mean.mean(over: rest, keepDims: true)
      variance = variance.mean(over: rest, keepDims: true)
    }
    return (
      old.0 * (1 - share) + mean.reshaped(-1) * share,
      old.1 * (1 - share) + variance.reshaped(-1) * share
    )
  }

  /// The same formula with some options of another.
  func taking(_ options: [NormOption], from other: NormFormula) -> NormFormula {
    var mixed = self
    for option in options {
      switch option {
      case .axes: mixed.reach = other.reach
      case .meanSubtraction: mixed.subtractsMean = other.subtractsMean
      case .statisticsSource: mixed.usesInput = other.usesInput
      case .runningStatistics:
        mixed.runningMean = other.runningMean
        mixed.runningVariance = other.runningVariance
        mixed.batches = other.batches
      case .eps: mixed.eps = other.eps
      case .weight: mixed.weight = other.weight
      case .bias: mixed.bias = other.bias
      case .momentum: mixed.momentum = other.momentum
      case .runningVarianceCorrection: mixed.correction = other.correction
      case .updates: mixed.updates = other.updates
      }
    }
    // A layer that normalizes with running statistics needs some.
    if !mixed.usesInput && mixed.runningMean == nil {
      mixed.runningMean = runningMean ?? other.runningMean
      mixed.runningVariance = runningVariance ?? other.runningVariance
    }
    return mixed
  }

  /// The options that differ between two formulas for inputs of a shape, as text.
  func differences(from other: NormFormula, _ shape: [Int]) -> [OptionDifference] {
    NormOption.allCases.compactMap { option in
      differs(from: other, in: option, shape)
        ? OptionDifference(
          option: option, first: words(option, shape), second: other.words(option, shape)) : nil
    }
  }

  private func differs(
    from other: NormFormula, in option: NormOption, _ shape: [Int]
  ) -> Bool {
    func values(_ tensor: Tensor?, _ neutral: Double) -> [Double] {
      (tensor ?? Tensor(neutral)).broadcast(to: shape).array()
    }
    // Options of running statistics are meaningless for a layer without any.
    let bothTrack = runningMean != nil && other.runningMean != nil
    let bothFollow = bothTrack && hasUpdates && other.hasUpdates
    switch option {
    case .axes: return grouping(shape) != other.grouping(shape)
    case .meanSubtraction: return subtractsMean != other.subtractsMean
    case .statisticsSource: return usesInput != other.usesInput
    case .runningStatistics:
      let countsMatter = momentum == .cumulative || other.momentum == .cumulative
      return bothTrack
        && (runningMean != other.runningMean || runningVariance != other.runningVariance
          || countsMatter && batches != other.batches)
    case .eps: return eps != other.eps
    case .weight: return values(weight, 1) != values(other.weight, 1)
    case .bias: return values(bias, 0) != values(other.bias, 0)
    case .momentum: return bothFollow && momentum != other.momentum
    case .runningVarianceCorrection: return bothFollow && correction != other.correction
    case .updates: return bothFollow && updates != other.updates
    }
  }

  /// The sum of the indices in the group of every element, and the number of groups: equal for
  /// reaches that group the same values, whatever their names.
  private func grouping(_ shape: [Int]) -> [Double] {
    let shape = shape.enumerated().map { $0 == 1 ? $1 : min($1, 3) }
    let places = (0..<shape.reduce(1, *)).map(Double.init)
    let (seen, mean, _) = own(Tensor(places, shape: shape))
    return seen.sum(over: Self.axes(reach, shape.count), keepDims: true)
      .broadcast(to: seen.shape).array() + [Double(mean.count)]
  }

  private func words(_ option: NormOption, _ shape: [Int]) -> String {
    switch option {
    case .axes:
      if case .groups(let groups) = reach {
        return "\(groups) \(groups == 1 ? "group" : "groups") of channels of each sample"
      }
      return "over \(list(Self.axes(reach, shape.count)))"
    case .meanSubtraction: return subtractsMean ? "subtracted" : "not subtracted"
    case .statisticsSource: return usesInput ? "of the input" : "running"
    case .runningStatistics:
      return runningMean == nil ? "none" : "after \(batches) \(batches == 1 ? "batch" : "batches")"
    case .eps: return "\(eps)"
    case .weight: return words(weight, "none")
    case .bias: return words(bias, "none")
    case .momentum: return momentum.share.map { "\(short($0)) of a batch" } ?? "mean of batches"
    case .runningVarianceCorrection: return correction == 0 ? "n" : "n - \(short(correction))"
    case .updates: return updates ? "follow" : "stay"
    }
  }

  private func words(_ parameter: Tensor?, _ none: String) -> String {
    guard let parameter, parameter.count > 0 else { return none }
    let (low, high) = (parameter.min().item(), parameter.max().item())
    return low == high ? short(low) : "\(short(low)) ... \(short(high))"
  }
}
