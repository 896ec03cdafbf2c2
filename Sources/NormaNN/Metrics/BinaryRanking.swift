import NormaTensor

/// How well scores rank positive samples above negative ones: area under the ROC curve and average
/// precision.
///
/// Exact, with ties: all scores are kept, 9 bytes each in memory, and sorted when a value is read.
/// Scores may be probabilities or any numbers where higher means positive. PyTorch:
/// `torchmetrics.AUROC`, `AveragePrecision`; scikit-learn: `roc_auc_score`,
/// `average_precision_score`.
public struct BinaryRanking: Metric {
  private var scores: [Double] = []
  private var isPositive: [Bool] = []

  /// No samples yet.
  public init() {}

  /// The number of samples.
  public var count: Int { scores.count }

  /// Adds scores and targets of the same shape; targets are Booleans, or integers 0 and 1. NaN has
  /// no rank and is an error.
  public mutating func update(
    _ x: Tensor, _ target: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    change([x, target], file, line) { metric throws(TensorError) in
      let call = "BinaryRanking.update(_:_:)"
      guard x.shape == target.shape, x.dtype.isFloatingPoint, !target.dtype.isFloatingPoint else {
        throw TensorError(
          call,
          "real scores and Boolean or integer targets of one shape are needed; got \(x.dtype) "
            + "\(x.shape) and \(target.dtype) \(target.shape)")
      }
      let (new, labels) = (x.array(of: Double.self), target.array(of: Int.self))
      if new.contains(where: \.isNaN) { throw TensorError(call, "a score is NaN") }
      if let wrong = labels.first(where: { $0 != 0 && $0 != 1 }) {
        throw TensorError(call, "target \(wrong) is neither 0 nor 1")
      }
      metric.scores += new
      metric.isPositive += labels.map { $0 == 1 }
    }
  }

  /// Adds the samples of another metric.
  public mutating func merge(_ other: BinaryRanking) {
    scores += other.scores
    isPositive += other.isPositive
  }

  /// The probability that a positive sample has a higher score than a negative one, ties counting
  /// half: the area under the ROC curve. NaN without positive or without negative samples, as there
  /// is no such pair.
  public var areaUnderROC: Double {
    // Twice the number of ordered pairs is an integer, and exact.
    var (pairs, positives, negatives) = (0, 0, 0)
    for group in groups.reversed() {
      pairs += group.positives * (2 * negatives + group.negatives)
      positives += group.positives
      negatives += group.negatives
    }
    return Double(pairs) / 2 / (Double(positives) * Double(negatives))
  }

  /// Σ (R - R') P over thresholds from the highest score down, with precision P, recall R and the
  /// previous recall R'; equal scores share a threshold. NaN without positive samples, where recall
  /// is undefined; scikit-learn returns 0 there.
  public var averagePrecision: Double {
    let total = isPositive.count { $0 }
    var (sum, positives, all) = (0.0, 0, 0)
    for group in groups {
      positives += group.positives
      all += group.positives + group.negatives
      sum += Double(group.positives) * (Double(positives) / Double(all))
    }
    return sum / Double(total)
  }

  /// Samples of equal scores, the highest first.
  private var groups: [(positives: Int, negatives: Int)] {
    var groups: [(positives: Int, negatives: Int)] = []
    var last: Double?
    for place in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
      if scores[place] != last { groups.append((0, 0)) }
      last = scores[place]
      if isPositive[place] {
        groups[groups.count - 1].positives += 1
      } else {
        groups[groups.count - 1].negatives += 1
      }
    }
    return groups
  }
}
