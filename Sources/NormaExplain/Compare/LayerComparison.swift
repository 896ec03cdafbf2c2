/// Where two layers differ on one input, by how much, and by which options; a value that prints in words
/// and encodes to JSON.
public struct LayerComparison: Sendable, Hashable, Codable {
  /// What the first layer is called.
  public let first: String
  /// What the second layer is called.
  public let second: String
  /// The shape of the input.
  public let shape: [Int]
  /// The options in which the layers differ, whether that matters on this input or not. Empty, too, for
  /// layers whose options are not known: those that are no normalization of statistics.
  public let options: [OptionDifference]
  /// The results, and the running statistics after the call where both layers have some.
  public let quantities: [QuantityComparison]
  /// The NaN and infinite values, and where they are: those of the input and of what the layers hold, or
  /// else of the results.
  public var nonFinite: [NonFinite] = []

  /// Whether nothing differs by more than rounding.
  public var isSame: Bool { quantities.allSatisfy { $0.causes.isEmpty && $0.isRounding } }
}

/// An option of two layers.
public struct OptionDifference: Sendable, Hashable, Codable {
  /// Which option.
  public let option: NormOption
  /// What the first layer has, in words.
  public let first: String
  /// What the second layer has, in words.
  public let second: String
}

/// A tensor that two layers make.
public struct QuantityComparison: Sendable, Hashable, Codable {
  /// What the tensor is.
  public enum Quantity: String, Sendable, Hashable, Codable {
    /// The layer's result.
    case result
    /// The running mean after the call.
    case runningMean = "running mean"
    /// The running variance after the call.
    case runningVariance = "running variance"
  }

  /// An option's part in the difference.
  public struct Share: Sendable, Hashable, Codable {
    /// Which option.
    public let option: NormOption
    /// The Shapley value; with those of the others and ``QuantityComparison/unexplained`` it adds up to
    /// 1. A negative one hides a part of the difference.
    public let share: Double
    /// The largest difference where this option alone differs.
    public let differenceAlone: Double
  }

  /// What is compared.
  public let quantity: Quantity
  /// The largest distance between finite values.
  public let largestDifference: Double
  /// Where it is.
  public let place: [Int]
  /// The root of the mean squared distance.
  public let rootMeanSquare: Double
  /// The largest magnitude among the first layer's values.
  public let largestValue: Double
  /// At how many places just one is finite, or both are other than finite and not alike.
  public let incomparable: Int
  /// The options that make the difference, the most important first.
  public let causes: [Share]
  /// What no option accounts for.
  public let unexplained: Double
  /// Whether that is no more than rounding of the layers' types.
  public let isRounding: Bool
}

extension LayerComparison: CustomStringConvertible {
  /// The comparison in words, for 80 columns and without colours.
  public var description: String { text(style: TextStyle()) }

  /// The comparison in words.
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
      lines.append("  \(quantity.incomparable) places are not finite in one of them")
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
  /// The options with their parts in the difference.
  var parts: [ShareWords.Part] {
    causes.map { .init($0.option.rawValue, $0.share, alone: $0.differenceAlone) }
  }
}
