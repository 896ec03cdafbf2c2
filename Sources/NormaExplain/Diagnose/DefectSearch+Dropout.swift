/// Dropouts before a layer, whose noise is in the variance of training but not in that of use.
extension DefectSearch {
  /// Layers directly after a dropout whose means fit and whose running variances are all too large.
  func findDropouts() {
    let shifted = layers.filter { layer in
      guard !isExplained(layer), dropout(before: layer) != nil, layer.count > 1 else {
        return false
      }
      let ratios = layer.logRatios
      let larger = ratios.filter { $0 > 0 }.count
      return (median(ratios) ?? 0) > 0.04 && larger * 10 >= ratios.count * 9
        && layer.varianceMultiple > 2
        && layer.varianceGap > 2 * layer.meanGap
    }
    report(
      .dropoutShift, shifted,
      evidence: shifted.map { layer in
        let (middle, _) = layer.commonRatio
        let (name, share) = dropout(before: layer) ?? ("", nil)
        return "\(layer.name): the running standard deviations are \(short(exponential(middle))) "
          + "times the batch's, in the median over the channels; the means fit ("
          + "\(short(layer.meanGap.squareRoot())) standard deviations), and \(name)"
          + (share.map { " (p = \(short($0)))" } ?? "") + " is called between this layer and the "
          + "normalization before it"
      },
      alternatives: [
        .init(.domainShift, "data that vary less than those of training"),
        .init(.stale, "weights that changed after the statistics were taken"),
      ],
      decides: [
        "Capture training data (--train): if the variances are as far off there, it is the dropout."
      ],
      severity: shifted.contains { $0.isOff } ? .error : .warning)
    // Later layers saw the noise of training as well.
    guard let start = layers.firstIndex(where: { layer in shifted.contains { $0.id == layer.id } })
    else { return }
    let multiple = shifted.map(\.multiple).max() ?? 0
    explain(layers[start...].filter { !$0.isUnrelated && $0.multiple < 2 * multiple })
  }

  /// The dropout between a layer and the normalization before it.
  private func dropout(before layer: LayerEvidence) -> (name: String, share: Double?)? {
    let near = layer.layer.between + [layer.layer.before].compactMap { $0 }
    return near.last { $0.kind.contains("Drop") && ($0.dropout ?? 0.5) > 0 }.map { found in
      (found.name.isEmpty ? found.kind : "\(found.kind) \(found.name)", found.dropout)
    }
  }
}
