extension Defect {
  /// The defect, in a sentence that holds wherever it is found.
  var statement: String {
    switch self {
    case .nonFinite:
      "Some running statistics are NaN or infinite."
    case .negativeVariance:
      "A running variance is negative. No data have a negative variance, and its square root is "
        + "NaN."
    case .neverTrained:
      "The running statistics still have their initial values, mean 0 and variance 1, so "
        + "evaluation does not normalize at all."
    case .exchanged:
      "The running statistics fit another layer, or other channels, better than their own: they "
        + "seem to belong elsewhere."
    case .foreign:
      "The running statistics seem unrelated to these weights: they look like those of another "
        + "training run or checkpoint."
    case .notConverged:
      "The running statistics have not caught up with the network: each batch has too small a "
        + "share in them for the number of batches that they followed."
    case .momentumConvention:
      "The momentum is so large that the layer forgets all but the last batch. It looks like the "
        + "share of the old value, which Keras and Flax call momentum; here it is the share of the "
        + "new batch."
    case .doubleUpdate:
      "The running statistics followed more batches than training had: the network seems to be "
        + "called in training mode outside of training steps."
    case .overwritten:
      "Batches that were not part of training seem to have overwritten the running statistics, as "
        + "happens when a network is used in training mode."
    case .stale:
      "The running statistics look out of date: the weights seem to have changed while the "
        + "statistics stood still."
    case .noisy:
      "The running statistics rest on too few values, so chance moves them."
    case .unrepresentative:
      "The running statistics look like those of only a part of the data: of some classes, or of "
        + "one process's share."
    case .dropoutShift:
      "A dropout before the layer makes its variance larger in training than in evaluation, "
        + "and the running variance is that of training."
    case .epsilon:
      "The epsilon does not seem to be the one that the weights were trained with, or it is so "
        + "large that it outweighs the variance."
    case .domainShift:
      "This batch and the running statistics differ from the first layer on, as happens when the "
        + "inputs are prepared differently than in training, or are different data."
    case .deadChannels:
      "Some channels give the same value for every input in this batch."
    case .differentFormula:
      "The layer's results are not those of its formula."
    }
  }

  /// Its severity if nothing else is known.
  var severity: DefectFinding.Severity {
    switch self {
    case .deadChannels: .note
    case .noisy, .epsilon, .doubleUpdate: .warning
    default: .error
    }
  }

  /// Whether new running statistics repair it.
  package var isRecalibrated: Bool {
    switch self {
    case .nonFinite, .negativeVariance, .neverTrained, .exchanged, .foreign, .notConverged,
      .momentumConvention, .doubleUpdate, .overwritten, .stale, .noisy, .unrepresentative,
      .dropoutShift:
      true
    case .epsilon, .domainShift, .deadChannels, .differentFormula: false
    }
  }
}
