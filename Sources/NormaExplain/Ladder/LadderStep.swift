/// A step that reduces a gap: one change to your code, and the gap that remains after it.
///
/// The steps of an ``Explanation`` follow each other: the first starts with the whole gap, and the
/// last ends with what no change can close, which is rounding if the explanation is complete.
public struct LadderStep: Codable, Sendable, Hashable {
  /// The kind of mistake that this step fixes.
  public let cause: CauseName

  /// Kinds that the data cannot distinguish from `cause`; empty if it is certain.
  public let alternatives: [CauseName]

  /// What to do, in a sentence: `Divide the variance by n, not by n - 1.`
  public let advice: String

  /// Why that makes a difference, in a sentence or two.
  public let reason: String

  /// The part of your formula that differs, in PyTorch's notation if it has one:
  /// `var = x.var(0)`.
  public let yours: String

  /// The same part of the layer's formula.
  public let layers: String

  /// What to write instead; nil if no code is known to fix it.
  public let code: CodeChange?

  /// The largest difference before this step.
  public let gapBefore: Double

  /// The largest difference that remains after this step and all before it. If causes hide parts of
  /// each other, it can be larger than before.
  public let gapAfter: Double
}

/// Lines of code that fix a cause, for two libraries.
public struct CodeChange: Codable, Sendable, Hashable {
  /// The line, or lines, in Python with PyTorch.
  public let pytorch: String

  /// The line, or lines, in Swift with Norma.
  public let norma: String
}
