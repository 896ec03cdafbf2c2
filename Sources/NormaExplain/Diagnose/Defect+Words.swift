extension Defect {
  /// What the defect is, in a sentence that holds wherever it is found.
  var statement: String {
    switch self {
    case .nonFinite:
      "Running statistics hold NaN or infinity."
    case .negativeVariance:
      "A running variance is below zero. No data have such a variance; its root is no number."
    case .neverTrained:
      "The running statistics are those of the start, mean 0 and variance 1, so evaluation does not "
        + "normalize at all."
    case .exchanged:
      "The running statistics fit another layer, or other channels, better than their own: they seem "
        + "to be in the wrong place."
    case .foreign:
      "The running statistics hardly have to do with these weights: they look like those of another "
        + "training or checkpoint."
    case .notConverged:
      "The running statistics have not caught up with the network: the momentum is too small for "
        + "the number of batches that they followed."
    case .momentumConvention:
      "The momentum is so large that the layer forgets all but the last batch. It looks like the "
        + "share of the old value, as Keras and Flax count; this layer takes it as the share of the new."
    case .doubleUpdate:
      "The running statistics followed more batches than training had: something seems to call the "
        + "network in training mode a second time."
    case .overwritten:
      "The running statistics look as if other batches than those of training had replaced what "
        + "training left, as inference in training mode does."
    case .stale:
      "The running statistics do not fit these weights, though they are akin to what these give: as "
        + "where they stood still, or were kept, while the weights moved on."
    case .noisy:
      "The running statistics rest on few values, and chance moves them."
    case .unrepresentative:
      "The running statistics look like those of a part of the data: of some classes, or of one "
        + "process' share."
    case .dropoutShift:
      "A dropout in front of the layer makes the variance in training larger than in evaluation, and "
        + "the running variance is that of training."
    case .epsilon:
      "The epsilon seems not to be the one that the weights were trained with, or is so large that "
        + "it outweighs the variance."
    case .domainShift:
      "The batch and the running statistics differ from the first layer on, as they do where the "
        + "data are prepared otherwise than in training, or are others."
    case .deadChannels:
      "Some channels give the same number whatever this batch brings."
    case .differentFormula:
      "The layer's results are not those of its formula."
    }
  }

  /// How much it matters where nothing else is known.
  var severity: Severity {
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
