/// The NaN and infinite values of a tensor: how many, where, and why, if known.
///
/// They come first in an ``Explanation``, as differences from them are meaningless.
public struct NonFinite: Codable, Sendable, Hashable {
  /// The tensor: `input`, `expected`, `output` (the layer's result), `from`, `history`, `weight`,
  /// `bias`, `running_mean` or `running_var`; in a comparison of two layers, for example `first
  /// layer's running_var`.
  public let tensor: String

  /// The number of NaN values.
  public let nanCount: Int

  /// The number of infinite values.
  public let infiniteCount: Int

  /// The index of the first one.
  public let index: [Int]

  /// The channel of the first one; nil if the tensor has no channels.
  public let channel: Int?

  /// The channels with such values, in order; empty if the tensor has no channels.
  public let channels: [Int]

  /// The type whose range was exceeded: `float16`, `bfloat16` or `float32`; nil if that is not the
  /// reason, or unknown.
  public let overflow: String?

  /// The value before it exceeded that range, or the intermediate value that did; nil if unknown.
  public let valueBefore: Double?

  /// The reason as far as it is known, in a sentence or two; nil if unknown.
  public let reason: String?

  init(
    tensor: String, nanCount: Int, infiniteCount: Int, index: [Int], channel: Int?,
    channels: [Int], why: Why? = nil
  ) {
    self.tensor = tensor
    self.nanCount = nanCount
    self.infiniteCount = infiniteCount
    self.index = index
    self.channel = channel
    self.channels = channels
    overflow = why?.overflow
    valueBefore = why?.valueBefore
    reason = why?.reason
  }

  /// The reason as far as it is known.
  struct Why {
    var overflow: String?
    var valueBefore: Double?
    let reason: String
  }

  /// The same with a reason.
  func because(_ why: Why?) -> NonFinite {
    NonFinite(
      tensor: tensor, nanCount: nanCount, infiniteCount: infiniteCount, index: index,
      channel: channel, channels: channels, why: why)
  }
}

extension NonFinite: CustomStringConvertible {
  /// The values, their positions and the reason if known, in a sentence or two.
  public var description: String {
    var counts: [String] = []
    if nanCount > 0 { counts.append("\(grouped(nanCount)) NaN") }
    if infiniteCount > 0 { counts.append("\(grouped(infiniteCount)) infinite") }
    let isOne = nanCount + infiniteCount == 1
    var words = "\(Self.names[tensor] ?? "The \(tensor)") has \(counts.joined(separator: " and ")) "
    words += isOne ? "value, at \(index)" : "values, the first at \(index)"
    if let channel { words += ", channel \(channel)" }
    words += "."
    if channels.count > 1 {
      let shown = channels.prefix(8).map(String.init).joined(separator: ", ")
      words += " Channels with any: \(shown)\(channels.count > 8 ? ", ..." : "")."
    }
    return words + (reason.map { " \($0)" } ?? "")
  }

  private static let names = [
    "input": "The input", "expected": "The expected result", "output": "The layer's result",
    "from": "The tensor that the input was made from", "history": "A batch of the history",
    "weight": "The weight", "bias": "The bias", "running_mean": "The running mean",
    "running_var": "The running variance",
  ]
}
