extension ChangeScene {
  /// How to fix a change, in a sentence.
  func advice(for change: Change) -> String {
    if change.isObserved && change.cause != .rounding { return observedAdvice(change) }
    switch change.cause {
    case .axes: return axesAdvice(change)
    case .correction: return correctionAdvice()
    case .epsilonValue: return epsilonAdvice()
    case .epsilonPlacement:
      return "Add epsilon to the \(square), under the root, and nowhere else."
    case .affine: return affineAdvice(change)
    case .momentumConvention:
      guard let m = layer.momentum, recipe.momentum == .exchanged else {
        return "Update the running statistics as the layer does."
      }
      return "Give the new batch the weight \(text(m)), and the old value \(text(1 - m))."
    case .runningVersusBatch: return sourceAdvice()
    case .runningVarianceCorrection:
      return right.runningVariance == .biased
        ? "Average the running variance over n." : "Average the running variance over n - 1."
    case .orderOfOperations: return orderAdvice()
    case .groupAssignment:
      return frame.isGrouped
        ? "Form \(frame.shape[1]) groups of \(frame.shape[2]) neighboring channels."
        : "Do not form groups: take mean and variance over \(frame.words(right.meanAxes))."
    case .rounding:
      return right.narrow == nil
        ? "Keep the result in the type of the input."
        : "Compute in float32, and round once at the end."
    case .meanNotSubtracted: return centringAdvice()
    case .perAxisComposition:
      return
        "Take one \(square) over \(frame.words(right.meanAxes)) in one step, not one axis after "
        + "the other."
    case .mask:
      return recipe.mask == .filled
        ? "Leave the masked positions as they are: the layer counts them like all others."
        : "Count every position, as the layer does; or normalize with a mask yourself."
    case .other: return otherAdvice()
    }
  }

  private var square: String { right.aboutZero ? "mean of squares" : "variance" }

  private func observedAdvice(_ change: Change) -> String {
    switch change.cause {
    case .correction: "Divide the variance by n, not by n - 1."
    case .meanNotSubtracted: "Subtract the mean of every \(layer.unit(frame))."
    case .epsilonValue: epsilonAdvice()
    default:
      "Look for a factor or an addend of every \(layer.unit(frame)); which, the data do not say."
    }
  }

  private func axesAdvice(_ change: Change) -> String {
    if let words = change.words {
      return right.blocks == .none
        ? "Take the statistics over \(frame.words(right.meanAxes)), not those of \(named(words))."
        : "Take the statistics of each part of the batch by itself."
    }
    let own = frame.words(right.meanAxes)
    let spread = recipe.steps.flatMap(\.axes)
    if spread == recipe.meanAxes {
      let what = recipe.centred ? "mean and \(square)" : "the \(square)"
      return "Take \(what) over \(own), not over \(frame.words(spread))."
    }
    if spread == right.meanAxes {
      return "Take the mean over \(own), not over \(frame.words(recipe.meanAxes))."
    }
    return "Take the \(square) over \(own), not over \(frame.words(spread))."
  }

  /// `statistics of each of 2 parts of the batch` without its first words.
  private func named(_ words: String) -> String {
    let start = "statistics of "
    return words.hasPrefix(start) ? String(words.dropFirst(start.count)) : words
  }

  private func correctionAdvice() -> String {
    switch recipe.correction {
    case .one: "Divide the variance by n, not by n - 1."
    case .twice: "Divide the variance by n; yours is multiplied by n / (n - 1) twice."
    case .inverse: "Divide the variance by n; yours is multiplied by (n - 1) / n."
    case .batchSize:
      "Divide the variance by n; yours is multiplied by N / (N - 1), with N = \(frame.outer[0])."
    case .sum: "Divide the sum of squares by n."
    default: "Divide the variance by n."
    }
  }

  private func epsilonAdvice() -> String {
    let own = text(layer.epsilon)
    if identity == .epsilon {
      return recipe.epsilon == 0
        ? "Give the layer a smaller epsilon: its input already has variance 1."
        : "Add epsilon once: you add it, and the layer adds it again."
    }
    if recipe.epsilon == 0 { return "Add epsilon, \(own), to the \(square)." }
    return right.epsilon == 0
      ? "Add no epsilon." : "Use the layer's epsilon, \(own), in place of \(text(recipe.epsilon))."
  }

