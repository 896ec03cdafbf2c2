import NormaFiles

/// A report with text, tables and charts: one HTML file without scripts and without external
/// resources, for light and dark, narrow and wide screens.
///
///     var report = HTMLReport(title: "Two layers")
///     report.sections = [
///       .init("Gap", [.paragraph("The second is off."), .charts([chart])])
///     ]
///     try report.write(to: "report.html")
///
/// All text is escaped, so names from untrusted files are harmless. Explanations, comparisons and
/// diagnoses can create such reports.
public struct HTMLReport: Sendable {
  /// A rating.
  public enum Level: String, Sendable {
    /// No action needed.
    case good
    /// Worth knowing.
    case note
    /// A present or future cost.
    case warning
    /// Wrong.
    case bad
  }

  /// A section of a page with a heading.
  public struct Section: Sendable {
    /// The heading.
    public var title: String
    /// The content of the section.
    public var blocks: [Block]

    /// A section.
    public init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  /// An element of a page.
  public indirect enum Block: Sendable {
    /// A small heading.
    case heading(String)
    /// A paragraph.
    case paragraph(String)
    /// A bulleted list.
    case list([String])
    /// Lines of code with a label, such as the language.
    case code([String], name: String)
    /// A table with its title.
    case table(ReportTable, title: String)
    /// Charts, side by side if there is room.
    case charts([any ReportChart])
    /// A box with a title.
    case card(String, level: Level, blocks: [Block])
    /// Blocks side by side if there is room.
    case columns([[Block]])
    /// Blocks that are collapsed at first.
    case folded(String, [Block])
  }

  /// The conclusion of a page in one sentence, with its rating.
  public struct Verdict: Sendable, Hashable {
    /// The sentence.
    public var text: String
    /// The rating.
    public var level: Level

    /// A sentence with a rating.
    public init(_ text: String, _ level: Level) { (self.text, self.level) = (text, level) }
  }

  /// A fact in the line under the verdict.
  public struct Fact: Sendable, Hashable {
    /// The name of the fact.
    public var name: String
    /// Its value.
    public var value: String

    /// A name and its value.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  /// The title of the page.
  public var title: String
  /// The conclusion of the page in one sentence, with its rating.
  public var verdict: Verdict?
  /// A line of facts under the verdict.
  public var facts: [Fact] = []
  /// The sections of the page.
  public var sections: [Section] = []

  /// A page without sections.
  public init(title: String) { self.title = title }

  /// Writes the page to a file, completely or not at all.
  ///
  /// - Throws: A `FileError` if the file cannot be written.
  public func write(to path: String) throws {
    try writeText(html, to: path, operation: "HTMLReport.write(to:)")
  }
}
