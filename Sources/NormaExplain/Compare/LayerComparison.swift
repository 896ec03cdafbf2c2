/// Where two layers differ on an input, by how much, and because of which options. It prints as
/// text and encodes to JSON.
public struct LayerComparison: Sendable, Hashable, Codable {
  /// The name of the first layer.
  public let first: String
  /// The name of the second layer.
  public let second: String
  /// The shape of the input.
  public let shape: [Int]
  /// The options that differ, whether or not that matters on this input. Also empty for layers
  /// whose options are unknown, those that do not normalize with statistics.
  public let options: [OptionDifference]
  /// The results, and the running statistics after the call if both layers have some.
  public let quantities: [QuantityComparison]
  /// The NaN and infinite values and their positions: those of the input and of the layers' state,
  /// or else of the results.
  public var nonFinite: [NonFinite] = []

  /// Whether nothing differs by more than rounding.
  public var isSame: Bool { quantities.allSatisfy { $0.causes.isEmpty && $0.isRounding } }
}

/// An option that differs between two layers.
public struct OptionDifference: Sendable, Hashable, Codable {
  /// The option.
  public let option: NormOption
  /// The first layer's value, as text.
  public let first: String
  /// The second layer's value, as text.
  public let second: String
}

/// A tensor that two layers compute.
public struct QuantityComparison: Sendable, Hashable, Codable {
  /// The kind of tensor.
  public enum Quantity: String, Sendable, Hashable, Codable {
    /// The layer's result.
    case result
    /// The running mean after the call.
    case runningMean = "running mean"
    /// The running variance after the call.
    case runningVariance = "running variance"
  }

  /// An option's share of the difference.
  public struct Share: Sendable, Hashable, Codable {
    /// The option.
    public let option: NormOption
    /// The Shapley value; all of them and ``QuantityComparison/unexplained`` add up to 1. A
    /// negative share hides a part of the difference.
    public let share: Double
    /// The largest difference if only this option differs.
    public let differenceAlone: Double
  }

  /// The compared tensor.
  public let quantity: Quantity
  /// The largest distance between finite values.
  public let largestDifference: Double
  /// The position of the largest difference.
  public let place: [Int]
  /// The root mean square of the differences.
  public let rootMeanSquare: Double
  /// The largest magnitude among the first layer's values.
  public let largestValue: Double
  /// The number of positions where only one value is finite, or both are not finite and differ.
  public let incomparable: Int
  /// The options that cause the difference, most important first.
  public let causes: [Share]
  /// The share that no option accounts for.
  public let unexplained: Double
  /// Whether that is just rounding of the layers' types.
  public let isRounding: Bool
}

extension LayerComparison: CustomStringConvertible {
  /// The comparison as text, for 80 columns and without colors.
  public var description: String { text(style: TextStyle()) }

  /// The comparison as text.
  package func text(style: TextStyle) -> String {
    var lines = [style.strong(style.paragraph("\(first) and \(second) on \(shape)"))]
    if !options.isEmpty {
      let rows = options.map { [$0.option.rawValue, $0.first, $0.second] }
      lines.append(style.table([["options that differ", "first", "second"]] + rows))
    }
    for found in nonFinite {
      lines.append(style.paragraph(found.description, first: "- ", indent: 2))
    }
    for quantity in quantities { lines.append(text(quantity, style)) }
    return lines.joined(separator: "\n")
  }

  private func text(_ quantity: QuantityComparison, _ style: TextStyle) -> String {
    let name = style.named(quantity.quantity.rawValue)
    if quantity.causes.isEmpty && quantity.isRounding {
      let rounding = quantity.largestDifference == 0 ? "equal" : "equal up to rounding"
      return "\(name): \(style.good(rounding))"
    }
    let place = quantity.place.map(String.init).joined(separator: ", ")
    let words =
      "differs by at most \(short(quantity.largestDifference)) at [\(place)], root mean square "
      + "\(short(quantity.rootMeanSquare)), of \(short(quantity.largestValue))"
    var lines = [style.paragraph(words, first: "\(name): ", indent: 2)]
    if ShareWords.isMisleading(quantity.parts) {
      let words = ShareWords.hidden(quantity.parts, together: quantity.largestDifference)
      let bars = quantity.parts.map { BarChart.Bar("\($0.name) alone", $0.alone) }
      lines.append(style.paragraph(words, first: "  ", indent: 2))
      lines.append(
        style.bars(bars + [.init("all together", quantity.largestDifference)], longest: 24))
    } else {
      lines.append(style.bars(shares(quantity), longest: 24))
    }
    if quantity.incomparable > 0 {
      lines.append("  \(quantity.incomparable) values are not finite in one of them")
    }
    return lines.joined(separator: "\n")
  }

  private func shares(_ quantity: QuantityComparison) -> [BarChart.Bar] {
    let rest = quantity.isRounding ? "unexplained (rounding)" : "unexplained"
    return quantity.parts.map { part in
      BarChart.Bar(
        part.name, part.share * 100,
        words: "\(percent(part.share)), alone \(short(part.alone))")
    } + [.init(rest, quantity.unexplained * 100, words: percent(quantity.unexplained))]
  }
}

extension QuantityComparison {
  /// The options with their shares of the difference.
  var parts: [ShareWords.Part] {
    causes.map { .init($0.option.rawValue, $0.share, alone: $0.differenceAlone) }
  }
}