  private func affineAdvice(_ change: Change) -> String {
    if let extra = layer.extra, !recipe.hasExtra, right.hasExtra {
      return "Apply \(extra.words) as well."
    }
    let both =
      layer.bias == nil ? "Multiply by the weight" : "Multiply by the weight and add the bias"
    if identity == .affine { return "Leave weight and bias of the layer out (affine: false)." }
    if !layer.hasAffine, recipe.affine == .onePlusWeight {
      return "Leave out the factor 2, which is 1 + weight: the layer multiplies by its weight, 1."
    }
    return switch recipe.affine {
    case .none: "\(both)."
    case .weightOnly: "Add the bias."
    case .biasOnly: "Multiply by the weight."
    case .onePlusWeight: "Multiply by the weight itself, not by 1 + weight."
    case .exchanged: "\(both): yours are exchanged."
    case .minusBias: "Add the bias; you subtract it."
    case .weightTwice: "Multiply by the weight once; you do it twice."
    case .dividedByWeight: "Multiply by the weight; you divide by it."
    case .along: "\(both), along the channels: axis \(frame.channelAxis)."
    default: "\(both), each at its own channel."
    }
  }

  private func sourceAdvice() -> String {
    if identity == .statistics {
      return "Put the layer in training, so that it uses the batch's own mean and variance."
    }
    switch (right.source, recipe.source) {
    case (.batch, .running):
      return "Put the layer in evaluation; or use the batch's own mean and variance yourself."
    case (.batch, .updated): return "Use the batch's own mean and variance."
    case (_, .batch):
      return "Use the running mean and variance: the layer is in evaluation."
    case (_, .updated): return "Use the running statistics as they are, without this batch."
    default: return "Use the running statistics as the layer has kept them."
    }
  }

  private func orderAdvice() -> String {
    if recipe.affine == .biasFirst { return "Multiply by the weight first, then add the bias." }
    return switch recipe.surroundings {
    case .shiftAfter: "Add the preceding bias before the layer, not after it."
    case .shiftMissing: "Add the preceding bias: it is part of the layer's input."
    case .rectifiedAfter: "Compare before the ReLU: the layer has none."
    case .rectifiedBefore: "Normalize first, and apply the ReLU to the result."
    case .affineBefore: "Normalize first; weight and bias come after that."
    default: "Normalize, scale, then shift."
    }
  }

  private func centringAdvice() -> String {
    if right.centred && !recipe.centred { return "Subtract the mean." }
    if !right.centred && recipe.centred { return "Do not subtract the mean." }
    return right.aboutZero
      ? "Divide by the root mean square, not by the standard deviation."
      : "Divide by the standard deviation, not by the root mean square."
  }

  private func otherAdvice() -> String {
    let root = recipe.aboutZero ? "root mean square" : "standard deviation"
    if let function = recipe.replaced {
      return "Normalize: \(function.rawValue) of the input is another function."
    }
    if recipe.surroundings == .inputAdded { return "Compare without the input that you add." }
    if recipe.correction == .sum { return "Divide the sum of squares by n before the root." }
    if recipe.steps.contains(where: { $0.statistic == .absolute }) {
      return "Divide by the standard deviation, not by the mean absolute deviation."
    }
    return switch recipe.divisor {
    case .variance: "Divide by the \(root), not by its square."
    case .reciprocal: "Divide by the \(root); you multiply by it."
    case .one: "Divide by the \(root)."
    case .deviation: "Use the layer's formula; yours is a different one."
    }
  }
}

extension CauseName {
  /// The mistake in a few words, for use in a sentence.
  package var title: String {
    switch self {
    case .axes: "other axes"
    case .correction: "n - 1 in place of n"
    case .epsilonPlacement: "epsilon in another position"
    case .epsilonValue: "another epsilon"
    case .affine: "weight and bias"
    case .momentumConvention: "momentum the other way round"
    case .runningVersusBatch: "running statistics in place of the batch's, or the reverse"
    case .runningVarianceCorrection: "n in place of n - 1 in the running variance"
    case .orderOfOperations: "steps in another order"
    case .groupAssignment: "other groups of channels"
    case .rounding: "rounding on the way"
    case .meanNotSubtracted: "the mean"
    case .perAxisComposition: "statistics of statistics"
    case .mask: "padding"
    case .other: "another formula"
    }
  }
}
