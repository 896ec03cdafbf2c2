import NormaExplain

extension FileInspection {
  /// The whole page.
  ///
  /// - Parameter showsAll: whether to print repeated blocks each time, and every note in full.
  func text(style: TextStyle, showsAll: Bool) -> String {
    var parts = [style.paragraph(head, emphasis: style.strong)]
    if let graph { parts.append(graph.text(style: style)) }
    let shown = notes.sorted { $0.key < $1.key }.map { name, text in
      "\(name): " + (showsAll || text.count <= 60 ? text : "\(text.prefix(60))...")
    }
    if !shown.isEmpty { parts.append(shown.map { "  " + $0 }.joined(separator: "\n")) }
    if !tensors.isEmpty { parts.append(tree(style: style, showsAll: showsAll)) }
    let unreadable = tensors.filter { $0.reason != nil }
    if !unreadable.isEmpty {
      parts.append(
        (["Not readable"]
          + unreadable.map { style.paragraph("\($0.name): \($0.reason ?? "")", indent: 2) })
          .joined(separator: "\n"))
    }
    if !normalizations.isEmpty { parts.append(normalizationTable(style)) }
    if !options.isEmpty, graph == nil { parts.append(optionTable) }
    return parts.joined(separator: "\n\n")
  }

  private var head: String {
    let model = tensors.filter(\.isModel)
    var text =
      "\(file): \(kind), \(tensors.count) \(tensors.count == 1 ? "tensor" : "tensors"), "
      + "\(Self.size(bytes))"
    if tensors.count > 1 { text += ", \(Self.number(model.reduce(0) { $0 + $1.count })) numbers" }
    if !container.isEmpty || !otherParts.isEmpty {
      text += " in \(container.isEmpty ? "the model" : container)"
    }
    return text
  }

  private func tree(style: TextStyle, showsAll: Bool) -> String {
    let shown = tensors.filter { $0.isModel || showsAll }
    let tree = TensorTree(shown.map(\.name)) { "\(shown[$0].shape)\(shown[$0].dtype)" }
    let lines = tree.lines(showsAll: showsAll)
    let cells = lines.map { line -> [String] in
      guard let index = line.entry else { return ["", "", ""] }
      return ["\(shown[index].shape)", shown[index].dtype, Self.size(shown[index].bytes)]
    }
    let widths = (0..<3).map { column in cells.map { $0[column].count }.max() ?? 0 }
    let longest = lines.map { 2 * $0.depth + $0.name.count }.max() ?? 0
    let room = max(16, min(longest, style.width - widths.reduce(6, +)))
    let rows = zip(lines, cells).map { line, cells in
      let name = Self.fitted(
        String(repeating: " ", count: 2 * line.depth) + line.name, in: room)
      guard let index = line.entry else {
        return line.remark.isEmpty ? name.trimmedAtEnd : "\(name)  \(style.faint(line.remark))"
      }
      let size = String(repeating: " ", count: widths[2] - cells[2].count) + cells[2]
      let row =
        "\(name)  \(Self.fitted(cells[0], in: widths[0]))  "
        + "\(Self.fitted(cells[1], in: widths[1]))  \(size)"
      let margin = String(repeating: " ", count: 2 * line.depth + 2)
      return shown[index].values.map { "\(row)\n\(margin)\(style.faint($0.text))" } ?? row
    }
    return (rows + (showsAll ? [] : otherParts.map(summary))).joined(separator: "\n")
  }

  /// `optimizer  32 tensors, 11.4 MB; --all lists them`
  private func summary(of part: String) -> String {
    let inside = tensors.filter { $0.name == part || $0.name.hasPrefix(part + ".") }
    let count = inside.count == 1 ? "1 tensor" : "\(inside.count) tensors"
    return "\(part)  \(count), \(Self.size(inside.reduce(0) { $0 + $1.bytes })); "
      + "--all lists them"
  }

