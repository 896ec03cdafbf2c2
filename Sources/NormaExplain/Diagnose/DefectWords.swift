extension Defect {
  /// What is wrong, in a sentence.
  var statement: String {
    switch self {
    case .nonFinite:
      "Running statistics hold NaN or infinity: everything behind these channels is lost in "
        + "evaluation."
    case .negativeVariance:
      "A running variance is below zero. No data have such a variance; its root is no number."
    case .neverTrained:
      "The running statistics are still the first values, so evaluation does not normalize at all."
    case .exchanged:
      "The running statistics are those of another layer."
    case .notConverged:
      "The running statistics have not caught up with the network: the momentum is too small for "
        + "the number of batches that they followed."
    case .doubleUpdate:
      "The running statistics were updated more often than there were batches: something calls the "
        + "network in training mode a second time."
    case .stale:
      "The running statistics stood still while the network went on learning: they belong to older "
        + "weights."
    case .noisy:
      "The running statistics rest on too few values, and chance moves them."
    case .epsilon:
      "The epsilon is not the one that the weights were trained with, or is so large that it "
        + "outweighs the variance."
    case .domainShift:
      "The batch is not like the data of training: the running statistics are right for those, and "
        + "wrong for these."
    case .deadChannels:
      "Some channels give the same number whatever comes in; the network does not use them."
    }
  }

  /// Whether new running statistics repair it.
  package var isRecalibrated: Bool {
    switch self {
    case .nonFinite, .negativeVariance, .neverTrained, .exchanged, .notConverged, .doubleUpdate,
      .stale, .noisy:
      true
    case .epsilon, .domainShift, .deadChannels: false
    }
  }

  /// What to try, the most promising first.
  var repairs: [String] {
    switch self {
    case .nonFinite, .negativeVariance:
      [
        "recalibrate(model, over: data) takes the statistics anew from data that are finite.",
        "nonFinitePolicy = .skipUpdate (or .error) keeps a bad batch out of them.",
      ]
    case .neverTrained:
      [
        "recalibrate(model, over: data) with data of training.",
        "Check that running_mean and running_var were saved and loaded, and that the network was in "
          + "training mode while it learned, with updatesRunningStatistics = true.",
      ]
    case .exchanged:
      [
        "Check the names under which the statistics were saved and loaded.",
        "recalibrate(model, over: data) takes each layer's own.",
      ]
    case .notConverged:
      [
        "recalibrate(model, over: data) takes the statistics anew from all data.",
        "A larger momentum (PyTorch's 0.1 is .decay(0.9) in Keras' words), or .cumulative.",
      ]
    case .doubleUpdate:
      [
        "Find the second call: a validation in training mode, a checkpointed block that runs twice, a "
          + "penalty that calls the network again; call it with updatesRunningStatistics = false.",
        "recalibrate(model, over: data) if the extra batches were of another kind.",
      ]
    case .stale:
      [
        "recalibrate(model, over: data) takes statistics that fit the present weights.",
        "unfreeze(), train() or updatesRunningStatistics = true for these layers while the network "
          + "learns; or freeze them and let them normalize with what they keep.",
      ]
    case .noisy:
      [
        "recalibrate(model, over: data) pools all data.",
        "Larger batches or a smaller momentum; for very small batches GroupNorm.",
      ]
    case .epsilon:
      [
        "Give the layers the epsilon of training: PyTorch 1e-5, Keras 1e-3 (convention: .keras).",
        "recalibrate(model, over: data) if the epsilon has to stay.",
        "Scale the inputs where their variance is smaller than epsilon.",
      ]
    case .domainShift:
      [
        "Prepare the inputs as in training: scale, mean, order of colours.",
        "recalibrate(model, over: newData) if the data really are others.",
      ]
    case .deadChannels:
      [
        "Nothing has to be done; the channels can be removed without changing a result.",
        "A smaller learning rate or weight decay on these weights, if there should be none.",
      ]
    }
  }
}
