/// How scores of single classes are averaged.
public enum ClassAverage: Sendable, Hashable, Codable {
  /// The score of one class, such as class 1 of a binary classifier. scikit-learn: `binary`.
  case of(class: Int)
  /// All samples together; precision, recall and F1 then equal the accuracy.
  case micro
  /// The mean over the classes that occur or were predicted.
  case macro
  /// The mean over the classes that occur, weighted by their frequency.
  case weighted
}

/// Precision, recall and F1.
///
/// A ratio with denominator 0 is undefined: the precision of a class that was never predicted, the
/// recall of one that does not occur, the F1 of one that is neither. `undefined` replaces it: 0 as
/// in scikit-learn (`zero_division`), which penalizes a class that is never predicted. With NaN,
/// such classes are left out of means.
extension ConfusionMatrix {
  /// The fraction of predictions of a class that are right. PyTorch: `torchmetrics.Precision`.
  public func precision(_ average: ClassAverage = .macro, undefined: Double = 0) -> Double {
    averaged(average, precisions(undefined: undefined), undefined)
  }

  /// The fraction of a class's samples that were predicted as such. PyTorch: `torchmetrics.Recall`.
  public func recall(_ average: ClassAverage = .macro, undefined: Double = 0) -> Double {
    averaged(average, recalls(undefined: undefined), undefined)
  }

  /// The harmonic mean of precision and recall: 2 hits / (predictions + support); for several
  /// classes, the mean of their F1. PyTorch: `torchmetrics.F1Score`.
  public func f1(_ average: ClassAverage = .macro, undefined: Double = 0) -> Double {
    averaged(average, f1s(undefined: undefined), undefined)
  }

  /// The precision of each class.
  public func precisions(undefined: Double = 0) -> [Double] {
    zip(hits, predictions).map { share($0, $1, undefined) }
  }

  /// The recall of each class.
  public func recalls(undefined: Double = 0) -> [Double] {
    zip(hits, support).map { share($0, $1, undefined) }
  }

  /// The F1 of each class.
  public func f1s(undefined: Double = 0) -> [Double] {
    let (predictions, support) = (predictions, support)
    return hits.indices.map {
      share(2 * hits[$0], predictions[$0] + support[$0], undefined)
    }
  }

  private func share(_ part: Int, _ whole: Int, _ undefined: Double) -> Double {
    whole == 0 ? undefined : Double(part) / Double(whole)
  }

  private func averaged(
    _ average: ClassAverage, _ values: [Double], _ undefined: Double
  ) -> Double {
    let weights: [Int]
    switch average {
    case .of(let number): return values.indices.contains(number) ? values[number] : .nan
    case .micro: return share(hits.reduce(0, +), count, undefined)
    case .macro: weights = zip(predictions, support).map { $0 + $1 > 0 ? 1 : 0 }
    case .weighted: weights = support
    }
    let known = zip(values, weights).filter { !$0.0.isNaN }
    let total = known.reduce(0) { $0 + $1.1 }
    if total == 0 { return undefined }
    return known.reduce(0) { $0 + $1.0 * Double($1.1) } / Double(total)
  }
}
