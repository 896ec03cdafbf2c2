import NormaFiles

/// A page that explains something with words, tables and charts: one HTML file without script and
/// without anything from the network, for light and dark, narrow and wide.
///
///     var report = HTMLReport(title: "Two layers")
///     report.sections = [
///       .init("Gap", [.paragraph("The second is off."), .charts([chart])])
///     ]
///     try report.write(to: "report.html")
///
/// All text is escaped, so names out of files that other people wrote are harmless. Explanations,
/// comparisons and diagnoses make such pages of themselves.
public struct HTMLReport: Sendable {
  /// How good or bad something is.
  public enum Level: String, Sendable {
    /// Nothing to do.
    case good
    /// Worth knowing.
    case note
    /// It costs something, or will.
    case warning
    /// Wrong.
    case bad
  }

  /// A part of a page with a heading of its own.
  public struct Section: Sendable {
    /// The heading.
    public var title: String
    /// What stands under it.
    public var blocks: [Block]

    /// A section.
    public init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  /// What a page is made of.
  public indirect enum Block: Sendable {
    /// A small heading.
    case heading(String)
    /// A paragraph.
    case paragraph(String)
    /// Points one under the other.
    case list([String])
    /// Lines of code with the name of what they are for.
    case code([String], name: String)
    /// A table with its title.
    case table(ReportTable, title: String)
    /// Charts, side by side where there is room.
    case charts([any ReportChart])
    /// A box with a title of its own.
    case card(String, level: Level, blocks: [Block])
    /// Blocks side by side where there is room.
    case columns([[Block]])
    /// Blocks that are shown when somebody opens them.
    case folded(String, [Block])
  }

  /// What a page says, in one sentence, and how bad that is.
  public struct Verdict: Sendable, Hashable {
    /// The sentence.
    public var text: String
    /// How bad it is.
    public var level: Level

    /// A sentence.
    public init(_ text: String, _ level: Level) { (self.text, self.level) = (text, level) }
  }

  /// A fact in the line under the verdict.
  public struct Fact: Sendable, Hashable {
    /// What it is about.
    public var name: String
    /// What is so.
    public var value: String

    /// A name and its value.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  /// The title of the page.
  public var title: String
  /// What the page says, in one sentence, and how bad that is.
  public var verdict: Verdict?
  /// A line of facts under the verdict.
  public var facts: [Fact] = []
  /// The parts of the page.
  public var sections: [Section] = []

  /// A page without sections.
  public init(title: String) { self.title = title }

  /// Writes the page to a file: whole, or not at all.
  ///
  /// - Throws: A `FileError` where the file cannot be written.
  public func write(to path: String) throws {
    try writeText(html, to: path, operation: "HTMLReport.write(to:)")
  }
}
