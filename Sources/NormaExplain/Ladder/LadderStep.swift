/// A step down the ladder of a gap: one change to your code, and what is left of the gap behind it.
///
/// The steps of an ``Explanation`` follow one another: the first begins at the whole gap, and the last
/// ends at what no change can close, which is rounding where the explanation is complete.
public struct LadderStep: Codable, Sendable, Hashable {
  /// The kind of mistake that this step puts right.
  public let cause: CauseName

  /// Kinds that the data at hand cannot tell from `cause`; empty when it is certain.
  public let alternatives: [CauseName]

  /// What to do, in a sentence: `Divide the variance by n, not by n - 1.`
  public let advice: String

  /// Why that makes a difference, in a sentence or two.
  public let reason: String

  /// The part of your formula that differs, in PyTorch's notation where it has one:
  /// `var = x.var(0)`.
  public let yours: String

  /// The same part of the layer's formula.
  public let layers: String

  /// What to write instead; nil where no line is known to put it right.
  public let code: CodeChange?

  /// The largest difference before this step.
  public let gapBefore: Double

  /// The largest difference that is left after this step and all before it. Where causes hide a part
  /// of each other, it can be larger than before.
  public let gapAfter: Double
}

/// Lines of code that put a cause right, in the notation of two libraries.
public struct CodeChange: Codable, Sendable, Hashable {
  /// The line, or lines, in Python with PyTorch.
  public let pytorch: String

  /// The line, or lines, in Swift with Norma.
  public let norma: String
}
