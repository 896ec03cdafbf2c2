/// Values of a tensor that are NaN or infinite: which, where, and why where that is known.
///
/// They come first in an ``Explanation``, because no difference from them says anything.
public struct NonFinite: Codable, Sendable, Hashable {
  /// Which tensor: `input`, `expected`, `output` (the layer's result), `from`, `history`, `weight`,
  /// `bias`, `running_mean`, `running_var`; of two layers that are compared
  /// `first layer's running_var`.
  public let tensor: String

  /// How many of its values are NaN.
  public let nanCount: Int

  /// How many of its values are infinite.
  public let infiniteCount: Int

  /// Where the first of them is.
  public let index: [Int]

  /// The channel of the first; nil where the tensor has no channels.
  public let channel: Int?

  /// The channels that have any, in order; empty where the tensor has no channels.
  public let channels: [Int]

  /// The type whose range the value has left: `float16`, `bfloat16` or `float32`; nil where that is
  /// not the reason, or is not known.
  public let overflow: String?

  /// What the value was before it left that range, or what left it on the way; nil where it is not known.
  public let valueBefore: Double?

  /// What is known of the reason, in a sentence or two; nil where nothing is.
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

  /// What is known of the reason.
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
  /// What is where, and why where that is known, in a sentence or two.
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
