extension Explanation: CustomStringConvertible {
  /// The explanation as text, for 80 columns and without colors.
  public var description: String { text(style: TextStyle()) }

  /// The explanation as text: the steps that close the gap, then what the layer computes.
  ///
  /// - Parameter details: Whether to add identifiers, shares and the effect of each cause alone.
  package func text(style: TextStyle, details: Bool = false) -> String {
    var parts: [String] = []
    if gap != nil || !nonFinite.isEmpty {
      parts.append(title(style) + "\n" + ladderText(style: style))
    }
    parts += notes.map { style.paragraph($0, first: "Note: ", indent: 6) }
    if details { parts.append(detailsText(style: style)) }
    parts.append(formulaText(style: style))
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private func title(_ style: TextStyle) -> String {
    style.paragraph("\(layer)\(mode), input \(statistics.shape)", emphasis: style.strong)
  }

  /// Layers without running statistics behave the same in both modes.
  private var mode: String {
    statistics.runningMean == nil ? "" : isTraining ? " in training" : " in evaluation"
  }

  // MARK: The formula

  private func formulaText(style: TextStyle) -> String {
    let s = statistics
    let isPlain = !s.hasAffine
    let weight = s.weight == nil || isPlain ? "" : " * weight"
    let bias = s.bias == nil || isPlain ? "" : " + bias"
    let normalized = s.subtractsMean ? "(x - mean) / sqrt(var" : "x / sqrt(mean of squares"
    let formula = "y = \(normalized) + \(number(s.epsilon)))\(weight)\(bias)"
    var lines: [String] = []
    lines.append(
      gap == nil && nonFinite.isEmpty
        ? style.strong("\(layer)\(mode), input \(s.shape)") + "\n  \(formula)"
        : style.strong("The layer: ") + formula)
    lines.append(
      style.paragraph(
        s.usesRunning
          ? "with running statistics, from earlier batches"
          : "statistics over \(axesWords): \(grouped(s.count)) values for each \(s.unit)",
        indent: 2))
    lines.append(style.table(rows()))
    return lines.joined(separator: "\n")
  }

  private var axesWords: String {
    let s = statistics
    guard let groups = s.groups else { return "axes \(list(s.axes))" }
    let others = s.axes.filter { $0 != 1 }
    let channels = "the \(s.shape[1] / groups) channels of a group"
    return others.isEmpty ? channels : "axes \(list(others)) and \(channels)"
  }

  /// The first channels, groups or samples, a row each.
  private func rows() -> [[String]] {
    let s = statistics
    let affine = s.hasAffine && s.unit == "channel"
    var head = [s.unit.hasPrefix("c") ? "channel" : s.unit.hasPrefix("g") ? "group" : s.unit]
    head += s.subtractsMean ? ["mean", "var (n)"] : ["mean of squares"]
    if s.usesRunning { head += ["running mean", "running var"] }
    if s.subtractsMean && !s.usesRunning { head.append("var (n - 1)") }
    // Small epsilon shares give way to weight and bias.
    let showsEpsilon = !affine || !s.usesRunning || s.epsilonShare.contains { $0 > 0.01 }
    if showsEpsilon { head.append("eps share") }
    if affine { head += ["weight", "bias"] }
    var rows = [head]
    let shown = min(3, s.mean.count)
    for c in 0..<shown {
      var row = [place(c)]
      if s.subtractsMean { row.append(number(s.mean[c])) }
      row.append(number(s.biasedVariance[c]))
      if s.usesRunning {
        row += [number(s.usedMean[c]), number(s.usedVariance[c])]
      } else if s.subtractsMean {
        row.append(number(s.unbiasedVariance[c]))
      }
      if showsEpsilon { row.append(percent(s.epsilonShare[c])) }
      if affine { row += [number(s.weight?[c] ?? 1), number(s.bias?[c] ?? 0)] }
      rows.append(row)
    }
    if shown < s.mean.count { rows.append(["... \(grouped(s.mean.count - shown)) more"]) }
    return rows
  }

  /// The position of a statistic, as indices along the dimensions that it is not taken over.
  private func place(_ index: Int) -> String {
    let s = statistics
    let sizes =
      s.groups.map { [s.shape[0], $0] }
      ?? s.shape.indices.filter { !s.axes.contains($0) }.map { s.shape[$0] }
    guard sizes.count > 1 else { return "\(index)" }
    var (rest, places) = (index, [Int]())
    for size in sizes.reversed() {
      places.insert(rest % size, at: 0)
      rest /= size
    }
    return "\(places)"
  }
}

extension CauseName {
  /// The mistake in a sentence.
  package var meaning: String {
    switch self {
    case .axes: "Mean and variance were taken over other dimensions than the layer's."
    case .correction:
      "The layer divides the sum of squares by n; std and var divide by n - 1 unless told not to."
    case .epsilonPlacement: "Epsilon belongs under the root: sqrt(var + eps)."
    case .epsilonValue: "Epsilon is not the layer's, or is added once more than it should be."
    case .affine: "The layer multiplies by its weight and adds its bias, each at its own position."
    case .momentumConvention: "Here momentum weighs the new batch, elsewhere the old value."
    case .runningVersusBatch:
      "In training a layer uses the batch's statistics, in evaluation the running ones."
    case .runningVarianceCorrection:
      "The running variance is averaged over n - 1, although the batch's is divided by n."
    case .orderOfOperations: "The steps are right, their order is not."
    case .groupAssignment:
      "A group is a run of neighboring channels: the first C / groups of them, then the next."
    case .rounding: "Numbers were rounded on the way, to a type with fewer digits."
    case .meanNotSubtracted:
      "Layer norm and most other norms subtract the mean and divide by the deviation; RMS norm "
        + "does not."
    case .perAxisComposition:
      "A statistic of statistics is not the statistic: use all axes in one call."
    case .mask: "Padding changes mean and variance."
    case .other: "This is a different formula."
    }
  }
}

/// A number with four or five significant digits.
func number(_ value: Double) -> String {
  let size = abs(value)
  if size == 0 || !value.isFinite { return value.isFinite ? "0" : "\(value)" }
  if size >= 1e-3 && size < 1e6 { return text(value, digits: 5) }
  return text(value, digits: 3)
}

/// A fraction as a percentage, right-aligned in 8 columns: ` 99.96 %`.
func percent(_ share: Double) -> String {
  let hundredths = (share * 10000).rounded()
  var words: String
  if !hundredths.isFinite {
    words = "?"
  } else if hundredths == 0 {
    words = abs(share) < 1e-6 ? "0" : "<0.01"
    if share < 0 && words != "0" { words = "-0.00" }
  } else {
    let whole = Int(abs(hundredths)) / 100
    let rest = Int(abs(hundredths)) % 100
    words = (hundredths < 0 ? "-" : "") + "\(whole)." + (rest < 10 ? "0" : "") + "\(rest)"
  }
  return String(repeating: " ", count: max(0, 6 - words.count)) + words + " %"
}
