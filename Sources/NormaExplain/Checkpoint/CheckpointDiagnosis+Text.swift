extension CheckpointDiagnosis: CustomStringConvertible {
  /// The diagnosis as text, for 80 columns and without colors.
  public var description: String { text(style: TextStyle()) }

  /// The three lines that record what a checkpoint does not contain.
  public static let captureLines = [
    "$ norma capture --script > norma_capture.py",
    ">>> from norma_capture import capture; capture(model, x, \"mine.safetensors\")",
    "$ norma doctor mine.safetensors",
  ]

  /// What no checkpoint can show.
  public static let limits =
    "A checkpoint alone does not show whether the running statistics fit the weights and your data "
    + "(they may be those of another checkpoint, of older weights, of other data or of batches "
    + "that were too small), nor which epsilon, momentum and mode the layers had. A batch x shows "
    + "that:"

  /// The diagnosis as text.
  ///
  /// - Parameter showsAll: whether to print all evidence and all layers.
  package func text(style: TextStyle, showsAll: Bool = false) -> String {
    var parts: [String] = []
    if isHealthy {
      let rest = findings.isEmpty ? "" : ", but see the notes"
      parts.append(style.good(style.paragraph("The numbers themselves show nothing wrong\(rest).")))
    }
    for (number, finding) in findings.enumerated() {
      parts.append(text(finding, number: number + 1, style, showsAll))
    }
    parts.append(table(style, showsAll))
    if !unread.isEmpty {
      let shown = unread.sorted { $0.key < $1.key }.prefix(showsAll ? unread.count : 3)
      parts.append(
        style.paragraph(
          "Not read, \(unread.count) of \(tensors) tensors: "
            + shown.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
            + (shown.count < unread.count ? ", ..." : "")))
    }
    parts.append(
      style.paragraph(Self.limits) + "\n"
        + Self.captureLines.map { "  " + style.strong($0) }.joined(separator: "\n"))
    return parts.joined(separator: "\n\n")
  }

  /// The largest number of facts under a finding, and of layers in the table.
  private static let (shownFacts, shownLayers) = (4, 24)

  private func text(
    _ finding: CheckpointFinding, number: Int, _ style: TextStyle, _ showsAll: Bool
  ) -> String {
    let kind = finding.severity == .error ? "" : " (\(finding.severity.rawValue))"
    let places = finding.layers.isEmpty ? "" : ": \(places(finding, showsAll))"
    var lines = [
      style.paragraph(
        places, first: "\(number). \(style.named(finding.name))\(kind)", indent: 3)
    ]
    func add(_ text: String, _ first: String, indent: Int) {
      lines.append(style.paragraph(text, first: first, indent: indent))
    }
    add(finding.statement, "   ", indent: 3)
    let isLong = !showsAll && finding.evidence.count > Self.shownFacts + 1
    let facts = isLong ? Array(finding.evidence.prefix(Self.shownFacts)) : finding.evidence
    for fact in facts { add(fact, "   - ", indent: 5) }
    if isLong { add("and \(finding.evidence.count - facts.count) more", "   - ", indent: 5) }
    for other in finding.alternatives { add(other, "   Or: ", indent: 7) }
    if let repair = finding.repair {
      add(repair.text, "   Now: ", indent: 8)
      lines += repair.pytorch.map { "        " + style.strong($0) }
    }
    return lines.joined(separator: "\n")
  }

  /// `bn2 (channels 3, 9), bn3`
  func places(_ finding: CheckpointFinding, _ showsAll: Bool) -> String {
    if finding.layers.count == layers.count && layers.count > 3 && finding.channels.isEmpty {
      return "all \(layers.count) layers"
    }
    let limit = showsAll ? finding.layers.count : 8
    let shown = finding.layers.prefix(limit).map { layer in
      let name = layer.isEmpty ? "(top)" : layer
      guard let channels = finding.channels[layer] else { return name }
      let list = channels.prefix(8).map(String.init).joined(separator: ", ")
      let word = channels.count == 1 ? "channel" : "channels"
      return "\(name) (\(word) \(list)\(channels.count > 8 ? ", ..." : ""))"
    }
    let rest = finding.layers.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private func table(_ style: TextStyle, _ showsAll: Bool) -> String {
    var rows = [["layer", "channels", "batches", "mean", "variance", "weight"]]
    let shown = layers.prefix(showsAll ? layers.count : Self.shownLayers)
    for layer in shown {
      rows.append([
        layer.name.isEmpty ? "(top)" : layer.name, "\(layer.channels)",
        layer.batchesTracked.map { "\($0)" } ?? "", Self.text(layer.mean),
        Self.text(layer.variance), Self.text(layer.weight),
      ])
    }
    let rest = layers.count - shown.count
    return style.table(rows) + (rest > 0 ? "\n  and \(rest) more layers (--details)" : "")
  }

  private static func text(_ extent: CheckpointLayer.Extent?) -> String {
    guard let extent else { return "" }
    let broken = extent.nonFinite > 0 ? " !" : ""
    return "\(short(extent.smallest))...\(short(extent.largest))\(broken)"
  }
}