  private func normalizationTable(_ style: TextStyle) -> String {
    let counts = normalizations.contains { $0.batchesTracked != nil }
    let values = normalizations.map { norm in
      ["\(norm.channels)"] + (counts ? [norm.batchesTracked.map { "\($0)" } ?? ""] : [])
        + [Self.range(norm.scale), Self.range(norm.shift)]
    }
    let heads = ["channels"] + (counts ? ["batches"] : []) + ["scale", "shift"]
    let names = normalizations.map { $0.name.isEmpty ? "(top)" : $0.name }
    let title = "Normalization layers"
    // Names too long for a column are lines of their own.
    let columns = style.table([heads] + values, indent: 0, leading: [])
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let room = style.width - 2 - (columns.map(\.count).max() ?? 0)
    let longest = max(names.map(\.count).max() ?? 0, title.count)
    let isWide = longest > room
    let width = isWide ? title.count : longest
    var lines = ["\(Self.fitted(title, in: width))  \(columns[0])"]
    for (index, norm) in normalizations.enumerated() {
      if isWide { lines.append(names[index]) }
      lines.append("\(Self.fitted(isWide ? "" : names[index], in: width))  \(columns[index + 1])")
      let remarks = norm.remarks.joined(separator: "; ")
      if !remarks.isEmpty {
        lines.append(style.paragraph(remarks, indent: 2, emphasis: style.named))
      }
    }
    let epsilons = Set(normalizations.compactMap(\.epsilon))
    var explained = ""
    if !epsilons.isEmpty {
      let epsilon = epsilons.count == 1 ? short(epsilons.first ?? 0) : "epsilon"
      explained =
        "Scale and shift are those of evaluation: weight / sqrt(variance + \(epsilon)), and bias "
        + "- mean * scale"
      let momenta = Set(options.compactMap(\.momentum)).sorted().map { short($0) }
      explained +=
        graph == nil
        ? "; files do not contain epsilon and momentum. "
        : "; the momentum of a new batch is \(momenta.joined(separator: ", "))."
    }
    return lines.joined(separator: "\n") + "\n"
      + style.paragraph(
        explained + (graph == nil ? "norma doctor \(file) says what is wrong." : ""))
  }

  private var optionTable: String {
    let rows = options.map { layer in
      [
        layer.name, layer.kind, layer.epsilon.map { "\($0)" } ?? "",
        layer.momentum.map { "\($0)" } ?? "",
      ]
    }
    return TextStyle().table([["Layers", "kind", "epsilon", "momentum"]] + rows, indent: 0)
      + "\nnorma doctor \(file) compares what they saw with their statistics."
  }
}

extension StoredNorm {
  /// What is odd about the layer.
  var remarks: [String] {
    var result: [String] = []
    if nonFinite > 0 { result.append("\(nonFinite) values are NaN or infinite") }
    if negativeVariances > 0 { result.append("\(negativeVariances) variances are negative") }
    if isNeverTrained { result.append("statistics were never trained: means 0, variances 1") }
    if !deadChannels.isEmpty {
      let shown = deadChannels.prefix(4).map { "\($0)" }.joined(separator: ", ")
      result.append(
        "\(deadChannels.count) of \(channels) channels are dead: \(shown)"
          + (deadChannels.count > 4 ? ", ..." : ""))
    }
    return result
  }
}

extension ValueSummary {
  /// `-0.31 to 0.29, mean 0.001, std 0.05, 12 zeros`
  var text: String {
    var parts: [String] = []
    if let smallest, let largest, let mean, let deviation {
      parts = [
        "\(short(smallest)) to \(short(largest))",
        "mean \(short(mean))", "std \(short(deviation))",
      ]
    }
    if zeros > 0 { parts.append("\(zeros) \(zeros == 1 ? "zero" : "zeros")") }
    if nonFinite > 0 { parts.append("\(nonFinite) NaN or infinite") }
    return parts.isEmpty ? "no values" : parts.joined(separator: ", ")
  }
}

extension FileInspection {
  private static func range(_ extent: CheckpointLayer.Extent?) -> String {
    guard let extent else { return "" }
    return extent.smallest == extent.largest
      ? short(extent.smallest) : "\(short(extent.smallest)) to \(short(extent.largest))"
  }

  /// `1.96 MB`, in powers of 1000.
  static func size(_ bytes: Int) -> String { scaled(bytes, ["B", "KB", "MB", "GB", "TB"], " ") }

  /// `0.49 M` becomes `487 k`.
  static func number(_ count: Int) -> String { scaled(count, ["", "k", "M", "G", "T"], "") }

  private static func scaled(_ count: Int, _ units: [String], _ gap: String) -> String {
    var (value, unit) = (Double(count), 0)
    while value >= 999.5, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count)\(gap)\(units[0])" : "\(short(value)) \(units[unit])"
  }

  /// Text of exactly this many columns; the middle of longer text is left out.
  static func fitted(_ text: String, in columns: Int) -> String {
    if text.count <= columns { return text + String(repeating: " ", count: columns - text.count) }
    let head = (columns - 3) / 2
    return "\(text.prefix(head))...\(text.suffix(max(columns - 3 - head, 0)))"
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
