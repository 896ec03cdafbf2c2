/// Values of a tensor that are no numbers: NaN or infinite. Where there are some, they are looked at
/// first, because a difference from them says nothing.
public struct NonFinite: Codable, Sendable, Hashable {
  /// Which tensor: `input`, `expected`, `output` (the layer's result), `from`, `weight`, `bias`,
  /// `running_mean`, `running_var`.
  public let tensor: String

  /// How many of its values are NaN.
  public let nanCount: Int

  /// How many of its values are infinite.
  public let infiniteCount: Int

  /// Where the first of them is.
  public let index: [Int]

  /// The channel of the first, where the tensor has channels.
  public let channel: Int?

  /// Which channels have any, where the tensor has channels.
  public let channels: [Int]

  /// The half type whose range the value left, such as `float16`; nil where that is not the reason.
  public let overflow: String?

  /// What the value is without that limit; nil where it is not known.
  public let trueValue: Double?

  /// - Parameters:
  ///   - tensor: Which tensor.
  ///   - nanCount: How many of its values are NaN.
  ///   - infiniteCount: How many are infinite.
  ///   - index: Where the first is.
  ///   - channel: Its channel.
  ///   - channels: All channels that have any.
  ///   - overflow: The half type that overflowed.
  ///   - trueValue: The value without that limit.
  package init(
    tensor: String, nanCount: Int, infiniteCount: Int, index: [Int], channel: Int? = nil,
    channels: [Int] = [], overflow: String? = nil, trueValue: Double? = nil
  ) {
    self.tensor = tensor
    self.nanCount = nanCount
    self.infiniteCount = infiniteCount
    self.index = index
    self.channel = channel
    self.channels = channels
    self.overflow = overflow
    self.trueValue = trueValue
  }
}

extension NonFinite: CustomStringConvertible {
  /// What is where, and why where that is known, in a sentence or two.
  public var description: String {
    func counted(_ count: Int, _ word: String) -> [String] {
      count == 0 ? [] : ["\(grouped(count)) \(word)"]
    }
    let what = counted(nanCount, "NaN") + counted(infiniteCount, "infinite")
    let all = nanCount + infiniteCount
    var words = "\(Self.names[tensor] ?? tensor) has \(what.joined(separator: " and "))"
    words += all == 1 ? " value, at \(index)" : " values, the first at \(index)"
    if let channel { words += ", channel \(channel)" }
    words += "."
    if channels.count > 1 {
      let shown = channels.prefix(8).map(String.init).joined(separator: ", ")
      words += " Channels with any: \(shown)\(channels.count > 8 ? ", ..." : "")."
    }
    guard let overflow else { return words }
    let limits = ["float16": "65,504", "bfloat16": "3.39e38", "float32": "3.4e38"]
    let limit = limits[overflow].map { " ends at \($0)" } ?? " is too narrow"
    let value = trueValue.map { ", and the value is \(number($0))" } ?? ""
    return words + " It has overflowed: \(overflow)\(limit)\(value). Compute in float32."
  }

  private static let names = [
    "input": "The input", "expected": "The expected result", "output": "The layer's result",
    "from": "The tensor that the input was made from", "weight": "The weight",
    "bias": "The bias", "running_mean": "The running mean", "running_var": "The running variance",
  ]
}
